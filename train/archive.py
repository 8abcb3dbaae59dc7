"""What the positioned photos of one archive teach, in plain numpy: two linear heads, a kernel over the photos themselves, and a gate.

An answer is P = (1−g)·P_base + g·P_archive. P_base is the base bundle's own distribution, untouched. P_archive is over the
archive's cells: a linear head with targets smoothed over distance, learned over four nested divisions at once as in heads.py; one
by discriminant analysis, which needs few photos of a cell where the first needs many; and how similar the photo is to those of each
cell (Im2GPS's nearest neighbours, softened). g says how probable it is that
the photo is one of the archive at all: logistic in the photo's similarity to the archive and in how sure the base is, and shut below
the similarity that most photos from elsewhere do not reach: a base that is seldom sure would lose to an archive that is let in a
little. Photos that the base places better than the archive's cells teach it to stay shut, too (teach.py). So a photo from elsewhere,
which looks like nothing in the archive or which the base knows, keeps the base's answer.
"""

from dataclasses import dataclass

import numpy as np
import s2sphere

LENGTH = 30.0  # of an embedding, as in heads.py
TAU_KM = 10.0  # of the smoothed targets
LEVELS, SHARE = (7, 5, 3), 0.4  # coarser divisions, and the share of their logits
DROPOUT, RATE, DECAY, FLOOR = 0.5, 2e-3, 0.5, 0.05
EPOCHS, BATCH, MOST_STEPS = 80, 64, 4000
SOFTEN = 6.0  # of the first head's logits beside the others: with half of it fewer photos come within 25 km (`make draws`)
SHRUNK = 0.9  # of the discriminant's covariance: so much of it is that of a ball
FEW = 0.05  # of the discriminant's logits
KERNEL, KERNEL_WEIGHT = 0.1, 1.0  # of the cells' similarity, on centred unit embeddings
NEAR = 0.05  # of the gate's, on plain ones
MOST_PHOTOS = 10_000  # whose embeddings the kernel keeps; beyond, every so-many-th
WEAK = 0.01  # pull of the gate's weights towards 0
ALIKE = 0.25  # of the views of photos from elsewhere: so many look more like the archive than the limit under which the gate shuts
LEAN, STEEP = 1.25, 3.0  # how readily it opens above the limit, and how sharply it shuts below


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-6)


def softmax(z: np.ndarray) -> np.ndarray:
    z = np.exp(z - z.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


def log_mean_exp(z: np.ndarray) -> np.ndarray:
    top = z.max(1)
    return top + np.log(np.exp(z - top[:, None]).mean(1))


@dataclass
class Linear:
    """logits = unit embeddings · weight + bias."""

    weight: np.ndarray  # [width, cells]
    bias: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return unit(x) @ self.weight + self.bias


class Adam:
    """AdamW (Loshchilov and Hutter, 2019) with a cosine schedule. It changes the values in place, piece by piece of what fits into a
    processor's cache: the weights of thousands of cells do not, and most of the time went into carrying them about."""

    PIECE = 1 << 15  # values

    def __init__(self, values: list[np.ndarray], steps: int) -> None:
        self.values, self.steps, self.done = [v.reshape(-1) for v in values], steps, 0
        self.first, self.second = ([np.zeros_like(v) for v in self.values] for _ in range(2))
        self.spare = np.empty((2, self.PIECE), np.float32)

    def step(self, gradients: list[np.ndarray]) -> None:
        rate = float(RATE * 0.5 * (1 + np.cos(np.pi * self.done / self.steps)))
        self.done += 1
        a, b = 1 - 0.9**self.done, 1 - 0.999**self.done
        for whole in zip(self.values, gradients, self.first, self.second, strict=True):
            for start in range(0, len(whole[0]), self.PIECE):
                v, g, m, s = (part.reshape(-1)[start : start + self.PIECE] for part in whole)
                t, u = self.spare[:, : len(v)]
                np.subtract(g, m, out=t)
                t *= 0.1
                m += t
                np.multiply(g, g, out=t)
                t -= s
                t *= 0.001
                s += t
                np.divide(s, b, out=t)
                np.sqrt(t, out=t)
                t += 1e-8
                np.divide(m, a, out=u)
                u /= t
                np.multiply(v, DECAY, out=t)
                u += t
                u *= rate
                v -= u


def levels(lat: np.ndarray, lon: np.ndarray) -> list[np.ndarray]:
    """For each division, the row of it around each cell; the cells themselves first."""
    ids = [s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(float(a), float(o))) for a, o in zip(lat, lon, strict=True)]
    return [np.arange(len(ids))] + [np.unique([i.parent(level).id() for i in ids], return_inverse=True)[1] for level in LEVELS]


