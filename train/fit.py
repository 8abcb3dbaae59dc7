"""Fits everything that is learned: cells, head, album model, temperatures, radius tables. No held-out photo takes part."""

from dataclasses import dataclass

import numpy as np
import torch

import album as album_module
import calibrate
import cells as cell_module
import heads
from backbone import TOP_K
from corpus import SCREENS_TRAIN, Corpus
from score import distance_km, figures

MODES = ("single", "average", "lstm", "lstm_repeat")


@dataclass(frozen=True)
class Plan:
    """The choices made on validation photos (tune.py)."""

    split_above: int = 50
    keep_from: int = 3
    level_cap: int = 12
    crop: int = 0  # index into features.CROPS
    head: heads.HeadSettings = heads.HeadSettings()
    album: album_module.AlbumSettings = album_module.AlbumSettings()


@dataclass(frozen=True)
class Fitted:
    cells: cell_module.Cells
    labels: np.ndarray  # of the training photos, −1 in dropped cells
    train: list[int]
    head: heads.Head
    album: album_module.AlbumModel
    temperature: dict[str, float]
    calibration: dict[str, dict]
    validation: dict[str, dict]
    default: str


def top_only(prob: np.ndarray, k: int = TOP_K) -> np.ndarray:
    """A distribution with all but the k most probable cells set to 0: what the graphs hand over."""
    floor = np.sort(prob, axis=-1)[..., -min(k, prob.shape[-1])][..., None]
    return np.where(prob >= floor, prob, 0)


def targets(corpus: Corpus, cells: cell_module.Cells, tau_km: float) -> np.ndarray:
    lat, lon = np.array([p.lat for p in corpus.photos]), np.array([p.lon for p in corpus.photos])
    return heads.smoothed(cells.distances(lat, lon), tau_km)


def fit_head(corpus: Corpus, plan: Plan):
    """(cells, labels of the training photos, training rows, head)"""
    rows = corpus.rows("train")
    cells, labels = cell_module.build([corpus.photos[i] for i in rows], plan.split_above, plan.keep_from, plan.level_cap)
    kept = [i for i, label in zip(rows, labels, strict=True) if label >= 0]
    weight = heads.photo_weights(labels[labels >= 0], cells.photos, plan.head.class_power)
    views = [plan.crop, *range(2, corpus.embeddings.shape[1])]
    outliers = corpus.screens[:SCREENS_TRAIN].reshape(-1, corpus.screens.shape[-1])
    head = heads.train_head(corpus.embeddings[kept][:, views], targets(corpus, cells, plan.head.tau_km)[kept], weight,
                            outliers, cells.photos / cells.photos.sum(), plan.head)
    return cells, labels, rows, head


def fit_album(corpus: Corpus, plan: Plan, cells: cell_module.Cells, head: heads.Head) -> album_module.AlbumModel:
    rows = corpus.rows("train")
    albums = album_module.real_albums(corpus.photos, rows) * 5
    albums += album_module.synthetic_albums(corpus.photos, rows, plan.album.synthetic, plan.album, plan.album.seed)
    views = [plan.crop, *range(2, corpus.embeddings.shape[1])]
    target = targets(corpus, cells, plan.head.tau_km)
    return album_module.train_album(albums, corpus.embeddings[:, views], target, head, plan.album)


def validation_albums(corpus: Corpus, plan: Plan) -> tuple[list[list[int]], np.ndarray]:
    """Real and synthetic albums of validation photos, and a weight per album: both kinds count the same by photos."""
    rows = corpus.rows("val")
    real = album_module.real_albums(corpus.photos, rows)
    made = album_module.synthetic_albums(corpus.photos, rows, 60, plan.album, plan.album.seed + 1)
    share = sum(map(len, made)) / sum(map(len, real))
    return real + made, np.array([share] * len(real) + [1.0] * len(made))


def judge(corpus: Corpus, cells: cell_module.Cells, rows: np.ndarray, prob: np.ndarray, weight: np.ndarray,
          screens: np.ndarray) -> tuple[dict, dict]:
    """(calibration, figures) of probabilities [n, cells] for the photos `rows`."""
    best, confidence = prob.argmax(1), prob.max(1)
    photos = [corpus.photos[i] for i in rows]
    error = distance_km([p.lat for p in photos], [p.lon for p in photos], cells.lat[best], cells.lon[best])
    table = {
        "radius": calibrate.radius_table(confidence, error, weight),
        "abstain_below": calibrate.abstain_below(confidence, error, weight, screens),
    }
    weighted = figures(error) | {"gain": float((np.exp(-error / 1492.7) * weight).sum() / weight.sum())}
    return table, weighted | {"answered": float((confidence >= table["abstain_below"]).mean())}


def fit(corpus: Corpus, plan: Plan) -> Fitted:
    cells, labels, train, head = fit_head(corpus, plan)
    model = fit_album(corpus, plan, cells, head)
    target = targets(corpus, cells, plan.head.tau_km)
    x = corpus.embeddings[:, plan.crop]
    val = np.array(corpus.rows("val"))
    weight = corpus.weights(list(val))
    logits = head(torch.from_numpy(x)).numpy()
    screens = corpus.screens[SCREENS_TRAIN:, plan.crop]
    temperature = {"single": heads.fit_temperature(logits[val], target[val], weight)}
    prob = {"single": heads.softmax(logits[val] / temperature["single"])}
    refused = heads.softmax(head(torch.from_numpy(screens)).numpy() / temperature["single"]).max(1)
    albums, album_weight = validation_albums(corpus, plan)
    flat, flat_weight = np.concatenate(albums), np.repeat(album_weight, [len(a) for a in albums])
    dense = top_only(heads.softmax(logits / temperature["single"]))
    prob["average"] = np.concatenate([np.repeat(dense[a].mean(0, keepdims=True), len(a), 0) for a in albums])
    once = np.concatenate(album_module.album_logits(model, albums, x, twice=False))
    twice = np.concatenate(album_module.album_logits(model, albums, x, twice=True))
    # One graph serves both readings, so they share one temperature, fitted on the one that is published.
    shared = heads.fit_temperature(twice, target[flat], flat_weight)
    temperature |= {"average": temperature["single"], "lstm": shared, "lstm_repeat": shared}
    prob["lstm"], prob["lstm_repeat"] = heads.softmax(once / shared), heads.softmax(twice / shared)
    judged = {"single": judge(corpus, cells, val, prob["single"], weight, refused)}
    for mode in MODES[1:]:
        judged[mode] = judge(corpus, cells, flat, prob[mode], flat_weight, refused)
    default = max(MODES[1:], key=lambda mode: judged[mode][1]["gain"])
    return Fitted(cells, labels, train, head, model, temperature, {m: j[0] for m, j in judged.items()},
                  {m: j[1] for m, j in judged.items()}, default)
