"""Embeddings of every photo, once, through the exported backbone, so that heads train on what is shipped.

Kept in pieces of PIECE photos: a killed run goes on with the next piece.
"""

import hashlib
import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps

import store
from export import session, to_onnx
from progress import Progress

CROP = 1.0
RESIZE = "centre-crop bicubic antialiased"  # the manifest's name of what `pixels` does
AUGMENTED = 7
PIECE = 100


@dataclass(frozen=True)
class Views:
    """One row a picture; view 0 is the centre square, the one the worker sees."""

    embeddings: np.ndarray  # float32 [pictures, views, width]
    trunks: np.ndarray | None  # float16 [pictures, views, channels, h, w]: what the tail of the backbone starts from


def upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image).convert("RGB")


def pixels(image: Image.Image, crop: float, size: int) -> np.ndarray:
    """The centre square with side crop × the shorter side, resized to size × size: the geometry the worker uses."""
    image = upright(image)
    side = crop * min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return np.asarray(image.resize((size, size), Image.BICUBIC, box=(left, top, left + side, top + side)))


def augmented(image: Image.Image, rng: random.Random, size: int) -> np.ndarray:
    """A random square of 50–100 % of the shorter side, mirrored half of the time, in other light and other JPEG quality."""
    side = rng.uniform(0.5, 1.0) * min(image.size)
    left, top = rng.uniform(0, image.width - side), rng.uniform(0, image.height - side)
    square = image.resize((size, size), Image.BICUBIC, box=(left, top, left + side, top + side))
    if rng.random() < 0.5:
        square = ImageOps.mirror(square)
    if rng.random() < 0.8:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            square = enhance(square).enhance(rng.uniform(0.65, 1.4))
    if rng.random() < 0.25:
        squeezed = io.BytesIO()
        square.save(squeezed, "JPEG", quality=rng.randint(30, 80))
        square = Image.open(squeezed).convert("RGB")
    return np.asarray(square)


def views(image: Image.Image, seed: str, size: int, extra: int) -> np.ndarray:
    """uint8 [1+extra, S, S, 3]: the centre view, then the random ones of this seed."""
    rng, whole = random.Random(seed), upright(image)
    return np.stack([pixels(whole, CROP, size)] + [augmented(whole, rng, size) for _ in range(extra)])


class WithTrunk(torch.nn.Module):
    """pixels → embedding and the trunk it came from."""

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        trunk = self.net.trunk(x)
        return self.net.tail(trunk), trunk


def exported(net: torch.nn.Module, folder: Path) -> Path:
    """The backbone as ONNX, kept by its weights."""
    weights = hashlib.sha256()
    for name, value in net.state_dict().items():
        weights.update(name.encode() + value.numpy().tobytes())
    path = folder / f"backbone-{weights.hexdigest()[:16]}.onnx"
    if not path.exists():
        trunk = hasattr(net, "trunk")
        size = net.about.size
        example = torch.zeros((2, size, size, 3), dtype=torch.uint8)
        outputs = ["embedding", "trunk"] if trunk else ["embedding"]
        beside = path.with_suffix(".part")
        to_onnx(WithTrunk(net) if trunk else net, example, beside, ("pixels", outputs), {0: "n"}, {"role": "backbone"})
        beside.rename(path)
    return path


def piece(runtime, names: list[str], images, size: int, extra: int, trunk: bool) -> dict[str, np.ndarray]:
    rows = [runtime.run(["embedding", "trunk"] if trunk else ["embedding"], {"pixels": views(image, name, size, extra)})
            for name, image in zip(names, images, strict=True)]
    out = {"embedding": np.stack([row[0] for row in rows])}
    return out | ({"trunk": np.stack([row[1] for row in rows]).astype(np.float16)} if trunk else {})


def cached(work: store.Store, what: str, net: torch.nn.Module, names: list[str], open_image, extra: int, trunk: bool) -> Views:
    """The views of the pictures called `names`, each opened by open_image(i); from the store where they were made before."""
    model = exported(net, work.folder)
    folder = work.folder / f"{what}-{store.digest(model.name, names, extra, trunk, AUGMENTED, CROP)}"
    folder.mkdir(exist_ok=True)
    starts = list(range(0, len(names), PIECE))
    there = sum(min(PIECE, len(names) - s) for s in starts if (folder / f"{s:06d}.npz").exists())
    progress, runtime, parts = Progress(f"features of {what}", len(names), there), None, []
    for start in starts:
        path, chosen = folder / f"{start:06d}.npz", names[start : start + PIECE]
        if not path.exists():
            runtime = runtime or session(model, threads=torch.get_num_threads())
            made = piece(runtime, chosen, (open_image(start + i) for i in range(len(chosen))), net.about.size, extra, trunk)
            held = io.BytesIO()
            np.savez(held, **made)
            work.put(path, held.getvalue())
            progress.step(len(chosen))
        with np.load(path) as made:
            parts.append({key: made[key] for key in made.files})
    join = {key: np.concatenate([p[key] for p in parts]) for key in parts[0]}
    return Views(join["embedding"], join.get("trunk"))
