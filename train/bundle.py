"""Makes bundles/demo from the shared data: `make bundle`. Every step is seeded; see README.md for the order and the times."""

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import torch

import album
import backbone
import card
import cells as cell_module
import corpus as corpus_module
import data
import export
import features
import fit
import golden
import parity
import pin
import splits

HERE = Path(__file__).resolve().parent
NAME, VERSION = "demo", "1.0.0"
SUMMARY = "small demonstration model: EfficientNet-Lite0 features, linear head over adaptive S2 cells, album LSTM"


def export_models(corpus: corpus_module.Corpus, fitted: fit.Fitted, out: Path) -> None:
    """cnn.onnx and album.onnx, each compared with PyTorch before it counts as written."""
    photo = backbone.PhotoModel(backbone.Backbone(), fitted.head, fitted.temperature["single"], backbone.TOP_K).eval()
    graph = album.AlbumGraph(fitted.album, fitted.temperature["lstm_repeat"], backbone.TOP_K).eval()
    export.rounded(photo)
    export.rounded(graph)
    properties = {"bundle": f"{NAME}@{VERSION}", "schema": 1, "cells": len(fitted.cells)}
    size = backbone.SIZE
    export.to_onnx(photo, torch.zeros((2, size, size, 3), dtype=torch.uint8), out / "cnn.onnx",
                   ("pixels", ["embedding", "prob", "cell"]), {0: "n"}, properties | {"role": "cnn"})
    export.to_onnx(graph, torch.zeros((2, 3, backbone.WIDTH)), out / "album.onnx",
                   ("embeddings", ["prob", "cell"]), {0: "n", 1: "t"}, properties | {"role": "album"})
    for name, value in parity.report(corpus, photo, graph, out, len(fitted.cells)).items():
        print(f"parity {name}: {value}")


def manifest(fitted: fit.Fitted, crop: float) -> dict:
    k, width = backbone.TOP_K, backbone.WIDTH
    calibration = {
        mode: {"temperature": round(fitted.temperature[mode], 4), **fitted.calibration[mode]} for mode in fit.MODES
    }
    return {
        "schema": 1, "name": NAME, "version": VERSION, "licence": "Apache-2.0", "summary": SUMMARY, "head": "classes",
        "input": {"size": backbone.SIZE, "crop": crop, "colour": "rgb", "layout": "nhwc", "type": "uint8",
                  "resize": "centre-crop bicubic antialiased"},
        "cnn": {"file": "cnn.onnx", "input": "pixels", "embedding": "embedding", "prob": "prob", "cell": "cell",
                "width": width, "top_k": k, "buckets": [1, 2, 4, 8, 16]},
        "album": {"file": "album.onnx", "input": "embeddings", "prob": "prob", "cell": "cell", "width": width, "top_k": k,
                  "modes": ["none", "average", "lstm", "lstm_repeat"], "default": fitted.default},
        "cells": {"file": "cells.parquet", "count": len(fitted.cells)},
        "calibration": calibration, "precision_cap_level": fit.Plan().level_cap, "golden": "golden/golden.json",
    }


def counts(corpus: corpus_module.Corpus) -> dict[str, int]:
    tally = Counter((p.kind, corpus.sides[p.id]) for p in corpus.photos)
    return {f"{kind}_{side}": tally[(kind, side)] for kind in ("travel", "landmark") for side in ("train", "val", "heldout", "dropped")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--out", type=Path, default=HERE.parent / "bundles/demo")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    corpus = corpus_module.load(args.data, args.work)
    for kind, name in (("travel", "photos"), ("landmark", "landmarks")):
        chosen = [p for p in corpus.photos if p.kind == kind]
        splits.write_heldout(HERE / f"splits/heldout_{name}.csv", chosen, corpus.sides)
    splits.write_gallery(HERE / "splits/gallery.csv", corpus.photos, corpus.sides)
    plan = fit.Plan()
    fitted = fit.fit(corpus, plan)
    print(json.dumps({"validation": fitted.validation, "temperature": fitted.temperature, "default": fitted.default}, indent=1))
    export_models(corpus, fitted, args.out)
    named = cell_module.places([corpus.photos[i] for i in fitted.train], fitted.labels, len(fitted.cells))
    cell_module.write(args.out / "cells.parquet", fitted.cells, named)
    crop = features.CROPS[plan.crop]
    golden.write(args.out, HERE.parent / "pipeline/demo/photos", crop)
    facts = counts(corpus) | {"cells": len(fitted.cells), "spacing_km": round(fitted.cells.spacing()), "crop": crop}
    card.write(args.out, facts | {"plan": asdict(plan)}, fitted)
    pin.write(args.out, manifest(fitted, crop))


if __name__ == "__main__":
    main()
