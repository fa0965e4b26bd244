"""A simulated search market in Chinese and English, with the truth that is planted in it."""

from mining.simulator.raw_files import FORMATS
from mining.simulator.simulate import simulate
from mining.simulator.sizes import SIZES

__all__ = ["FORMATS", "SIZES", "simulate"]
