"""A bundle that has learned an archive, as arrays and as a graph: the base's network with the archive's evidence behind it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

import archive
import graphs
from cells import Cell, Cells
from division import Division

LEAST_OPSET = 18


class Base:
    """The bundle that is learned on top of: its network, its cells, and what it says of an embedding."""

    def __init__(self, folder: Path) -> None:
        import pyarrow.parquet as pq

        self.folder, self.manifest = folder, yaml.safe_load((folder / "bundle.yaml").read_text())
        if self.manifest["head"] != "classes":
            raise ValueError(f"{folder}: head is {self.manifest['head']}; only a bundle with head: classes can learn an archive")
        table = pq.read_table(folder / self.manifest["cells"]["file"]).to_pydict()
        radius = table.get("radius_p50_m") or [0.0] * len(table["cell"])
        self.cells = Cells([Cell(*row) for row in zip(table["cell"], table["level"], table["lat"], table["lon"], table["photos"], radius,
                                                      strict=True)])
        self.places = table["places"]
        self.names = {key: self.manifest["cnn"][key] for key in ("input", "embedding", "prob", "cell")}
        self.model = onnx.load(folder / self.manifest["cnn"]["file"])
        self.dense = self._dense()
        self._head = graphs.head_session(self.model, self.names["embedding"], [self.dense], self.manifest["cnn"]["width"])

    def _dense(self) -> str:
        """The value that holds the probabilities of all cells: what the last choice of the best reads."""
        opset = next((o.version for o in self.model.opset_import if o.domain in ("", "ai.onnx")), 0)
        if opset < LEAST_OPSET:
            raise ValueError(f"{self.folder}: the network has opset {opset}, want {LEAST_OPSET} or later")
        try:
            return graphs.last_choice(self.model, self.names["prob"]).input[0]
        except ValueError as err:
            raise ValueError(f"{self.folder}: {err}") from err

    def prob(self, embeddings: np.ndarray) -> np.ndarray:
        """[n, cells] of embeddings [n, width]."""
        parts = [self._head.run(None, {self.names["embedding"]: embeddings[i : i + 256]})[0] for i in range(0, len(embeddings), 256)]
        return np.concatenate(parts)


@dataclass
class Learned:
    division: Division
    head: archive.Linear
    bank: archive.Bank
    gate: archive.Gate
    temperature: float

    def scores(self, x: np.ndarray) -> np.ndarray:
        """What the archive's cells have for them, [n, cells of the archive]."""
        return self.head(x) + archive.KERNEL_WEIGHT * self.bank.scores(x, len(self.division.archive))

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(from, to, share): the base's cells, then the archive's, to the rows of the division."""
        base, own = len({b for b, _, _ in self.division.base}), self.division.archive
        rows = self.division.base + [(base + k, u, 1.0) for k, u in enumerate(own)]
        return tuple(np.array(column) for column in zip(*rows, strict=True))

    def prob(self, x: np.ndarray, base: np.ndarray) -> np.ndarray:
        """[n, rows of the division] of embeddings and what the base says of them."""
        out = np.zeros((len(x), len(self.division.cells)))
        for start in range(0, len(x), 256):
            part = slice(start, start + 256)
            g = self.gate(self.bank.near(x[part]), base[part].max(1))[:, None]
            both = np.concatenate([(1 - g) * base[part], g * archive.softmax(self.scores(x[part]) / self.temperature)], 1)
            source, to, share = self.entries()
            np.add.at(out[part], (slice(None), to), both[:, source] * share)
        return out


def graph(base: Base, learned: Learned, top_k: int) -> onnx.ModelProto:
    """The base's network with the archive's evidence between its embedding and its answer. Large constants are stored as float16."""
    model = onnx.ModelProto()
    model.CopyFrom(base.model)
    names, bank, gate = base.names, learned.bank, learned.gate
    last = graphs.last_choice(model, names["prob"])
    model.graph.node.remove(last)
    if unused := [t for t in model.graph.initializer if t.name == last.input[1] and not any(t.name in n.input for n in model.graph.node)]:
        model.graph.initializer.remove(unused[0])
    source, to, share = learned.entries()
    float32 = lambda value: np.array(value, np.float32)  # noqa: E731
    mean = bank.mean
    constants = {
        "weight": float32(learned.head.weight), "bias": float32(learned.head.bias), "photos": float32(bank.photos.T),
        "of": np.eye(len(learned.division.archive), dtype=np.uint8)[bank.cell], "mean": float32(mean[:, None]),
        "with_mean": float32((bank.photos @ mean)[None] - mean @ mean), "mean_square": float32(mean @ mean), "one": float32(1), "two": float32(2),
        "off_mean": float32(np.linalg.norm(bank.photos - mean, axis=1)[None]), "tiny": float32(1e-12), "least": float32(1e-6),
        "kernel": float32(1 / archive.KERNEL), "near_scale": float32(1 / archive.NEAR), "photos_log": float32(np.log(len(bank.photos))),
        "kernel_weight": float32(archive.KERNEL_WEIGHT), "cooling": float32(1 / learned.temperature), "gate_near": float32(gate.near),
        "gate_sure": float32(gate.sure), "gate_bias": float32(gate.bias),
        "gate_lean": float32(gate.lean), "gate_limit": float32(gate.limit), "gate_steep": float32(archive.STEEP),
        "source": source.astype(np.int64), "share": float32(share)[None],
        "to": to.astype(np.int64)[None], "rows": np.array([len(learned.division.cells)], np.int64), "k": np.array([top_k], np.int64),
        "axis": np.array([1], np.int64), "first": np.array([0], np.int64), "zero": float32([[0]]),
    }
    node = steps(names["embedding"], base.dense)
    node.append(helper.make_node("TopK", ["a.all", "a.k"], [names["prob"], names["cell"]], axis=-1, largest=1, sorted=1))
    model.graph.node.extend(node)
    model.graph.initializer.extend(numpy_helper.from_array(v, f"a.{n}") for n, v in constants.items())
    for output in model.graph.output:
        if output.name in (names["prob"], names["cell"]):
            output.type.tensor_type.shape.dim[1].dim_value = top_k
    graphs.strip(model)
    graphs.halve_storage(model, {"a.photos", "a.weight"})
    helper.set_model_props(model, {"geo.role": "cnn", "geo.schema": "1", "geo.cells": str(len(learned.division.cells))})
    onnx.checker.check_model(model, full_check=True)
    return model


def steps(embedding: str, dense: str) -> list[onnx.NodeProto]:
    """The nodes from an embedding and the base's probabilities to `a.all`, the probabilities of all rows; see archive.py."""
    lines = [
        ("ReduceL2", [embedding, "axis"], "length", {"keepdims": 1}), ("Max", ["length", "least"], "long", {}), ("Div", [embedding, "long"], "u", {}),
        # The head, and the kernel over the photos.
        ("MatMul", ["u", "weight"], "head", {}), ("Add", ["head", "bias"], "linear", {}), ("MatMul", ["u", "photos"], "cosine", {}),
        ("MatMul", ["u", "mean"], "u_mean", {}), ("Sub", ["cosine", "u_mean"], "less", {}), ("Sub", ["less", "with_mean"], "product", {}),
        ("Mul", ["u_mean", "two"], "twice", {}), ("Sub", ["one", "twice"], "rest", {}), ("Add", ["rest", "mean_square"], "square", {}),
        ("Max", ["square", "tiny"], "safe", {}), ("Sqrt", ["safe"], "u_off", {}), ("Mul", ["u_off", "off_mean"], "lengths", {}),
        ("Div", ["product", "lengths"], "centred", {}), ("Sub", ["centred", "one"], "gap", {}), ("Mul", ["gap", "kernel"], "sharp", {}),
        ("Exp", ["sharp"], "alike", {}), ("Cast", ["of"], "member", {"to": TensorProto.FLOAT}), ("MatMul", ["alike", "member"], "by_cell", {}),
        ("Add", ["by_cell", "tiny"], "some", {}), ("Log", ["some"], "log_kernel", {}), ("Mul", ["log_kernel", "kernel_weight"], "weighed", {}),
        ("Add", ["linear", "weighed"], "scores", {}), ("Mul", ["scores", "cooling"], "cooled", {}), ("Softmax", ["cooled"], "archive", {"axis": -1}),
        # The gate.
        ("Sub", ["cosine", "one"], "apart", {}), ("Mul", ["apart", "near_scale"], "steep", {}),
        ("ReduceLogSumExp", ["steep", "axis"], "lse", {"keepdims": 1}), ("Sub", ["lse", "photos_log"], "near", {}),
        ("ReduceMax", [dense, "axis"], "most", {"keepdims": 1}), ("Log", ["most"], "sure", {}), ("Mul", ["near", "gate_near"], "g1", {}),
        ("Mul", ["sure", "gate_sure"], "g2", {}), ("Add", ["g1", "g2"], "g3", {}), ("Add", ["g3", "gate_bias"], "z", {}),
        ("Add", ["z", "gate_lean"], "z_open", {}), ("Sigmoid", ["z_open"], "open", {}),
        ("Sub", ["z", "gate_limit"], "z_over", {}), ("Mul", ["z_over", "gate_steep"], "z_steep", {}), ("Sigmoid", ["z_steep"], "unshut", {}),
        ("Mul", ["open", "unshut"], "g", {}),
        # Both, added up by row of the division.
        ("Sub", ["one", "g"], "not_g", {}), ("Mul", [dense, "not_g"], "theirs", {}), ("Mul", ["archive", "g"], "ours", {}),
        ("Concat", ["theirs", "ours"], "both", {"axis": 1}), ("Gather", ["both", "source"], "chosen", {"axis": 1}), ("Mul", ["chosen", "share"], "parts", {}),
        ("Shape", ["parts"], "parts_shape", {}), ("Expand", ["to", "parts_shape"], "where", {}), ("Gather", ["parts_shape", "first"], "n", {"axis": 0}),
        ("Concat", ["n", "rows"], "all_shape", {"axis": 0}), ("Expand", ["zero", "all_shape"], "empty", {}),
        ("ScatterElements", ["empty", "where", "parts"], "all", {"axis": 1, "reduction": "add"}),
    ]
    name = lambda value: value if value in (embedding, dense) else f"a.{value}"  # noqa: E731
    return [helper.make_node(op, [name(i) for i in inputs], [name(out)], **more) for op, inputs, out, more in lines]
