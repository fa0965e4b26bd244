"""Where compiled kernels are kept: `from indexes.compiled import njit` instead of numba's own.

Compiling takes seconds, so machine code is cached: in `__pycache__` beside the source, inside the environment; where
that is read-only, in the user's cache folder; where that is read-only too, in a folder of this user below the temporary
directory. NUMBA_CACHE_DIR overrules all three. Importing this module imports numba (0.5 s): only big indexes do it.
"""

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config

config: Any = numba_config
njit: Callable[[Callable[..., Any]], Callable[..., Any]] = functools.partial(numba.njit, cache=True, nogil=True)


def _is_cacheable() -> bool:
    try:
        njit(_is_cacheable)
    except RuntimeError:  # numba: "no locator available for file …"
        return False
    return True


def use_a_writable_cache() -> None:
    """Point numba at the temporary directory if neither the environment nor the user's cache folder can be written."""
    if config.CACHE_DIR or _is_cacheable():
        return
    folder = Path(tempfile.gettempdir()) / f"kr-kernels-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        # Machine code that somebody else could have put there must not be run.
        folder = Path(tempfile.mkdtemp(prefix="kr-kernels-"))
    config.CACHE_DIR = str(folder)


use_a_writable_cache()
