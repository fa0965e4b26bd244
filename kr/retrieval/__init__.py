"""Sources: each finds candidates in one way; the engine merges them."""
