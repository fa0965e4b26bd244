"""Ingest: from a platform's raw logs to the canonical tables, with every row that was not kept accounted for."""

from mining.ingest.adapters import ADAPTERS
from mining.ingest.report import IngestReport, TooManyRejectsError
from mining.ingest.run import ingest
from mining.ingest.state import log_parts

__all__ = ["ADAPTERS", "IngestReport", "TooManyRejectsError", "ingest", "log_parts"]
