"""Where compiled kernels are kept: `from indexes.compiled import njit` instead of numba's own.

Compiling takes seconds, so machine code is cached. It is looked for, in this order, in NUMBA_CACHE_DIR if that is set;
in `__pycache__/kernels` beside the source, inside the environment; in the user's cache folder; in a folder of this user
below the temporary directory. It is written to the first of them that can be written: an environment that is read-only
serves what was compiled before it became so, by `python -m indexes.compile_kernels`. Folders that others
could have written to are passed over: machine code is run as it stands. Processes that compile at once each write
a whole file and rename it.

Importing this module imports numba (0.3 s): only big indexes do it.
"""

import functools
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core import caching, cgutils
from numba.extending import intrinsic

Kernel = Callable[..., Any]
_IMPORTED = re.compile(r"^from [\w.]+\.(\w+) import", re.MULTILINE)


def folders(source: Path) -> list[Path]:
    """The folders in which kernels of this source file may be cached, the first choice first."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(os.environ["NUMBA_CACHE_DIR"]) / source.parent.name]
    found = [source.parent / "__pycache__" / "kernels"]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (a "~" may stay)
    if Path(cache).is_absolute():
        found.append(Path(cache) / "kr-kernels" / source.parent.name)
    found.append(Path(tempfile.gettempdir()) / f"kr-kernels-{os.getuid()}" / source.parent.name)
    return found


def is_trusted(folder: Path, source: Path) -> bool:
    """Whether nobody could have put machine code there but this user, root, and who could change the source itself."""
    owners = {0, os.getuid(), source.stat().st_uid}
    inside = source.parent in folder.parents
    others = 0o022 & ~source.parent.stat().st_mode if inside else 0o022
    places = (folder, folder.parent)
    return all(place.stat().st_uid in owners and not place.stat().st_mode & others for place in places)


def _make_trusted(folder: Path, source: Path) -> None:
    """Make the folder if it is missing; PermissionError if it is not to be trusted."""
    if not folder.exists():
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700 if source.parent not in folder.parents else 0o755, exist_ok=True)
    if not is_trusted(folder, source):
        raise PermissionError(f"{folder} can be written by others")


@functools.cache
def _stamp(source: Path) -> str:
    """Changes when the source does, or a module beside it that it imports, itself or through others.

    Kernels and constants of these may be compiled into its own.
    """
    waiting, texts = [source], dict[Path, bytes]()
    while waiting:
        path = waiting.pop()
        if path not in texts and path.is_file():
            texts[path] = path.read_bytes()
            waiting += [path.with_name(f"{name}.py") for name in _IMPORTED.findall(texts[path].decode())]
    digest = hashlib.sha256()
    for path, text in sorted(texts.items()):
        digest.update(path.name.encode() + b"\0" + text)
    return digest.hexdigest()


class _Cache:
    """What numba's dispatcher asks for compiled code: its cache in the first folder that has it or can be written."""

    def __init__(self, function: Kernel) -> None:
        source = Path(function.__code__.co_filename)
        self._caches = [(folder, source, _cache_in(folder, function)) for folder in folders(source)]

    def load_overload(self, signature: Any, context: Any) -> Any:
        for folder, source, cache in self._caches:
            try:
                if is_trusted(folder, source) and (found := cache.load_overload(signature, context)) is not None:
                    return found
            except OSError:
                continue
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        for folder, source, cache in self._caches:
            try:
                _make_trusted(folder, source)
                cache.save_overload(signature, compiled)
                return
            except OSError:
                continue

    @property
    def cache_path(self) -> str:
        return str(self._caches[0][0])


def _cache_in(folder: Path, function: Kernel) -> Any:
    """Numba's cache of one function, in this folder."""

    class Locator(caching._CacheLocator):
        @classmethod
        def from_function(cls, function: Kernel, source: str) -> "Locator":
            return cls()

        def ensure_cache_path(self) -> None:
            pass

        def get_cache_path(self) -> str:
            return str(folder)

        def get_source_stamp(self) -> str:
            return _stamp(Path(function.__code__.co_filename))

        def get_disambiguator(self) -> str:
            return str(function.__code__.co_firstlineno)

    class Implementation(caching.CompileResultCacheImpl):
        def __init__(self, function: Kernel) -> None:
            self._locator_classes: Any = [Locator]
            super().__init__(function)

    class Cache(caching.FunctionCache):
        _impl_class = Implementation

    return Cache(function)


def njit(function: Kernel) -> Any:
    """Compile a function that releases the GIL, when it is first called or called by another kernel; cached."""
    dispatcher: Any = numba.njit(nogil=True)(function)
    dispatcher._cache = _Cache(function)
    return dispatcher


def inner_njit(function: Kernel) -> Any:
    """Compile a function as a part of the entry points that call it; not cached apart, which would double the work."""
    return numba.njit(nogil=True)(function)


def entry_point(signature: str) -> Callable[[Kernel], Any]:
    """Like `njit`, for functions that Python calls: of one signature, loaded or compiled at once.

    One file holds its code and that of all kernels that it calls, so only entry points need be loaded.
    """

    def compiled(function: Kernel) -> Any:
        dispatcher = njit(function)
        dispatcher.compile(signature)
        dispatcher.disable_compile()
        return dispatcher

    return compiled


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """An address as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


pointer: Any = _pointer
"""For kernels: `numba.carray(pointer(address), shape, dtype)`.

Arrays that never change are handed to kernels as addresses in one int64 array, since unpacking an array object costs a
microsecond, and fewer types make fewer variants to compile. Whoever makes the addresses keeps the arrays alive.
"""
