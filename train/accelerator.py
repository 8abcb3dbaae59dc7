"""Where PyTorch computes: on one GPU where there is one, else on the CPU. Models and arrays come back to the CPU, so that nobody else need know."""

import itertools
import os

import numpy as np
import torch

TOGETHER = 32


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def on_gpu() -> bool:
    return device().type == "cuda"


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).to(device())


def drawers() -> int:
    """How many pictures are opened and turned into views at a time: a GPU waits for them, a CPU has no core to spare."""
    return (os.cpu_count() or 1) if on_gpu() else 1


def together(items, size: int | None = None):
    """The items in lists of `size`, by default as many as one call takes: one on a CPU, where results should not depend on neighbours,
    many on a GPU."""
    size, items = size or (TOGETHER if on_gpu() else 1), iter(items)
    while some := list(itertools.islice(items, size)):
        yield some