def learn_head(x: np.ndarray, km: np.ndarray, lat: np.ndarray, lon: np.ndarray, seed: int = 11) -> Linear:
    """x [photos, views, width] and km [photos, cells] to the cells at lat, lon: a random view of each photo in each epoch."""
    random, views = np.random.default_rng(seed), LENGTH * unit(x).astype(np.float32)
    flat = views.reshape(-1, x.shape[-1])
    mean, deviation = flat.mean(0), flat.std(0) + FLOOR
    target = softmax(-km / TAU_KM).astype(np.float32)
    around = levels(lat, lon)
    targets = [np.stack([target[:, a == g].sum(1) for g in range(a.max() + 1)], 1) for a in around]
    weights = [np.zeros((x.shape[-1], t.shape[1]), np.float32) for t in targets]
    biases = [np.zeros(t.shape[1], np.float32) for t in targets]
    steps = min(EPOCHS * -(-len(x) // BATCH), MOST_STEPS)
    adam, slopes = Adam(weights + biases, steps), [np.empty_like(w) for w in weights]
    rows = np.concatenate([random.permutation(len(x)) for _ in range(-(-steps * BATCH // len(x)) + 1)])
    for step in range(steps):
        batch = rows[step * BATCH : (step + 1) * BATCH]
        seen = (views[batch, random.integers(x.shape[1], size=len(batch))] - mean) / deviation
        seen *= (random.random(seen.shape, np.float32) >= DROPOUT) / np.float32(1 - DROPOUT)
        wrong = [(softmax(seen @ w + b) - t[batch]) / len(batch) for w, b, t in zip(weights, biases, targets, strict=True)]
        adam.step([np.matmul(seen.T, e, out=s) for e, s in zip(wrong, slopes, strict=True)] + [e.sum(0) for e in wrong])
    shares = [1.0] + [SHARE] * len(LEVELS)
    weight = sum(s * w[:, a] for s, w, a in zip(shares, weights, around, strict=True)) * LENGTH / deviation[:, None]
    bias = sum(s * b[a] for s, b, a in zip(shares, biases, around, strict=True))
    return Linear(weight, bias - (mean / LENGTH) @ weight)


def discriminant(x: np.ndarray, cell: np.ndarray, cells: int) -> Linear:
    """Linear discriminant analysis with a shrunken covariance (Friedman, 1989) of photos [n, width], each in a cell: how much likelier
    a photo is among those of each cell. How many these are counts for nothing, since the kernel counts them; a cell that has none
    (those of a fold may be the others') is nowhere likely."""
    u, full = unit(x).astype(np.float64), np.bincount(cell, minlength=cells) > 0
    middle = u.mean(0)
    u -= middle
    means = np.stack([u[cell == c].mean(0) if full[c] else np.zeros(u.shape[1]) for c in range(cells)])
    within, ball = u - means[cell], np.eye(u.shape[1]) * (u**2).mean()
    weight = np.linalg.solve((1 - SHRUNK) * within.T @ within / len(u) + SHRUNK * ball, means.T)
    bias = -middle @ weight - 0.5 * (means.T * weight).sum(0)
    return Linear(weight, np.where(full, bias, bias[full].min()))


def learn(x: np.ndarray, km: np.ndarray, lat: np.ndarray, lon: np.ndarray, cell: np.ndarray) -> Linear:
    """Both heads, as one; the second from the first view of each photo, its cells among those at lat, lon."""
    many, few = learn_head(x, km, lat, lon), discriminant(x[:, 0], cell, len(lat))
    return Linear(many.weight / SOFTEN + FEW * few.weight, many.bias / SOFTEN + FEW * few.bias)


@dataclass
class Bank:
    """Unit embeddings of the archive's photos, as float16 holds them, and the cell of each."""

    photos: np.ndarray  # [photos, width]
    cell: np.ndarray
    mean: np.ndarray

    @staticmethod
    def of(x: np.ndarray, cell: np.ndarray) -> "Bank":
        kept = slice(None, None, -(-len(x) // MOST_PHOTOS))
        photos = unit(x[kept]).astype(np.float16).astype(np.float32)
        return Bank(photos, cell[kept], photos.mean(0))

    def places(self, count: int) -> np.ndarray:
        """Where in the bank each of the photos it was made of is; −1 for those that were left out."""
        place = np.full(count, -1)
        place[:: -(-count // MOST_PHOTOS)] = np.arange(len(self.photos))
        return place

    def centred(self, x: np.ndarray) -> np.ndarray:
        """Cosines [n, photos] of what is left when the archive's mean is taken away."""
        return unit(unit(x) - self.mean) @ unit(self.photos - self.mean).T

    def scores(self, x: np.ndarray, cells: int) -> np.ndarray:
        """log Σ exp(cosine/KERNEL) over the photos of each cell, [n, cells]."""
        near = np.exp((self.centred(x) - 1) / KERNEL)
        return np.log(np.stack([near[:, self.cell == c].sum(1) for c in range(cells)], 1) + 1e-12)

    def near(self, x: np.ndarray, without: np.ndarray | None = None) -> np.ndarray:
        """How similar a photo is to the archive; `without` names the photo of the bank that each is itself."""
        cosine = (unit(x) @ self.photos.T - 1) / NEAR
        if without is not None:
            known = without >= 0
            cosine[np.flatnonzero(known), without[known]] = -1e3
        return log_mean_exp(cosine)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(z, -80, 80)))


@dataclass
class Gate:
    """g = σ(z + lean)·σ(STEEP·(z − limit)) with z = bias + near·similarity + sure·log(greatest probability of the base)."""

    bias: float
    near: float
    sure: float
    limit: float = -80.0  # of z
    lean: float = LEAN

    def logit(self, near: np.ndarray, log_sure: np.ndarray) -> np.ndarray:
        return self.bias + self.near * near + self.sure * log_sure

    def __call__(self, near: np.ndarray, sure: np.ndarray) -> np.ndarray:
        z = self.logit(near, np.log(sure))
        return sigmoid(z + self.lean) * sigmoid(STEEP * (z - self.limit))


def learn_gate(kinds: list[tuple[np.ndarray, float]], ours: np.ndarray) -> Gate:
    """Logistic regression by Newton's method on rows (similarity, log of the base's greatest probability): the first kind are photos
    of the archive, which is to answer each as far as `ours` says, 0 to 1; the others are not, and each kind has a weight. The second
    kind, photos from elsewhere, sets the limit."""
    x = np.concatenate([rows for rows, _ in kinds])
    y = np.r_[ours, np.zeros(len(x) - len(ours))]
    weight = np.concatenate([np.full(len(rows), w / max(len(rows), 1)) for rows, w in kinds])
    mean, deviation = x.mean(0), x.std(0) + 1e-9
    z = np.column_stack([np.ones(len(x)), (x - mean) / deviation])
    pull, v = np.array([0, 2 * WEAK, 2 * WEAK]), np.zeros(3)
    for _ in range(100):
        p = sigmoid(z @ v)
        v -= np.linalg.solve((z * (weight * p * (1 - p))[:, None]).T @ z + np.diag(pull + 1e-9), z.T @ (weight * (p - y)) + pull * v)
    near, sure = v[1:] / deviation
    gate = Gate(float(v[0] - mean @ (v[1:] / deviation)), float(max(near, 0)), float(min(sure, 0)))
    if len(kinds[1][0]):
        gate.limit = float(np.quantile(gate.logit(*kinds[1][0].T), 1 - ALIKE))
    return gate
