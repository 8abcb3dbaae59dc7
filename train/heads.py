"""The linear head on frozen embeddings, its smoothed targets, and the temperature.

Targets: PIGEON's haversine smoothing (Haas et al., 2023), exp(−(d−d_min)/τ) over the cells, normalised, with τ a share of the
spacing of the cells. The head learns the same photos over several nested divisions of the earth at once, and a cell's logit
is the sum of its own and a share of those of the coarser cells around it: all of it is linear, so that one layer is shipped.
Outlier exposure (Hendrycks et al., 2019) with drawn pictures, whose target is the plain distribution of training photos over
the cells. Temperature scaling: Guo et al., 2017.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import accelerator

LENGTH = 30.0  # of an embedding, about what it is anyway


@dataclass(frozen=True)
class HeadSettings:
    """What validation chose; see the sweep in tune.py."""

    tau_share: float = 0.35  # τ ÷ median distance of a cell to the nearest other
    coarser: tuple[int, ...] = (3, 10)  # further divisions, split above so many times the photos of the finest
    coarse_share: float = 0.4  # of a coarser cell's logit in that of each finest cell inside
    weight_decay: float = 0.5
    learning_rate: float = 2e-3
    epochs: int = 40
    batch: int = 256
    dropout: float = 0.5
    class_power: float = 0.5
    travel_weight: float = 2.0  # of a travel photo; a landmark photo counts 1
    outlier_weight: float = 1.0
    seed: int = 11


@dataclass(frozen=True)
class Level:
    """One division of the earth as the photos' targets [photos, its cells], and the row of it around each of the finest cells."""

    target: np.ndarray
    around: np.ndarray


@dataclass(frozen=True)
class Lesson:
    """What is to be learned from some photos, the finest level first."""

    levels: tuple[Level, ...]
    weight: np.ndarray  # [photos]
    prior: np.ndarray  # [finest cells]


def unit(x: torch.Tensor) -> torch.Tensor:
    """Embeddings of one length: how strongly a picture excites the network tells its contrast, not its place."""
    return LENGTH * x / x.norm(dim=-1, keepdim=True).clamp(min=1e-6)


class Head(nn.Module):
    """embedding [.., W] → logits [.., cells]; the standardisation of the unit embedding is folded into the weights."""

    def __init__(self, width: int, cells: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, cells)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(unit(x))


def smoothed(distances_km: np.ndarray, tau_km: float) -> np.ndarray:
    """Targets [photos, cells] from distances to the cells; τ = 0 gives the nearest cell alone."""
    gap = distances_km - distances_km.min(1, keepdims=True)
    weight = np.exp(-gap / tau_km) if tau_km > 0 else (gap == 0).astype(np.float64)
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)


def photo_weights(labels: np.ndarray, photos: np.ndarray, travel: np.ndarray, settings: HeadSettings) -> np.ndarray:
    """Photos of crowded cells count less (n^−class_power), travel photos more; mean 1 over the photos."""
    weight = photos[labels] ** -settings.class_power * np.where(travel, settings.travel_weight, 1.0)
    return (weight / weight.mean()).astype(np.float32)


class Learner(nn.Module):
    """The linear layers of all levels, on standardised embeddings."""

    def __init__(self, x: np.ndarray, lesson: Lesson, settings: HeadSettings) -> None:
        super().__init__()
        torch.manual_seed(settings.seed)
        self.settings, self.lesson = settings, lesson
        flat = unit(torch.from_numpy(x)).flatten(0, -2)
        self.register_buffer("mean", flat.mean(0))
        self.register_buffer("deviation", flat.std(0, unbiased=False) + 0.05)
        self.layers = nn.ModuleList(nn.Linear(x.shape[-1], level.target.shape[1]) for level in lesson.levels)
        for layer in self.layers:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        for i, level in enumerate(lesson.levels):
            self.register_buffer(f"target{i}", torch.from_numpy(level.target))
            self.register_buffer(f"around{i}", torch.from_numpy(level.around))
        self.register_buffer("weight", torch.from_numpy(lesson.weight))
        self.register_buffer("prior", torch.from_numpy(lesson.prior.astype(np.float32)))

    def dropped(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(self.standard(x), self.settings.dropout)

    def standard(self, x: torch.Tensor) -> torch.Tensor:
        return (unit(x) - self.mean) / self.deviation

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """What the folded head answers."""
        return self.finest(self.standard(x))

    def loss(self, x: torch.Tensor, rows: torch.Tensor, nowhere: torch.Tensor) -> torch.Tensor:
        """Of embeddings of the photos `rows` and of pictures taken nowhere."""
        x, nowhere = self.dropped(x), self.dropped(nowhere)
        total = torch.zeros((), device=x.device)
        for layer, target in zip(self.layers, self.each("target"), strict=True):
            total = total + (nn.functional.cross_entropy(layer(x), target[rows], reduction="none") * self.weight[rows]).mean()
        spread = self.prior.expand(len(nowhere), -1)
        return total + self.settings.outlier_weight * nn.functional.cross_entropy(self.finest(nowhere), spread)

    def finest(self, x: torch.Tensor) -> torch.Tensor:
        """Logits over the finest cells: their own and a share of those around them, added up."""
        return sum(share * layer(x)[..., around] for share, layer, around in self.parts())

    def parts(self):
        shares = [1.0] + [self.settings.coarse_share] * (len(self.layers) - 1)
        return zip(shares, self.layers, self.each("around"), strict=True)

    def each(self, name: str) -> list[torch.Tensor]:
        """The tensor of this name of each level."""
        return [self.get_buffer(f"{name}{i}") for i in range(len(self.layers))]

    def folded(self) -> Head:
        """One layer on unit embeddings: w·(x−m)/s + b = (w/s)·x + (b − (w/s)·m), summed over the levels."""
        head = Head(len(self.mean), len(self.prior))
        with torch.no_grad():
            weight = sum(share * layer.weight[around] for share, layer, around in self.parts()) / self.deviation
            bias = sum(share * layer.bias[around] for share, layer, around in self.parts())
            head.linear.weight.copy_(weight)
            head.linear.bias.copy_(bias - weight @ self.mean)
        return head.eval().requires_grad_(False)


def train_head(x: np.ndarray, lesson: Lesson, nowhere: np.ndarray, settings: HeadSettings) -> Learner:
    """x [photos, views, width], a random view of each photo in each epoch; nowhere [pictures, width]."""
    learner = Learner(x, lesson, settings).to(accelerator.device())
    views, others = accelerator.tensor(x), accelerator.tensor(nowhere)
    steps = settings.epochs * -(-len(views) // settings.batch)
    optimiser = torch.optim.AdamW(learner.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(settings.epochs):
        for rows in torch.randperm(len(views)).split(settings.batch):
            inputs = views[rows, torch.randint(views.shape[1], (len(rows),))]
            loss = learner.loss(inputs, rows, others[torch.randint(len(others), (settings.batch // 4,))])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return learner.cpu()


def fit_temperature(logits: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """The temperature with the lowest weighted cross-entropy against the true cells of photos the head did not learn from."""
    grid = np.exp(np.linspace(np.log(0.5), np.log(6), 120))

    def loss(t: float) -> float:
        z = logits / t
        z = z - z.max(1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
        return float((-(target * log_p).sum(1) * weight).sum() / weight.sum())

    return float(min(grid, key=loss))


def softmax(logits: np.ndarray) -> np.ndarray:
    z = np.exp(logits - logits.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)
