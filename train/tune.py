"""Compares settings on the validation photos (never on the held-out ones): `make tune`.

A run of the head takes half a minute on cached embeddings. Prints one line per setting, with the prior (always the cell with
most photos) first; the chosen values are the defaults of Plan, HeadSettings and AlbumSettings. Columns: % within 25, 200, 750
and 2500 km, median in km, GeoScore.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import corpus as corpus_module
import data
import fit
import heads
from album import AlbumSettings
from score import distance_km, figures


def columns(corpus, cells, prob: np.ndarray, rows, chosen: np.ndarray) -> str:
    best = prob.argmax(1)
    lat, lon = (np.array([getattr(corpus.photos[i], k) for i in rows]) for k in ("lat", "lon"))
    f = figures(distance_km(lat, lon, cells.lat[best], cells.lon[best])[chosen])
    shares = " ".join(f"{100 * f[f'within_{t}km']:5.1f}" for t in (25, 200, 750, 2500))
    return f"{shares} {f['median_km']:6.0f} {f['geoscore']:5.0f}"


def line(name: str, corpus, cells, prob: np.ndarray, rows) -> str:
    kinds = np.array([corpus.photos[i].kind for i in rows])
    return f"{name:40s}" + "".join(f" | {k} {columns(corpus, cells, prob, rows, kinds == k)}" for k in ("travel", "landmark"))


def tune_head(corpus) -> None:
    plan, base = fit.Plan(), heads.HeadSettings()
    grid = [("base", plan), ("crop 0.875", replace(plan, crop=1))]
    grid += [(f"split above {n}", replace(plan, split_above=n)) for n in (30, 100)]
    grid += [(f"keep from {n}", replace(plan, keep_from=n)) for n in (5, 8)]
    changes = {
        "tau_km": (0, 20, 150, 300), "weight_decay": (0.5, 2.0), "class_power": (0.0, 1.0), "epochs": (15, 60),
        "dropout": (0.6,), "travel_weight": (1.0, 8.0, 20.0), "outlier_weight": (0.0, 1.0),
    }
    for key, values in changes.items():
        grid += [(f"{key} {v}", replace(plan, head=replace(base, **{key: v}))) for v in values]
    val = corpus.rows("val")
    for name, setting in grid:
        cells, _, _, head = fit.fit_head(corpus, setting)
        if name == "base":
            print(line("prior", corpus, cells, np.tile(cells.photos, (len(val), 1)), val))
        logits = head(torch.from_numpy(corpus.embeddings[val, setting.crop])).numpy()
        print(line(f"{name} ({len(cells)} cells)", corpus, cells, logits, val), flush=True)


def tune_album(corpus) -> None:
    plan, base = fit.Plan(), AlbumSettings()
    fitted = fit.fit_head(corpus, plan)
    single = fit.unseen_logits(corpus, plan, fitted)
    grid = [("base", base)]
    changes = {"epochs": (0, 8, 40), "learning_rate": (3e-4, 3e-3), "dropout": (0.2, 0.6), "blend": ((0.1, 0.9),)}
    for key, values in changes.items():
        grid += [(f"{key} {v}", replace(base, **{key: v})) for v in values]
    for name, settings in grid:
        setting = replace(plan, album=settings)
        measured = fit.measure(corpus, setting, fitted, fit.fit_album(corpus, setting, fitted, single))
        for mode, f in measured.validation.items():
            if name == "base" or mode.startswith("lstm"):
                shares = " ".join(f"{100 * f[f'within_{t}km']:5.1f}" for t in (25, 200, 750, 2500))
                blend = " ".join(f"{v:.2f}" for v in measured.album.blend.tolist())
                print(f"{name:24s} {mode:12s} {shares} gain {f['gain']:.4f} real {f['real_gain']:.4f} "
                      f"T {measured.temperature[mode]:.2f} blend {blend}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work")
    parser.add_argument("--only", choices=["head", "album"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    corpus = corpus_module.load(args.data, args.work)
    if args.only != "album":
        tune_head(corpus)
    if args.only != "head":
        tune_album(corpus)


if __name__ == "__main__":
    main()
