"""The demo bundle against what is simpler, on the held-out photos, with intervals: `make compare`.

Rows: always the cell with most photos; the position of the training photo whose frozen features are nearest; a plain linear head
on frozen features over the same cells, from the same photos; the bundle, one photo at a time. Shares within 25, 750 and 2500 km
and GeoScore, each with its 95 % bootstrap interval over photos, and what the bundle gains over the row, photo by photo.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import backbone
import bundle as demo
import corpus as corpus_module
import data
import features
import fit
import nowhere
import store
from score import CLOSENESS_KM, distance_km

HERE = Path(__file__).resolve().parent
SCORES = {
    "≤25 km": lambda e: 100.0 * (e <= 25), "≤750 km": lambda e: 100.0 * (e <= 750), "≤2500 km": lambda e: 100.0 * (e <= 2500),
    "score": lambda e: 5000 * np.exp(-e / CLOSENESS_KM),
}
DRAWS, SEED = 4000, 23


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """The mean and its 95 % bootstrap interval."""
    drawn = np.random.default_rng(SEED).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(values[drawn].mean(1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def table(errors: dict[str, np.ndarray]) -> str:
    """Rows of figures, then of what the last row gains over each of the others."""
    best, ours = list(errors.items())[-1]
    lines = [f"{'':26s}" + "".join(f" {name:>22s}" for name in SCORES)]
    for name, e in errors.items():
        cells = ["{:.1f} [{:.1f}, {:.1f}]".format(*interval(score(e))) for score in SCORES.values()]
        lines.append(f"{name:26s}" + "".join(f" {cell:>22s}" for cell in cells))
    for name, e in list(errors.items())[:-1]:
        cells = ["{:+.1f} [{:+.1f}, {:+.1f}]".format(*interval(score(ours) - score(e))) for score in SCORES.values()]
        lines.append(f"{f'{best} − {name}'[:26]:26s}" + "".join(f" {cell:>22s}" for cell in cells))
    return "\n".join(lines)


def frozen_head(corpus, plan: fit.Plan, cells, rows: list[int], labels: np.ndarray):
    plain = replace(plan, tune=replace(plan.tune, epochs=0), head=replace(plan.head, coarser=()))
    return fit.learn(corpus, plain, cells, rows, labels, list(range(corpus.taught)))[0]


def errors_of(corpus, chosen: list[int], found: nowhere.Bundle, cells, rows: list[int], head) -> dict[str, np.ndarray]:
    lat, lon = corpus.positions(chosen)
    seen = corpus.seen.embeddings[chosen, 0]
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (seen, corpus.seen.embeddings[rows, 0])]
    nearest = np.array(rows)[(unit[0] @ unit[1].T).argmax(1)]
    plain = head(torch.from_numpy(seen)).numpy().argmax(1)
    ours = np.array([found.best(Image.open(corpus.photos[i].path)) for i in chosen])
    busiest = int(cells.photos.argmax())
    return {
        "prior": distance_km(lat, lon, cells.lat[busiest], cells.lon[busiest]),
        "nearest neighbour": distance_km(lat, lon, *corpus.positions(nearest)),
        "linear, frozen features": distance_km(lat, lon, cells.lat[plain], cells.lon[plain]),
        "bundle": distance_km(lat, lon, found.lat[ours], found.lon[ours]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan = fit.Plan()
    work = store.Store(args.work)
    corpus = corpus_module.demo(args.data, work, backbone.load(demo.BACKBONE), trunk=plan.tune.epochs > 0, extra=features.AUGMENTED)
    rows = corpus.rows(*corpus_module.LEARNING)
    cells, labels = fit.divide(corpus, plan, rows)
    head = frozen_head(corpus, plan, cells, rows, labels)
    found = nowhere.Bundle(args.bundle)
    for kind, name in (("travel", "travel photos"), ("landmark", "famous places")):
        chosen = [i for i in corpus.rows("heldout") if corpus.photos[i].kind == kind]
        print(f"{len(chosen)} held-out {name}\n{table(errors_of(corpus, chosen, found, cells, rows, head))}\n")


if __name__ == "__main__":
    main()
