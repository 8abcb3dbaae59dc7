"""PyTorch to ONNX: dynamic batch and album length, float16 storage with float32 arithmetic, and the proof of parity."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
SMALL = 64  # initialisers with fewer elements stay float32


def session(path: Path, threads: int = 1) -> ort.InferenceSession:
    """A CPU session with the settings the worker uses: no spinning, fixed threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def halve_storage(model: onnx.ModelProto) -> None:
    """Stores large float32 initialisers as float16 with a Cast behind; the runtime folds the Cast when it loads."""
    casts = []
    for tensor in list(model.graph.initializer):
        value = numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size < SMALL:
            continue
        name = tensor.name
        half = numpy_helper.from_array(value.astype(np.float16), f"{name}.f16")
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(half)
        casts.append(helper.make_node("Cast", [half.name], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)


def strip(model: onnx.ModelProto) -> None:
    """Removes traces of the exporting program (file names, stack traces): they differ between machines and help nobody."""
    model.producer_name, model.producer_version, model.doc_string = "planetag", "", ""
    del model.metadata_props[:]
    del model.graph.value_info[:]
    parts = [model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer]
    for part in parts:
        part.doc_string = ""
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]


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


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The lowest cosine over the rows of two matrices."""
    a, b = a.reshape(-1, a.shape[-1]).astype(np.float64), b.reshape(-1, b.shape[-1]).astype(np.float64)
    return float(((a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))).min())


def spread(prob: np.ndarray, cell: np.ndarray, count: int) -> np.ndarray:
    """Top-k lists as dense distributions, so that a swap of two equal cells is no difference."""
    dense = np.zeros((*prob.shape[:-1], count), np.float64)
    np.put_along_axis(dense, cell, prob, axis=-1)
    return dense


def top_difference(ours, theirs, count: int) -> float:
    """The largest difference of a probability between two (prob, cell) pairs, over the cells both lists name."""
    a, b = spread(*ours, count), spread(*theirs, count)
    both = (a > 0) & (b > 0)
    if not both.any(axis=-1).all():
        return float("inf")
    return float(np.abs(np.where(both, a - b, 0)).max())


def rounded(module: torch.nn.Module) -> torch.nn.Module:
    """The module with its large weights rounded to float16 and back, in place: what the exported file computes with."""
    with torch.no_grad():
        for value in module.parameters():
            if value.numel() >= SMALL:
                value.copy_(value.half().float())
    return module
