"""Compares settings on the validation photos (never on the held-out ones): `make tune`.

A run of the head takes seconds on cached embeddings. Prints one line per setting; the chosen values are the defaults of
HeadSettings and of bundle.py.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import cells as cell_module
import corpus as corpus_module
import data
import heads
from score import distance_km, figures


def line(name: str, corpus, cells, prob: np.ndarray, rows: list[int]) -> str:
    best = prob.argmax(1)
    photos = [corpus.photos[i] for i in rows]
    error = distance_km([p.lat for p in photos], [p.lon for p in photos], cells.lat[best], cells.lon[best])
    text = f"{name:44s}"
    for kind in ("travel", "landmark"):
        chosen = np.array([p.kind == kind for p in photos])
        f = figures(error[chosen])
        text += f" | {kind} " + " ".join(f"{100 * f[f'within_{t}km']:5.1f}" for t in (25, 200, 750, 2500))
        text += f" med {f['median_km']:6.0f} gs {f['geoscore']:5.0f}"
    return text


def trial(corpus, cut: tuple[int, int, int], crop: int, settings: heads.HeadSettings):
    """Cells, head and validation probabilities of one setting."""
    rows, val = corpus.rows("train"), corpus.rows("val")
    cells, labels = cell_module.build([corpus.photos[i] for i in rows], *cut)
    kept = [i for i, label in zip(rows, labels, strict=True) if label >= 0]
    photos = [corpus.photos[i] for i in kept]
    distances = cells.distances(np.array([p.lat for p in photos]), np.array([p.lon for p in photos]))
    weight = heads.photo_weights(labels[labels >= 0], cells.photos, settings.class_power)
    views = [crop, *range(2, corpus.embeddings.shape[1])]
    outliers = corpus.screens[: corpus_module.SCREENS_TRAIN].reshape(-1, corpus.screens.shape[-1])
    head = heads.train_head(corpus.embeddings[kept][:, views], heads.smoothed(distances, settings.tau_km), weight, outliers,
                            cells.photos / cells.photos.sum(), settings)
    logits = head(torch.from_numpy(corpus.embeddings[val, crop])).numpy()
    return cells, head, logits, val


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work")
    args = parser.parse_args()
    torch.set_num_threads(1)
    corpus = corpus_module.load(args.data, args.work)
    base, cut = heads.HeadSettings(), (50, 3, 12)
    grid = [("base", cut, 0, base), ("crop 0.875", cut, 1, base)]
    grid += [(f"cells {c}", c, 0, base) for c in ((30, 3, 12), (50, 5, 12), (100, 5, 12), (50, 3, 10))]
    grid += [(f"tau {t}", cut, 0, replace(base, tau_km=t)) for t in (0, 20, 150, 300)]
    grid += [(f"weight decay {w}", cut, 0, replace(base, weight_decay=w)) for w in (0.5, 2.0)]
    grid += [(f"class power {c}", cut, 0, replace(base, class_power=c)) for c in (0.0, 1.0)]
    grid += [(f"epochs {e}", cut, 0, replace(base, epochs=e)) for e in (25, 120)]
    grid += [("dropout 0.6", cut, 0, replace(base, dropout=0.6))]
    for name, where, crop, settings in grid:
        cells, _, logits, val = trial(corpus, where, crop, settings)
        print(line(f"{name} ({len(cells)} cells, {cells.spacing():.0f} km)", corpus, cells, heads.softmax(logits), val), flush=True)


if __name__ == "__main__":
    main()
