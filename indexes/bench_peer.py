"""What every system that stands beside KR in a bench says of itself: its name, its package, how far it goes."""

import importlib
from abc import ABC
from typing import ClassVar

from indexes.terminal import say


class BenchPeer(ABC):
    """One system of a bench."""

    name: ClassVar[str]
    package: ClassVar[str] = "numpy"
    """What must be importable for it to take part."""
    most_keywords: ClassVar[int] = 2**31
    """Beyond so many it takes minutes, or more memory or disk than it may."""
    most_queries: ClassVar[int] = 1000
    """So many of the queries, the first ones, are enough of its time."""

    @classmethod
    def is_installed(cls) -> bool:
        try:
            importlib.import_module(cls.package)
        except ImportError:
            return False
        return True

    @classmethod
    def takes_part(cls, keywords: int) -> bool:
        """Whether it can stand beside KR with so many keywords; if not, why is said."""
        if not cls.is_installed():
            say(f"  {cls.name} is not installed (pip install -e '.[bench]'): no row")
            return False
        if keywords > cls.most_keywords:
            say(f"  {cls.name} takes part up to {cls.most_keywords:,} keywords: no row")
            return False
        return True
