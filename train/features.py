"""Embeddings of every photo, once, through the exported backbone, so that heads train on what is shipped.

Kept in pieces of PIECE photos: a killed run goes on with the next piece.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import store
from export import to_onnx
from graphs import session
from progress import Progress
from square import CROP, views

AUGMENTED = 7
PIECE = 100


@dataclass(frozen=True)
class Views:
    """One row a picture; view 0 is the centre square, the one the worker sees."""

    embeddings: np.ndarray  # float32 [pictures, views, width]
    trunks: np.ndarray | None  # float16 [pictures, views, channels, h, w]: what the tail of the backbone starts from


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
