"""PyTorch to ONNX: dynamic batch and album length, float16 storage with float32 arithmetic, and the proof of parity."""

from pathlib import Path

import onnx
import torch
from onnx import helper

from graphs import SMALL, halve_storage, strip

OPSET = 18


def to_onnx(module, example, path: Path, names: tuple[str, list[str]], axes: dict[int, str], properties: dict, half=True):
    """Writes module(example) as ONNX; `axes` are the dynamic axes of its one input, `properties` go into the model's metadata."""
    dims = {axis: torch.export.Dim(name, min=1, max=4096) for axis, name in axes.items()}
    program = torch.onnx.export(
        module.eval(), (example,), input_names=[names[0]], output_names=names[1], opset_version=OPSET,
        dynamo=True, dynamic_shapes=(dims,), external_data=False, verbose=False,
    )
    model = program.model_proto
    strip(model)
    if half:
        halve_storage(model)
    helper.set_model_props(model, {f"geo.{key}": str(value) for key, value in properties.items()})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def rounded(module: torch.nn.Module) -> torch.nn.Module:
    """The module with its large weights rounded to float16 and back, in place: what the exported file computes with."""
    with torch.no_grad():
        for value in module.parameters():
            if value.numel() >= SMALL:
                value.copy_(value.half().float())
    return module
