"""What a snapshot is made of: text, vocabulary, postings, neighbours, statistics. The bottom layer."""
