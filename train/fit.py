"""Fits everything that is learned: cells, head, album model, temperatures, radius tables. No held-out photo takes part.

What calibrates was answered by a model that did not learn from it: the photos of the training side are dealt into FOLDS
folds, by album, neighbourhood, source and landmark (`folds`), and each fold is answered by a head of the others.
"""

import sys
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch

import album as album_module
import cells as cell_module
import finetune
import heads
import measure
import store
from calibrate import Promise
from corpus import LEARNING, Corpus
from splits import TRAIN, VAL, groups, lot

FOLDS = 3
NEVER_SEEN = 1 / 3  # of the landmarks with a single source: their fold's head has not learned the place at all


@dataclass(frozen=True)
class Plan:
    """The choices made on validation photos (tune.py)."""

    split_above: int = 50
    keep_from: int = 3
    level_cap: int = 12
    head: heads.HeadSettings = field(default_factory=heads.HeadSettings)
    tune: finetune.TuneSettings = field(default_factory=finetune.TuneSettings)
    album: album_module.AlbumSettings = field(default_factory=album_module.AlbumSettings)
    promise: Promise = field(default_factory=Promise)


@dataclass(frozen=True)
class Fitted:
    cells: cell_module.Cells
    labels: np.ndarray  # of the training photos, −1 in dropped cells
    train: list[int]
    head: heads.Head
    tail: dict | None  # weights of the fine-tuned blocks
    embeddings: np.ndarray  # [photos, views, width] of the backbone as it is shipped
    album: album_module.AlbumModel
    temperature: dict[str, float]
    calibration: dict[str, dict]
    validation: dict[str, dict]
    default: str


def targets(corpus: Corpus, cells: cell_module.Cells, tau_km: float) -> np.ndarray:
    return heads.smoothed(cells.distances(*corpus.positions(range(len(corpus.photos)))), tau_km)


def divide(corpus: Corpus, plan: Plan, rows: list[int]):
    """(cells of these photos, their labels)"""
    return cell_module.build([corpus.photos[i] for i in rows], plan.split_above, plan.keep_from, plan.level_cap)


def weights(corpus: Corpus, plan: Plan, cells: cell_module.Cells, rows, labels: np.ndarray) -> np.ndarray:
    travel = np.array([corpus.photos[i].kind == "travel" for i in rows])
    return heads.photo_weights(labels, cells.photos, travel, plan.head)


def lesson(corpus: Corpus, plan: Plan, cells: cell_module.Cells, kept: list[int], labels: np.ndarray) -> heads.Lesson:
    """Targets over the cells and over the coarser divisions of the same photos."""
    photos, (lat, lon) = [corpus.photos[i] for i in kept], corpus.positions(kept)
    levels = []
    for times in (1, *plan.head.coarser):
        level = cells if times == 1 else cell_module.build(photos, times * plan.split_above, plan.keep_from, plan.level_cap)[0]
        tau = plan.head.tau_share * level.spacing()
        around = level.find(cells.first_leaves())
        levels.append(heads.Level(heads.smoothed(level.distances(lat, lon), tau),
                                  np.where(around >= 0, around, level.distances(cells.lat, cells.lon).argmin(1))))
    return heads.Lesson(tuple(levels), weights(corpus, plan, cells, kept, labels), cells.photos / cells.photos.sum())


def learn(corpus: Corpus, plan: Plan, cells: cell_module.Cells, rows: list[int], labels: np.ndarray,
          nowhere: list[int]) -> tuple[heads.Head, dict | None]:
    """The head, and the fine-tuned tail where the plan wants one, from the photos `rows` that lie in a cell and the
    pictures `nowhere`."""
    kept, inside = [row for row, label in zip(rows, labels, strict=True) if label >= 0], labels[labels >= 0]
    taught = lesson(corpus, plan, cells, kept, inside)
    strange = corpus.nowhere.embeddings[nowhere]
    learner = heads.train_head(corpus.seen.embeddings[kept], taught, strange.reshape(-1, strange.shape[-1]), plan.head)
    if not plan.tune.epochs:
        return learner.folded(), None
    learner, tail = finetune.tune(corpus.net, corpus.seen.trunks, kept, corpus.nowhere.trunks[nowhere], learner, plan.tune)
    return learner.folded(), tail


def folds(corpus: Corpus, rows: list[int]) -> np.ndarray:
    """A fold for each training photo.

    Photos of one album or neighbourhood share it. Landmark photos are dealt by source where a place has several, so that
    the fold shows a known place in another source's photos; a third of the other places is dealt as a whole, so that the
    fold shows places never seen; the rest one by one.
    """
    sources = {}
    for i in rows:
        sources.setdefault(corpus.photos[i].group, set()).add(corpus.photos[i].source)

    def unit(p) -> str:
        if len(sources[p.group]) > 1:
            return f"{p.group} by {p.source}"
        return p.group if lot(f"unseen {p.group}") < NEVER_SEEN else p.id

    fold = np.array([int(lot(f"fold {unit(corpus.photos[i])}") * FOLDS) for i in rows])
    travel = [k for k, i in enumerate(rows) if corpus.photos[i].kind == "travel"]
    for members in groups([corpus.photos[rows[k]] for k in travel]):
        first = min(corpus.photos[rows[travel[m]]].id for m in members)
        fold[[travel[m] for m in members]] = int(lot(f"fold {first}") * FOLDS)
    return fold


