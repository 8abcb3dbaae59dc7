"""The album model: a forward LSTM that corrects what single photos say, and the albums it learns from.

PlaNet (section 4) runs an LSTM over the photos' embeddings in capture order. With few albums a bare LSTM forgets what the
head knows, so this one starts from averaging: with p = softmax(head(x)/T), logits = a·log p_t + b·log mean_{s≤t} p_s +
W·LSTM(Px)_t. Before training (W = 0, a = 0, b = 1) its second reading is the mode `average`; training adds the correction.
Reading the album twice ([x;x], answers from the second reading) lets early photos profit from later ones.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import accelerator
from data import Photo
from heads import Head
from score import distance_km


@dataclass(frozen=True)
class AlbumSettings:
    """What validation chose; lengths are those of synthetic albums."""

    projection: int = 96
    units: int = 128
    dropout: float = 0.4
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    epochs: int = 20
    synthetic: int = 1500
    lengths: tuple[int, int] = (2, 12)
    walk_km: float = 60.0
    stranger: float = 0.08
    blend: tuple[float, float] = (0.0, 1.0)  # a and b at the start
    batch: int = 32
    seed: int = 17


class AlbumModel(nn.Module):
    """embeddings [N,T,W] in capture order → logits [N,T,cells]; causal, so padding at the end is harmless."""

    def __init__(self, head: Head, temperature: float, settings: AlbumSettings) -> None:
        super().__init__()
        self.temperature = temperature
        width, cells = head.linear.in_features, head.linear.out_features
        self.head = Head(width, cells)
        self.head.load_state_dict(head.state_dict())
        self.head.requires_grad_(False)
        self.project = nn.Linear(width, settings.projection)
        self.lstm = nn.LSTM(settings.projection, settings.units, batch_first=True)
        self.out = nn.Linear(settings.units, cells)
        self.drop = nn.Dropout(settings.dropout)
        self.blend = nn.Parameter(torch.tensor(settings.blend))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.combine(x, self.head(x))

    def combine(self, x: torch.Tensor, single: torch.Tensor) -> torch.Tensor:
        """The answer from the embeddings and what the head says about each photo alone."""
        steps = torch.cumsum(torch.ones_like(x[:, :, :1]), dim=1)
        alone = torch.log_softmax(single / self.temperature, dim=2)
        so_far = torch.log(torch.cumsum(alone.exp(), dim=1) / steps + 1e-9)
        states, _ = self.lstm(torch.tanh(self.project(self.drop(x))))
        return self.blend[0] * alone + self.blend[1] * so_far + self.out(self.drop(states))


class AlbumGraph(nn.Module):
    """What is exported: embeddings → prob [N,T,K] descending, cell [N,T,K]."""

    def __init__(self, model: AlbumModel, temperature: float, top_k: int) -> None:
        super().__init__()
        self.model, self.temperature, self.top_k = model, temperature, top_k

    def forward(self, embeddings: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        top = torch.topk(torch.softmax(self.model(embeddings) / self.temperature, dim=2), self.top_k, dim=2)
        return top.values, top.indices


def real_albums(photos: list[Photo], rows: list[int], least: int = 2) -> list[list[int]]:
    """Rows of photos with one album id, in capture order."""
    found = defaultdict(list)
    for i in rows:
        if photos[i].album:
            found[photos[i].album].append(i)
    ordered = [sorted(a, key=lambda i: (photos[i].taken_at, photos[i].id)) for a in found.values()]
    return [a for a in ordered if len(a) >= least]


def synthetic_albums(photos: list[Photo], rows: list[int], count: int, settings: AlbumSettings, seed: int) -> list[list[int]]:
    """Random walks over nearby photos, with a stranger from anywhere now and then: albums that nobody took."""
    rng = np.random.default_rng(seed)
    pool = np.array(rows)
    if len(pool) < 2:
        return []
    lat, lon = np.array([photos[i].lat for i in rows]), np.array([photos[i].lon for i in rows])
    albums = []
    for _ in range(count):
        here, album = int(rng.integers(len(pool))), []
        reach = settings.walk_km * float(rng.choice([0.1, 1.0, 5.0]))
        for _ in range(int(rng.integers(settings.lengths[0], settings.lengths[1] + 1))):
            if album and rng.random() < settings.stranger:
                album.append(int(pool[rng.integers(len(pool))]))
                continue
            near = np.exp(-distance_km(lat[here], lon[here], lat, lon) / reach) * ~np.isin(pool, album)
            if near.sum() < 1e-9:
                break
            here = int(rng.choice(len(pool), p=near / near.sum()))
            album.append(int(pool[here]))
        if len(album) > 1:
            albums.append(album)
    return albums


def padded(albums: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rows [N,T] (0 in the padding) and the mask of real steps."""
    longest = max(map(len, albums))
    rows = np.zeros((len(albums), longest), np.int64)
    mask = np.zeros((len(albums), longest), bool)
    for i, album in enumerate(albums):
        rows[i, : len(album)], mask[i, : len(album)] = album, True
    return rows, mask


def train_album(albums: list[list[int]], x: np.ndarray, single: np.ndarray, target: np.ndarray,
                weight: np.ndarray, head: Head, temperature: float, settings: AlbumSettings) -> AlbumModel:
    """x [photos, views, width], single [photos, views, cells] target [photos, cells] and weight
    [photos] of all photos the albums name.

    `single` are logits of heads that did not learn from the photo: the head itself knows its training photos by heart, and an
    album model that learned from such answers would trust it too much. Each batch is read once or twice over.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    model = AlbumModel(head, temperature, settings).train().to(accelerator.device())
    learn = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learn, settings.learning_rate, weight_decay=settings.weight_decay)
    steps = max(settings.epochs * -(-len(albums) // settings.batch), 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(settings.epochs):
        order = rng.permutation(len(albums))
        for start in range(0, len(order), settings.batch):
            twice = rng.random() < 0.5
            batch = [albums[i] * (2 if twice else 1) for i in order[start : start + settings.batch]]
            rows, mask = padded(batch)
            view = rng.integers(x.shape[1], size=rows.shape)
            logits = model.combine(accelerator.tensor(x[rows, view]), accelerator.tensor(single[rows, view]))
            loss = nn.functional.cross_entropy(logits[mask], accelerator.tensor(target[rows[mask]]), reduction="none")
            loss = (loss * accelerator.tensor(weight[rows[mask]])).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learn, 1.0)
            optimiser.step()
            schedule.step()
    return model.cpu().eval().requires_grad_(False)
