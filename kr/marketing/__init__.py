"""The operator's rules."""
