"""Compiles every kernel of the indexes once, so that no request waits for it.

The build runs it in a process beside its own work; whoever installs an environment that will be read-only runs
`python -m indexes.compile_kernels`. It asks one tiny index of each kind; what is compiled already is only loaded.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from indexes.arrays import ArrayFolder, write_array, write_json
from indexes.neighbors import Neighbors, NeighborsWriter
from indexes.postings import Postings, write_postings
from indexes.prefixes import Prefixes
from indexes.prefixes_query import Query
from indexes.prefixes_write import write_prefixes
from indexes.vectors import Vectors

KEYWORDS = ("flowers", "先花", "鲜花")
QUERIES = ("xh", "xianhua", "xian花", "鲜", "flowesr")


def compile_kernels() -> None:
    """Compile what no cache holds yet: half a minute on the first call in an environment, two seconds later."""
    with TemporaryDirectory(prefix="kr-kernels-") as temporary:
        folder = Path(temporary)
        reader = ArrayFolder(folder)
        count = len(KEYWORDS)
        write_postings(folder, count, np.arange(count + 1), np.arange(count, dtype=np.int32))
        Postings(reader, kernels_from=0).top([0], 1)

        heads = np.arange(count, dtype=np.int32)
        write_prefixes(folder, KEYWORDS, np.arange(count), heads, np.ones(count, bool))
        prefixes = Prefixes(reader, heads)
        for query in QUERIES:
            prefixes.top(Query.of(query), count)

        with NeighborsWriter(folder, count) as writer:
            writer.add_miner("any")
            writer.append(np.array([0]), np.array([1]), np.array([0.5], np.float32), {})
        Neighbors(reader, compiled_from=0).of(np.array([0]), 1)

        write_array(folder, "vectors/centroids.npy", np.array([[127], [-127]], np.int8))
        write_array(folder, "vectors/offsets.npy", np.arange(3))
        write_array(folder, "vectors/members.npy", np.arange(2, dtype=np.int32))
        write_array(folder, "vectors/codes.npy", np.array([[127], [-127]], np.int8))
        write_json(folder, "vectors/search.json", {"probes": 1})
        Vectors(reader).nearest(np.array([127], np.int8), 1)


@contextmanager
def compiling_beside(module: str = "indexes.compile_kernels") -> Iterator[None]:
    """Compile in a process of its own, which runs the module, while the block runs, and wait for it at the block's end.

    A failure there is no failure here: whoever needs the kernels compiles them then, or says why that cannot be.
    """
    process = subprocess.Popen([sys.executable, "-m", module], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.wait()


if __name__ == "__main__":
    compile_kernels()
