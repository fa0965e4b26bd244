"""An advertiser's page: fetched safely, read, and turned into topics (SPEC §2.9)."""
