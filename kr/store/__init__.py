"""What people write: accounts, lists, feedback, rules. SQLAlchemy over SQLite or PostgreSQL."""

from kr.store import operator_schema as operator_schema  # its tables belong to the same metadata
from kr.store.database import Database, open_database

__all__ = ["Database", "open_database"]
