"""What a step of training made, kept under a key of everything it was made from: a killed run goes on where it was.

The key is a hash of the step's inputs and of the source of the modules that do it. Other inputs or other code make another
key, so nothing stale is ever used; what no run asks for any more can be deleted with the folder.
"""

import hashlib
import inspect
import json
import os
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def digest(*inputs: Any) -> str:
    """16 hexadecimal digits of numbers, texts, arrays, dataclasses, modules (their source), lists and dicts of these."""
    total = hashlib.sha256()
    for value in inputs:
        total.update(described(value))
        total.update(b"\0")
    return total.hexdigest()[:16]


def described(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return str((value.dtype, value.shape)).encode() + np.ascontiguousarray(value).tobytes()
    if isinstance(value, ModuleType):
        return inspect.getsource(value).encode()
    if is_dataclass(value):
        return json.dumps(asdict(value), sort_keys=True, default=str).encode()
    return json.dumps(value, sort_keys=True, default=str).encode()


class Store:
    """A folder of finished steps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def step(self, name: str, inputs: list, make: Callable[[], Any]) -> Any:
        """What `make` returned for these inputs, now or in an earlier run."""
        path = self.folder / f"{name}-{digest(*inputs)}.pickle"
        if path.exists():
            print(f"{name}: kept from an earlier run", file=sys.stderr, flush=True)
            return pickle.loads(path.read_bytes())
        started = time.monotonic()
        value = make()
        self.put(path, pickle.dumps(value))
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        return value

    def put(self, path: Path, content: bytes) -> None:
        """Written beside and renamed, so that a kill leaves a whole file or none."""
        beside = path.with_suffix(".part")
        with open(beside, "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        beside.rename(path)
