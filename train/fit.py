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
from splits import groups, lot

FOLDS = 3
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
    return cells, labels, rows, learn_head(corpus, plan, cells, labels, rows, labels >= 0)


def weights(corpus: Corpus, plan: Plan, cells: cell_module.Cells, rows: list[int], labels: np.ndarray) -> np.ndarray:
    travel = np.array([corpus.photos[i].kind == "travel" for i in rows])
    return heads.photo_weights(labels, cells.photos, travel, plan.head)


def learn_head(corpus: Corpus, plan: Plan, cells: cell_module.Cells, labels: np.ndarray, rows: list[int],
               chosen: np.ndarray) -> heads.Head:
    """The head from the training photos that are chosen and lie in a cell."""
    chosen = chosen & (labels >= 0)
    kept = [row for row, use in zip(rows, chosen, strict=True) if use]
    weight = weights(corpus, plan, cells, kept, labels[chosen])
    views = [plan.crop, *range(2, corpus.embeddings.shape[1])]
    outliers = corpus.screens[:SCREENS_TRAIN].reshape(-1, corpus.screens.shape[-1])
    return heads.train_head(corpus.embeddings[kept][:, views], targets(corpus, cells, plan.head.tau_km)[kept], weight,
                            outliers, cells.photos / cells.photos.sum(), plan.head)


def folds(corpus: Corpus, rows: list[int]) -> np.ndarray:
    """A fold for each training photo: photos of one album or neighbourhood share it, landmark photos are dealt one by one."""
    fold = np.array([int(lot(corpus.photos[i].id) * FOLDS) for i in rows])
    for members in groups([corpus.photos[i] for i in rows if corpus.photos[i].kind == "travel"]):
        fold[members] = fold[members[0]]  # travel photos come first in every list of rows
    return fold


def unseen_logits(corpus: Corpus, plan: Plan, fitted) -> np.ndarray:
    """Logits [photos, views, cells] of the training photos from heads that did not learn from them; others stay 0."""
    cells, labels, rows, _ = fitted
    views = [plan.crop, *range(2, corpus.embeddings.shape[1])]
    out = np.zeros((len(corpus.photos), len(views), len(cells)), np.float32)
    fold = folds(corpus, rows)
    for f in range(FOLDS):
        head = learn_head(corpus, plan, cells, labels, rows, fold != f)
        mine = [row for row, own in zip(rows, fold == f, strict=True) if own]
        out[mine] = head(torch.from_numpy(corpus.embeddings[mine][:, views])).numpy()
    return out


def alone_temperature(corpus: Corpus, plan: Plan, fitted) -> float:
    """The temperature of the head for one photo, from the validation photos."""
    cells, _, _, head = fitted
    val = corpus.rows("val")
    logits = head(torch.from_numpy(corpus.embeddings[val, plan.crop])).numpy()
    return heads.fit_temperature(logits, nearest(corpus, cells)[val], corpus.weights(val))


def fit_album(corpus: Corpus, plan: Plan, fitted, single: np.ndarray) -> album_module.AlbumModel:
    cells, labels, rows, head = fitted
    weight = np.zeros(len(corpus.photos), np.float32)  # photos in dropped cells stay in their albums, but teach nothing
    kept = [row for row, label in zip(rows, labels, strict=True) if label >= 0]
    weight[kept] = weights(corpus, plan, cells, kept, labels[labels >= 0])
    albums = album_module.real_albums(corpus.photos, rows) * 5
    albums += album_module.synthetic_albums(corpus.photos, rows, plan.album.synthetic, plan.album, plan.album.seed)
    views = [plan.crop, *range(2, corpus.embeddings.shape[1])]
    target = targets(corpus, cells, plan.head.tau_km)
    return album_module.train_album(albums, corpus.embeddings[:, views], single, target, weight, head,
                                    alone_temperature(corpus, plan, fitted), plan.album)


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
    closeness, real = np.exp(-error / 1492.7), weight == weight[0]  # real albums come first
    weighted = figures(error) | {"gain": float((closeness * weight).sum() / weight.sum()), "real_gain": float(closeness[real].mean())}
    answered = confidence >= table["abstain_below"]
    worth = float((closeness * answered * weight).sum() / weight.sum())
    return table, weighted | {"answered": float(answered.mean()), "worth": worth}


def cautious(tables: dict[str, dict]) -> None:
    """No album row promises a smaller radius than the best row of single photos: the albums behind it are mostly synthetic."""
    best = tables["single"]["radius"][-1]
    for mode in MODES[1:]:
        for row in tables[mode]["radius"]:
            row["p50_m"], row["p90_m"] = max(row["p50_m"], best["p50_m"]), max(row["p90_m"], best["p90_m"])
        tables[mode]["radius"] = calibrate.monotone(tables[mode]["radius"])


def nearest(corpus: Corpus, cells: cell_module.Cells) -> np.ndarray:
    """The true class of every photo as a distribution: all on the nearest cell."""
    return targets(corpus, cells, 0.0)


def fit(corpus: Corpus, plan: Plan) -> Fitted:
    fitted = fit_head(corpus, plan)
    model = fit_album(corpus, plan, fitted, unseen_logits(corpus, plan, fitted))
    return measure(corpus, plan, fitted, model)


def measure(corpus: Corpus, plan: Plan, fitted, model: album_module.AlbumModel) -> Fitted:
    """Temperatures and calibration of every mode on the validation photos, and the mode that does best there."""
    cells, labels, train, head = fitted
    truth, x = nearest(corpus, cells), corpus.embeddings[:, plan.crop]
    val = np.array(corpus.rows("val"))
    weight = corpus.weights(list(val))
    logits = head(torch.from_numpy(x)).numpy()
    alone = alone_temperature(corpus, plan, fitted)
    screens = heads.softmax(head(torch.from_numpy(corpus.screens[SCREENS_TRAIN:, plan.crop])).numpy() / alone).max(1)
    albums, album_weight = validation_albums(corpus, plan)
    flat, flat_weight = np.concatenate(albums), np.repeat(album_weight, [len(a) for a in albums])
    dense = top_only(heads.softmax(logits / alone))
    once = np.concatenate(album_module.album_logits(model, albums, x, twice=False))
    twice = np.concatenate(album_module.album_logits(model, albums, x, twice=True))
    # One graph serves both readings, so they share one temperature, fitted on both together.
    shared = heads.fit_temperature(np.concatenate([once, twice]), truth[np.tile(flat, 2)], np.tile(flat_weight, 2))
    prob = {
        "average": np.concatenate([np.repeat(dense[a].mean(0, keepdims=True), len(a), 0) for a in albums]),
        "lstm": heads.softmax(once / shared), "lstm_repeat": heads.softmax(twice / shared),
    }
    judged = {"single": judge(corpus, cells, val, heads.softmax(logits[val] / alone), weight, screens)}
    judged |= {mode: judge(corpus, cells, flat, prob[mode], flat_weight, screens) for mode in MODES[1:]}
    # What counts is what gets published: closeness to the truth, with nothing for a photo that is not answered.
    default = max(MODES[1:], key=lambda mode: judged[mode][1]["worth"])
    tables = {m: j[0] for m, j in judged.items()}
    cautious(tables)
    temperature = {"single": alone, "average": alone, "lstm": shared, "lstm_repeat": shared}
    return Fitted(cells, labels, train, head, model, temperature, tables,
                  {m: j[1] for m, j in judged.items()}, default)
