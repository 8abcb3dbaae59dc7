"""What an archive teaches without a recipe: the row that `make draws` judges the recipe by.

PlaNet's cells of the positioned photos alone, logistic regression on frozen features as they come, the most probable cell's mean
location; for an album, the mean of its photos' probabilities. Nothing of the base, no smoothing, no similarity, no gate, no other
views. What it is given is kind to it: cells as fine as were best for it on the archives that it was tried on, and beside them the
recipe's own.
"""

from types import SimpleNamespace

import numpy as np
from scipy.optimize import minimize

import cells as cell_module
from archive import softmax
from cells import Cells
from division import Division

SPLIT_ABOVE, KEEP_FROM = 3, 1  # photos; of 2 to 50, cells over 10 photos lose to these
PULL = 1.0  # of the weights towards 0: of 0.3 to 30 the best, by little
STEPS = 300


def planet(known, level_cap: int) -> tuple[Cells, np.ndarray]:
    """The adaptive cells of the photos, and the cell of each."""
    places = [SimpleNamespace(id=row["id"], lat=lat, lon=lon) for row, lat, lon in zip(known.rows, known.lat, known.lon, strict=True)]
    return cell_module.build(places, SPLIT_ABOVE, KEEP_FROM, level_cap)


def recipes(parts: Division) -> tuple[Cells, np.ndarray]:
    """The recipe's cells that hold photos of the archive, and the cell of each."""
    return Cells([parts.cells.rows[k] for k in parts.archive]), np.searchsorted(parts.archive, parts.label)


def learn_head(x: np.ndarray, label: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [width, classes] and biases with the least Σ cross-entropy + PULL/2·|weights|². The weights of the minimum are sums of
    the photos' features, so that it is enough to look for how much of each photo is in each class."""
    alike, target = x @ x.T, np.eye(classes)[label]

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        of, bias = values[:-classes].reshape(len(x), classes), values[-classes:]
        scores = alike @ of
        prob = softmax(scores + bias)
        slope = prob - target
        cost = -np.log(prob[np.arange(len(x)), label] + 1e-300).sum() + PULL / 2 * (of * scores).sum()
        return cost, np.r_[(alike @ (slope + PULL * of)).ravel(), slope.sum(0)]

    found = minimize(loss, np.zeros((len(x) + 1) * classes), jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    return x.T @ found[:-classes].reshape(len(x), classes), found[-classes:]


def answers(known, hidden, cells: Cells, label: np.ndarray) -> np.ndarray:
    """Probabilities [hidden photos, cells] by a head that learned the known ones."""
    x = known.x[:, 0].astype(np.float64)
    weight, bias = learn_head(x, label, len(cells))
    return softmax(hidden.x[:, 0] @ weight + bias)
