"""The wiring of each product, one file each."""
