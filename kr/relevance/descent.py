"""Minimising a smooth convex function of many numbers: L-BFGS (Nocedal 1980) with backtracking.

scipy's spends, on these sparse regressions, ten times as long in its own bookkeeping as in the function.
"""

from collections.abc import Callable

import numpy as np

from indexes.arrays import Array

MEMORY = 8
SUFFICIENT_DECREASE = 1e-4
LEAST_GAIN = 1e-7
MOST_HALVINGS = 20


def minimise(function: Callable[[Array], tuple[float, Array]], start: Array, iterations: int) -> Array:
    """Where the function, which gives its value and gradient, is smallest, as near as so many steps come."""
    point = start
    value, gradient = function(point)
    steps: list[tuple[Array, Array, float]] = []
    for _ in range(iterations):
        direction = _direction(gradient, steps)
        slope = float(gradient @ direction)
        if slope >= 0:
            break
        size = 1.0 if steps else min(1.0, 1.0 / float(np.abs(gradient).sum()))
        for _ in range(MOST_HALVINGS):
            next_point = point + size * direction
            next_value, next_gradient = function(next_point)
            if next_value <= value + SUFFICIENT_DECREASE * size * slope:
                break
            size /= 2
        else:
            break
        moved, changed = next_point - point, next_gradient - gradient
        curvature = float(moved @ changed)
        if curvature > 0:
            steps = [*steps[-MEMORY + 1 :], (moved, changed, 1 / curvature)]
        gained = value - next_value
        point, value, gradient = next_point, next_value, next_gradient
        if gained < LEAST_GAIN * abs(value):
            break
    return point


def _direction(gradient: Array, steps: list[tuple[Array, Array, float]]) -> Array:
    """The two-loop recursion: minus the approximate inverse Hessian times the gradient."""
    direction = -gradient
    weights = []
    for moved, changed, inverse in reversed(steps):
        weight = inverse * float(moved @ direction)
        weights.append(weight)
        direction = direction - weight * changed
    if steps:
        moved, changed, inverse = steps[-1]
        direction = direction / (inverse * float(changed @ changed))
    for (moved, changed, inverse), weight in zip(steps, reversed(weights), strict=True):
        direction = direction + (weight - inverse * float(changed @ direction)) * moved
    return direction
