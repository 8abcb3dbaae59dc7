"""Embeddings of every photo, once, through the exported backbone, so that heads train on what is shipped."""

import hashlib
import random
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps

import backbone
from export import session, to_onnx

CROPS = (1.0, 0.875)
AUGMENTED = 4


def pixels(image: Image.Image, crop: float, size: int = backbone.SIZE) -> np.ndarray:
    """The centre square with side crop × the shorter side, resized to size × size: the geometry the worker uses."""
    upright = ImageOps.exif_transpose(image).convert("RGB")
    side = crop * min(upright.size)
    left, top = (upright.width - side) / 2, (upright.height - side) / 2
    return np.asarray(upright.resize((size, size), Image.BICUBIC, box=(left, top, left + side, top + side)))


def augmented(image: Image.Image, rng: random.Random, size: int = backbone.SIZE) -> np.ndarray:
    """A random square of 65–100 % of the shorter side, anywhere in the photo, mirrored half of the time."""
    upright = ImageOps.exif_transpose(image).convert("RGB")
    side = rng.uniform(0.65, 1.0) * min(upright.size)
    left, top = rng.uniform(0, upright.width - side), rng.uniform(0, upright.height - side)
    square = upright.resize((size, size), Image.BICUBIC, box=(left, top, left + side, top + side))
    return np.asarray(ImageOps.mirror(square) if rng.random() < 0.5 else square)


def views(image: Image.Image, seed: str, extra: int = AUGMENTED) -> np.ndarray:
    """uint8 [len(CROPS)+extra, S, S, 3]: the centre views, then the random ones of this seed."""
    rng = random.Random(seed)
    return np.stack([pixels(image, c) for c in CROPS] + [augmented(image, rng) for _ in range(extra)])


def export_backbone(path: Path) -> None:
    import torch

    example = torch.zeros((2, backbone.SIZE, backbone.SIZE, 3), dtype=torch.uint8)
    to_onnx(backbone.Backbone(), example, path, ("pixels", ["embedding"]), {0: "n"}, {"role": "backbone"})


def embed(runtime: ort.InferenceSession, named_images) -> np.ndarray:
    """float32 [photos, views, width] of an iterable of (seed, image)."""
    rows = [runtime.run(["embedding"], {"pixels": views(image, seed)})[0] for seed, image in named_images]
    return np.stack(rows)


def cached(work: Path, name: str, keys: list[str], images) -> np.ndarray:
    """The embeddings of these images, from `work` when they were computed before with the same backbone and keys."""
    work.mkdir(parents=True, exist_ok=True)
    model = work / "backbone.onnx"
    if not model.exists():
        export_backbone(model)
    digest = hashlib.sha256(model.read_bytes() + "\n".join(keys).encode()).hexdigest()[:16]
    store = work / f"{name}-{digest}.npy"
    if not store.exists():
        np.save(store, embed(session(model, threads=2), images()))
    return np.load(store)
