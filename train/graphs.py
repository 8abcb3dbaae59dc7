"""ONNX graphs without PyTorch: how they are run, stored and compared."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ONE_FILE = 1 << 31  # bytes that a protobuf may have
SMALL = 64  # initialisers with fewer elements stay float32
GPU_BUCKETS = [1, 4, 16, 64]  # batch sizes of a network for GPUs: 64 fill one, and in float16 each costs seconds at every start


def session(path: Path, threads: int = 1) -> ort.InferenceSession:
    """A CPU session with the settings the worker uses: no spinning, fixed threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def halve_storage(model: onnx.ModelProto, only: set[str] | None = None) -> None:
    """Stores large float32 initialisers, or those of `only`, as float16 with a Cast behind; the runtime folds the Cast when it loads."""
    casts = []
    for tensor in list(model.graph.initializer):
        value = numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size < SMALL or only is not None and tensor.name not in only:
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


def save(model: onnx.ModelProto, path: Path) -> None:
    """Written, and checked."""
    write(model, path)
    onnx.checker.check_model(str(path), full_check=True)


def write(model: onnx.ModelProto, path: Path) -> None:
    """As one file where it fits into one, else with the weights beside it."""
    if model.ByteSize() < ONE_FILE - (1 << 20):
        path.write_bytes(model.SerializeToString(deterministic=True))
    else:
        path.with_name(f"{path.name}.data").unlink(missing_ok=True)  # else the weights would be added to those of before
        onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location=f"{path.name}.data")


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


def last_choice(model: onnx.ModelProto, prob: str) -> onnx.NodeProto:
    """The node that chooses the best of all: its first input are the probabilities of everything there is to choose from."""
    for node in model.graph.node:
        if node.op_type == "TopK" and prob in node.output:
            return node
    raise ValueError(f"{prob} is not the output of a TopK over all cells")


def retempered(model: onnx.ModelProto, prob: str, t: float) -> onnx.ModelProto:
    """A copy that answers at t times its temperature: softmax(log p / t), whatever made p."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    last, name = last_choice(out, prob), f"retempered.{len(out.graph.node)}"
    out.graph.initializer.append(numpy_helper.from_array(np.array(1 / t, np.float32), f"{name}.cooling"))
    steps = [("Log", [last.input[0]], "log", {}), ("Mul", [f"{name}.log", f"{name}.cooling"], "cooled", {}), ("Softmax", [f"{name}.cooled"], "p", {"axis": -1})]
    nodes = [helper.make_node(op, inputs, [f"{name}.{made}"], **more) for op, inputs, made, more in steps]
    at = next(i for i, node in enumerate(out.graph.node) if node is last or node.output == last.output)
    for node in reversed(nodes):
        out.graph.node.insert(at, node)
    last_choice(out, prob).input[0] = f"{name}.p"
    return out


def part(model: onnx.ModelProto, source: str, outputs: list[str], width: int) -> onnx.ModelProto:
    """What of a graph makes `outputs` of `source`, float32 [n, width]; ValueError when they need another input, too."""
    made_by = {o: node for node in model.graph.node for o in node.output}
    constant, open_inputs = {t.name: t for t in model.graph.initializer}, {i.name for i in model.graph.input}
    wanted, needed, held = list(outputs), set(), {}
    while wanted:
        name = wanted.pop()
        if name in constant:
            held[name] = constant[name]
        elif name in open_inputs or name not in made_by:
            raise ValueError(f"{', '.join(outputs)} do not follow from {source} alone: {name} is needed, too")
        elif id(made_by[name]) not in needed:
            needed.add(id(made_by[name]))
            wanted += [i for i in made_by[name].input if i and i != source]
    nodes = [node for node in model.graph.node if id(node) in needed]
    graph = helper.make_graph(nodes, "part", [helper.make_tensor_value_info(source, TensorProto.FLOAT, ["n", width])],
                              [helper.make_empty_tensor_value_info(o) for o in outputs], list(held.values()))
    return helper.make_model(graph, opset_imports=model.opset_import, functions=model.functions, ir_version=model.ir_version)


def head_session(model: onnx.ModelProto, source: str, outputs: list[str], width: int) -> ort.InferenceSession:
    """A session of that part."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(part(model, source, outputs, width).SerializeToString(), options, providers=["CPUExecutionProvider"])
