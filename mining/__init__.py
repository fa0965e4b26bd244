"""Offline work: from raw logs to mined tables and a snapshot. Meets the online side only in files."""
