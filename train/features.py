"""Embeddings of every photo, once, through the exported backbone, so that heads train on what is shipped.

Kept in pieces of PIECE photos: a killed run goes on with the next piece.
"""

import copy
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import accelerator
import store
from export import rounded, to_onnx
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


class OnGPU:
    """The backbone where there is a GPU: the weights that are shipped, by PyTorch, since ONNX Runtime is here for the CPU alone."""

    def __init__(self, net: torch.nn.Module, trunk: bool) -> None:
        self.net = (WithTrunk(net) if trunk else net).to(accelerator.device()).eval()

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        with torch.no_grad():
            found = self.net(accelerator.tensor(inputs["pixels"]))
        return [f.cpu().numpy() for f in (found if len(outputs) > 1 else [found])]


def piece(runtime, names: list[str], open_image, size: int, extra: int, trunk: bool) -> dict[str, np.ndarray]:
    """What the runtime sees in pictures, a picture and all of its views at a time."""
    outputs = ["embedding", "trunk"] if trunk else ["embedding"]
    with ThreadPoolExecutor(accelerator.drawers()) as pool:
        drawn = pool.map(lambda i: views(open_image(i), names[i], size, extra), range(len(names)))
        rows = [[v.reshape(len(some), 1 + extra, *v.shape[1:]) for v in runtime.run(outputs, {"pixels": np.concatenate(some)})]
                for some in accelerator.together(drawn)]
    out = {"embedding": np.concatenate([row[0] for row in rows])}
    return out | ({"trunk": np.concatenate([row[1] for row in rows]).astype(np.float16)} if trunk else {})


def eyes(net: torch.nn.Module, model: Path, trunk: bool):
    """What runs the backbone here."""
    if accelerator.on_gpu():
        return OnGPU(rounded(copy.deepcopy(net)), trunk)
    return session(model, threads=torch.get_num_threads())


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
            runtime = runtime or eyes(net, model, trunk)
            made = piece(runtime, chosen, lambda i, start=start: open_image(start + i), net.about.size, extra, trunk)
            held = io.BytesIO()
            np.savez(held, **made)
            work.put(path, held.getvalue())
            progress.step(len(chosen))
        with np.load(path) as made:
            parts.append({key: made[key] for key in made.files})
    join = {key: np.concatenate([p[key] for p in parts]) for key in parts[0]}
    return Views(join["embedding"], join.get("trunk"))
