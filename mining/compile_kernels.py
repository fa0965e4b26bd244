"""Compiles the kernels of mining that take long to compile: `python -m mining.compile_kernels`.

Mining of a large log runs it in a process beside its own work, so that the clustering finds its kernels compiled.
"""

import numpy as np

from mining.agglomeration import agglomerate


def compile_kernels() -> None:
    """Compile what no cache holds yet: half a minute on the first call in an environment, one second later."""
    agglomerate(np.array([0, 1]), np.array([0, 0]), 1.0)


if __name__ == "__main__":
    compile_kernels()
