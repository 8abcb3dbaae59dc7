"""From what was fitted to a bundle: both graphs compared with PyTorch, cells with names, golden answers, manifest."""

from pathlib import Path

import torch

import album
import backbone
import cells as cell_module
import corpus as corpus_module
import export
import finetune
import fit
import golden
import measure
import parity
import pin
import square

BUCKETS = [1, 2, 4, 8, 16]


def photo_model(corpus: corpus_module.Corpus, fitted: fit.Fitted) -> backbone.PhotoModel:
    """Backbone, with its fine-tuned tail if there is one, and head."""
    net = finetune.with_tail(corpus.net, fitted.tail)
    return backbone.PhotoModel(net, fitted.head, fitted.temperature["single"], top_k(fitted)).eval()


def top_k(fitted: fit.Fitted) -> int:
    return min(backbone.TOP_K, len(fitted.cells))


def export_models(corpus: corpus_module.Corpus, fitted: fit.Fitted, out: Path, identity: str) -> None:
    """cnn.onnx and album.onnx, each compared with PyTorch before it counts as written."""
    photo = photo_model(corpus, fitted)
    graph = album.AlbumGraph(fitted.album, fitted.temperature["lstm_repeat"], top_k(fitted)).eval()
    export.rounded(photo)
    export.rounded(graph)
    properties = {"bundle": identity, "schema": 1, "cells": len(fitted.cells)}
    about = corpus.net.about
    export.to_onnx(photo, torch.zeros((2, about.size, about.size, 3), dtype=torch.uint8), out / "cnn.onnx",
                   ("pixels", ["embedding", "prob", "cell"]), {0: "n"}, properties | {"role": "cnn"})
    export.to_onnx(graph, torch.zeros((2, 3, about.width)), out / "album.onnx",
                   ("embeddings", ["prob", "cell"]), {0: "n", 1: "t"}, properties | {"role": "album"})
    for name, value in parity.report(corpus, fitted.embeddings, photo, graph, out, len(fitted.cells)).items():
        print(f"parity {name}: {value}")


def manifest(about: backbone.About, fitted: fit.Fitted, plan: fit.Plan, named: dict[str, str]) -> dict:
    """bundle.yaml but for its files; `named` holds name, version, licence and summary."""
    k = top_k(fitted)
    calibration = {
        mode: {"temperature": round(fitted.temperature[mode], 4), **fitted.calibration[mode]} for mode in measure.MODES
    }
    return {
        "schema": 1, **named, "head": "classes",
        "input": {"size": about.size, "crop": square.CROP, "colour": "rgb", "layout": "nhwc", "type": "uint8",
                  "resize": square.RESIZE},
        "cnn": {"file": "cnn.onnx", "input": "pixels", "embedding": "embedding", "prob": "prob", "cell": "cell",
                "width": about.width, "top_k": k, "buckets": BUCKETS},
        "album": {"file": "album.onnx", "input": "embeddings", "prob": "prob", "cell": "cell", "width": about.width, "top_k": k,
                  "modes": ["none", *measure.MODES[1:]], "default": fitted.default},
        "cells": {"file": "cells.parquet", "count": len(fitted.cells)},
        "calibration": calibration, "precision_cap_level": plan.level_cap, "golden": "golden/golden.json",
    }


def write(corpus: corpus_module.Corpus, fitted: fit.Fitted, plan: fit.Plan, out: Path, named: dict[str, str],
          pictures: list[tuple[str, object]]) -> None:
    """Every file of the bundle but the card; `pictures` are (name, path or drawn picture) of the golden answers."""
    out.mkdir(parents=True, exist_ok=True)
    export_models(corpus, fitted, out, f"{named['name']}@{named['version']}")
    places = cell_module.places([corpus.photos[i] for i in fitted.train], fitted.labels, len(fitted.cells))
    cell_module.write(out / "cells.parquet", fitted.cells, places)
    golden.write(out, pictures, corpus.net.about.size, fitted.cells)


def pinned(corpus: corpus_module.Corpus, fitted: fit.Fitted, plan: fit.Plan, out: Path, named: dict[str, str]) -> None:
    """bundle.yaml, after the card was written."""
    pin.write(out, manifest(corpus.net.about, fitted, plan, named))
