"""95 % intervals of means over whole units, and how many photos a difference would need to be seen.

Not photos are drawn but units (albums; a photo without one is alone), as `planetag eval` does (docs/evaluation.md): photos of
one album resemble each other.
"""

import math
from dataclasses import dataclass

import numpy as np

DRAWS, SEED = 4000, 23
SIDES, POWER = 1.96, 0.84  # standard errors: of a 95 % interval, and for four samples of five to show a difference


@dataclass(frozen=True)
class Mean:
    """A mean, its interval and its standard error."""

    middle: float
    low: float
    high: float
    error: float

    def text(self, sign: str = "") -> str:
        return f"{self.middle:{sign}.1f} [{self.low:{sign}.1f}, {self.high:{sign}.1f}]"


def mean(values: np.ndarray, units, weight: np.ndarray | None = None) -> Mean:
    """Of one value for each photo; units name what is drawn, a weight is how much a photo counts."""
    weight = np.ones(len(values)) if weight is None else weight
    _, unit = np.unique(np.asarray(units), return_inverse=True)
    sums, counts = np.bincount(unit, values * weight), np.bincount(unit, weight)
    drawn = np.random.default_rng(SEED).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=DRAWS)
    total = drawn @ counts
    means = (drawn @ sums)[total > 0] / total[total > 0]
    low, high = np.quantile(means, [0.025, 0.975])
    return Mean(float(sums.sum() / counts.sum()), float(low), float(high), float(means.std()))


def photos_to_see(difference: Mean, photos: int) -> float:
    """How many photos like these four of five samples need for the interval of this paired difference to leave out zero."""
    return needed(photos, (SIDES + POWER) * difference.error, difference.middle)


def photos_apart(ours: Mean, theirs: Mean, photos: int) -> float:
    """How many photos like these the intervals of the two means need not to touch."""
    return needed(photos, SIDES * (ours.error + theirs.error), ours.middle - theirs.middle)


def needed(photos: int, spread: float, gain: float) -> float:
    return photos * (spread / gain) ** 2 if gain > 0 else math.inf