def kind_folds(corpus: Corpus) -> np.ndarray:
    """A fold for each picture taken nowhere, by what drew it: the fold's head has seen nothing drawn that way. Screenshots
    are in none (−1): the next photo library is full of just these."""
    kinds = sorted(set(corpus.kinds))
    return np.array([-1 if kind == "screenshot" else kinds.index(kind) % FOLDS for kind in corpus.kinds])


def unseen_logits(corpus: Corpus, plan: Plan, cells, labels: np.ndarray, rows: list[int], step) -> tuple[np.ndarray, np.ndarray]:
    """Logits [photos, views, cells] of the training photos, and [pictures, cells] of the pictures taken nowhere, from heads
    that learned neither the photo nor the kind of picture; others stay 0.

    step(name, make) keeps what each fold's head answered.
    """
    out = np.zeros((len(corpus.photos), min(finetune.VIEWS, corpus.seen.embeddings.shape[1]), len(cells)), np.float32)
    strange = np.zeros((len(corpus.kinds), len(cells)), np.float32)
    fold, kinds = folds(corpus, rows), kind_folds(corpus)
    for f in range(FOLDS):
        mine = [row for row, own in zip(rows, fold == f, strict=True) if own]
        others = [row for row, own in zip(rows, fold == f, strict=True) if not own]
        known = [i for i in range(corpus.taught) if kinds[i] != f]
        unknown = list(np.flatnonzero(kinds == f))

        def answered(others=others, mine=mine, known=known, unknown=unknown, f=f) -> tuple[np.ndarray, np.ndarray]:
            head, tail = learn(corpus, plan, cells, others, labels[fold != f], known)
            logits = [head(torch.from_numpy(finetune.embed(corpus.net, seen, tail, some))).numpy()
                      for seen, some in ((corpus.seen, mine), (corpus.nowhere, unknown))]
            return logits[0], logits[1][:, 0]

        if mine:
            out[mine], strange[unknown] = step(f"fold {f + 1} of {FOLDS}", answered)
    return out, strange


def kept_steps(work: store.Store, corpus: Corpus, plan: Plan):
    """A step(name, make) for fit whose results outlive the run, under everything they depend on."""
    inputs = [corpus.seen.embeddings, corpus.nowhere.embeddings, corpus.taught, [asdict(p) for p in corpus.photos], corpus.sides,
              replace(plan, promise=Promise()), cell_module, heads, finetune, album_module, sys.modules[__name__]]
    return lambda name, make: work.step(name.replace(" ", "-"), inputs, make)


def fit(corpus: Corpus, plan: Plan, step=lambda name, make: make()) -> Fitted:
    """Everything, with step(name, make) around what takes long."""
    rows = corpus.rows(*LEARNING)
    cells, labels = divide(corpus, plan, rows)
    head, tail = step("head", lambda: learn(corpus, plan, cells, rows, labels, list(range(corpus.taught))))
    unseen, strange = unseen_logits(corpus, plan, cells, labels, rows, step)
    embeddings = finetune.embed(corpus.net, corpus.seen, tail, range(len(corpus.photos)))
    alone = heads.fit_temperature(unseen[rows, 0], nearest(corpus, cells)[rows], np.ones(len(rows)))
    teach, hold = album_rows(corpus, rows)
    model = step("album model", lambda: fit_album(corpus, plan, cells, teach, head, embeddings, unseen, alone))
    screens = [i for i in range(corpus.taught, len(corpus.kinds)) if corpus.kinds[i] == "screenshot"]
    strange[screens] = head(torch.from_numpy(finetune.embed(corpus.net, corpus.nowhere, tail, screens)[:, 0])).numpy()
    answered = strange[(kind_folds(corpus) >= 0) | np.isin(np.arange(len(strange)), screens)]
    answers = measure.Answers(rows, hold, unseen[:, 0], embeddings[:, 0], answered, alone, tail is None)
    return Fitted(cells, labels, rows, head, tail, embeddings, model, *measure.measure(corpus, plan, cells, model, answers))


def album_rows(corpus: Corpus, rows: list[int]) -> tuple[list[int], list[int]]:
    """Photos whose albums teach the album model, and those whose albums calibrate it: another side, or else another fold."""
    if corpus.rows(VAL):
        return corpus.rows(TRAIN), corpus.rows(VAL)
    fold = folds(corpus, rows)
    return [r for r, f in zip(rows, fold, strict=True) if f], [r for r, f in zip(rows, fold, strict=True) if not f]


def fit_album(corpus: Corpus, plan: Plan, cells, rows: list[int], head: heads.Head, embeddings: np.ndarray, unseen: np.ndarray,
              alone: float) -> album_module.AlbumModel:
    labels = cells.find(cell_module.leaf_ids([corpus.photos[i] for i in rows]))
    weight = np.zeros(len(corpus.photos), np.float32)  # photos in dropped cells stay in their albums, but teach nothing
    kept = [row for row, label in zip(rows, labels, strict=True) if label >= 0]
    weight[kept] = weights(corpus, plan, cells, kept, labels[labels >= 0])
    albums = album_module.real_albums(corpus.photos, rows) * 5
    albums += album_module.synthetic_albums(corpus.photos, rows, plan.album.synthetic, plan.album, plan.album.seed)
    target = targets(corpus, cells, plan.head.tau_share * cells.spacing())
    return album_module.train_album(albums, embeddings, unseen, target, weight, head, alone, plan.album)


def nearest(corpus: Corpus, cells: cell_module.Cells) -> np.ndarray:
    """The true class of every photo as a distribution: all on the nearest cell."""
    return targets(corpus, cells, 0.0)
