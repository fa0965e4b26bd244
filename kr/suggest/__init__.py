"""Suggestion while somebody types."""
