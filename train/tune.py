"""Compares settings on photos that the head did not learn from (never on the held-out ones): `make tune`.

The training side is dealt into folds as for calibration (fit.folds) and every fold is answered by a head of the others: some
3,700 answers a line, where the validation photos alone are 330. A line takes a minute on cached features; `--backbone` and
`--fine-tune` compare other networks, whose features are made first. Columns: % within 25, 200, 750 and 2500 km and GeoScore,
for travel photos, for landmark photos, and for those of landmarks that the other folds show in other sources' photos only.
The chosen values are the defaults of fit.Plan, heads.HeadSettings and album.AlbumSettings.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import backbone
import corpus as corpus_module
import data
import fit
import heads
import store
from score import distance_km, figures


def columns(errors: np.ndarray) -> str:
    f = figures(errors)
    return " ".join(f"{100 * f[f'within_{t}km']:5.1f}" for t in (25, 200, 750, 2500)) + f" {f['geoscore']:5.0f}"


def kinds(corpus, rows: list[int]) -> dict[str, np.ndarray]:
    photos, sources = [corpus.photos[i] for i in rows], {}
    for p in photos:
        sources.setdefault((p.kind, p.group), set()).add(p.source)
    travel = np.array([p.kind == "travel" for p in photos])
    several = np.array([len(sources[p.kind, p.group]) > 1 for p in photos])
    return {"travel": travel, "landmarks": ~travel, "other sources": ~travel & several}


def line(name: str, corpus, cells, prob: np.ndarray, rows: list[int]) -> str:
    best = prob.argmax(1)
    error = distance_km(*corpus.positions(rows), cells.lat[best], cells.lon[best])
    return f"{name:34s}" + "".join(f" | {kind} {columns(error[chosen])}" for kind, chosen in kinds(corpus, rows).items())


def neighbours(corpus, cells, rows: list[int]) -> np.ndarray:
    """The nearest photo of the other folds, as a distribution: the baseline."""
    x = corpus.seen.embeddings[rows, 0]
    unit, fold = x / np.linalg.norm(x, axis=1, keepdims=True), fit.folds(corpus, rows)
    cosine = np.where(fold[:, None] == fold[None], -1.0, unit @ unit.T)
    return fit.nearest(corpus, cells)[rows][cosine.argmax(1)]


def settings(plan: fit.Plan, epochs: int) -> list[tuple[str, fit.Plan]]:
    plan = replace(plan, tune=replace(plan.tune, epochs=epochs))
    grid = [("base", plan)]
    if epochs:
        return grid
    grid += [(f"split above {n}", replace(plan, split_above=n)) for n in (30, 100)]
    grid += [(f"keep from {n}", replace(plan, keep_from=n)) for n in (1, 8)]
    changes = {
        "coarser": ((), (6,), (3, 10, 30)), "coarse_share": (0.2, 1.0), "tau_share": (0.2, 0.7), "weight_decay": (0.2, 1.0),
        "class_power": (0.3,), "epochs": (20, 80), "dropout": (0.3, 0.6), "travel_weight": (1.0, 5.0), "outlier_weight": (0.0, 2.0),
    }
    for key, values in changes.items():
        grid += [(f"{key} {v}", replace(plan, head=replace(plan.head, **{key: v}))) for v in values]
    return grid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work")
    parser.add_argument("--backbone", default="lite0")
    parser.add_argument("--fine-tune", type=int, default=0, metavar="EPOCHS", help="of the last blocks, in each fold: some minutes")
    args = parser.parse_args()
    torch.set_num_threads(1)
    corpus = corpus_module.demo(args.data, store.Store(args.work), backbone.load(args.backbone), trunk=args.fine_tune > 0)
    rows = corpus.rows(*corpus_module.LEARNING)
    for name, plan in settings(fit.Plan(), args.fine_tune):
        cells, labels = fit.divide(corpus, plan, rows)
        if name == "base":
            print(line("prior", corpus, cells, np.tile(cells.photos, (len(rows), 1)), rows))
            print(line("nearest neighbour", corpus, cells, neighbours(corpus, cells, rows), rows))
        unseen, _ = fit.unseen_logits(corpus, plan, cells, labels, rows, lambda _, make: make())
        print(line(f"{name} ({len(cells)} cells)", corpus, cells, heads.softmax(unseen[rows, 0]), rows), flush=True)


if __name__ == "__main__":
    main()
