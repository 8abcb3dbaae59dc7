"""ONNX Runtime against PyTorch, on real photos' pixels and embeddings, at several batch sizes and album lengths."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

import square
from corpus import Corpus
from graphs import cosine, session, top_difference

BATCHES = (1, 2, 7)
LENGTHS = (1, 2, 25, 50)
COSINE, PROB = 0.9999, 1e-3


def compare_photos(pixels: np.ndarray, model: torch.nn.Module, path: Path, cells: int) -> dict[str, float]:
    """Lowest cosine of the embeddings and largest difference of a probability; raises when outside the limits."""
    with torch.no_grad():
        ours = [t.numpy() for t in model(torch.from_numpy(pixels))]
    theirs = session(path).run(["embedding", "prob", "cell"], {"pixels": pixels})
    return checked(path.name, cosine(ours[0], theirs[0]), top_difference(ours[1:], theirs[1:], cells))


def compare_album(sequences: np.ndarray, model: torch.nn.Module, path: Path, cells: int) -> dict[str, float]:
    """The same for embeddings [N,T,W], with the padding of the batch as it is (the LSTM is causal)."""
    with torch.no_grad():
        ours = [t.numpy() for t in model(torch.from_numpy(sequences))]
    theirs = session(path).run(["prob", "cell"], {"embeddings": sequences})
    return checked(path.name, 1.0, top_difference(ours, theirs, cells))


def checked(name: str, least_cosine: float, most_prob: float) -> dict[str, float]:
    if not (least_cosine >= COSINE and most_prob <= PROB):
        raise ValueError(f"{name} differs from PyTorch: cosine {least_cosine:.6f}, probability {most_prob:.6f}")
    return {"cosine": round(least_cosine, 7), "prob": float(f"{most_prob:.2g}")}


def report(corpus: Corpus, embeddings: np.ndarray, photo: torch.nn.Module, album: torch.nn.Module, out: Path,
           cells: int) -> dict[str, dict]:
    """Every comparison by name; lstm_repeat is an album read twice."""
    found = {}
    for n in BATCHES:
        pixels = np.stack([square.pixels(Image.open(p.path), square.CROP, corpus.net.about.size) for p in corpus.photos[:n]])
        found[f"photos {n}"] = compare_photos(pixels, photo, out / "cnn.onnx", cells)
    for n in BATCHES:
        for t in LENGTHS:
            once = np.resize(embeddings[:, 0], (n, t, embeddings.shape[-1]))
            found[f"albums {n} of {t}"] = compare_album(once, album, out / "album.onnx", cells)
            twice = np.concatenate([once, once], axis=1)
            found[f"albums {n} of {t} read twice"] = compare_album(twice, album, out / "album.onnx", cells)
    return found
