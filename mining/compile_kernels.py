"""Compiles the kernels of mining that take long to compile: `python -m mining.compile_kernels`.

Mining of a large log runs it in a process beside its own work, so that the clustering finds its kernels compiled.
"""

import numpy as np
from scipy.sparse import csr_array

from mining.agglomeration import agglomerate
from mining.cluster_paths import find_paths
from mining.nearest import among_nearest
from mining.similar_rows import similar_rows


def compile_kernels() -> None:
    """Compile what no cache holds yet: half a minute on the first call in an environment, one second later."""
    keywords, urls = np.array([0, 1]), np.array([0, 0])
    agglomerate(keywords, urls, 1.0)
    find_paths(keywords, urls, keywords.copy(), urls.copy())
    among_nearest(keywords, urls, np.ones(2), 1)
    columns = csr_array(np.ones((2, 1), np.int64))
    similar_rows(columns, columns, urls, np.ones((2, 2), np.int64), 0.5, 0.5)


if __name__ == "__main__":
    compile_kernels()
