"""The linear head on frozen embeddings, its smoothed targets, and the temperature.

Targets: PIGEON's haversine smoothing (Haas et al., 2023), exp(−(d−d_min)/τ) over the cells, normalised. Outlier exposure
(Hendrycks et al., 2019) with drawn screenshots, whose target is the plain distribution of training photos over the cells.
Temperature scaling: Guo et al., 2017.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class HeadSettings:
    """What validation chose; see the sweep in tune.py."""

    tau_km: float = 150.0
    weight_decay: float = 0.5
    learning_rate: float = 2e-3
    epochs: int = 40
    batch: int = 256
    dropout: float = 0.5
    class_power: float = 0.5
    travel_weight: float = 8.0  # of a travel photo; a landmark photo counts 1
    outlier_weight: float = 1.0
    seed: int = 11


class Head(nn.Module):
    """embedding [.., W] → logits [.., cells]; the standardisation of the embedding is folded into the weights."""

    def __init__(self, width: int, cells: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, cells)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


def smoothed(distances_km: np.ndarray, tau_km: float) -> np.ndarray:
    """Targets [photos, cells] from distances to the cells; τ = 0 gives the nearest cell alone."""
    gap = distances_km - distances_km.min(1, keepdims=True)
    weight = np.exp(-gap / tau_km) if tau_km > 0 else (gap == 0).astype(np.float64)
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)


def photo_weights(labels: np.ndarray, photos: np.ndarray, travel: np.ndarray, settings: HeadSettings) -> np.ndarray:
    """Photos of crowded cells count less (n^−class_power), travel photos more; mean 1 over the photos."""
    weight = photos[labels] ** -settings.class_power * np.where(travel, settings.travel_weight, 1.0)
    return (weight / weight.mean()).astype(np.float32)


def train_head(x: np.ndarray, target: np.ndarray, weight: np.ndarray, outliers: np.ndarray, prior: np.ndarray,
               settings: HeadSettings) -> Head:
    """x [photos, views, width]; a random view of each photo in each epoch; outliers [pictures, width]."""
    torch.manual_seed(settings.seed)
    mean, deviation = x.reshape(-1, x.shape[-1]).mean(0), x.reshape(-1, x.shape[-1]).std(0) + 0.05
    views, targets, weights = (torch.from_numpy(a) for a in ((x - mean) / deviation, target, weight))
    others, spread = torch.from_numpy((outliers - mean) / deviation), torch.from_numpy(prior.astype(np.float32))
    net = nn.Linear(x.shape[-1], target.shape[1])
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    steps = settings.epochs * -(-len(views) // settings.batch)
    optimiser = torch.optim.AdamW(net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(settings.epochs):
        for rows in torch.randperm(len(views)).split(settings.batch):
            inputs = views[rows, torch.randint(views.shape[1], (len(rows),))]
            logits = net(nn.functional.dropout(inputs, settings.dropout))
            loss = (nn.functional.cross_entropy(logits, targets[rows], reduction="none") * weights[rows]).mean()
            screens = others[torch.randint(len(others), (settings.batch // 4,))]
            loss = loss + settings.outlier_weight * nn.functional.cross_entropy(
                net(nn.functional.dropout(screens, settings.dropout)), spread.expand(len(screens), -1))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return folded(net, mean, deviation)


def folded(net: nn.Linear, mean: np.ndarray, deviation: np.ndarray) -> Head:
    """The same function on raw embeddings: w·(x−m)/s + b = (w/s)·x + (b − (w/s)·m)."""
    head = Head(net.in_features, net.out_features)
    with torch.no_grad():
        weight = net.weight / torch.from_numpy(deviation)
        head.linear.weight.copy_(weight)
        head.linear.bias.copy_(net.bias - weight @ torch.from_numpy(mean))
    return head.eval().requires_grad_(False)


def fit_temperature(logits: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """The temperature with the lowest weighted cross-entropy against the (smoothed) targets of validation photos."""
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
