"""The online path: retrieval, relevance, audit, rank, marketing rules, reply."""
