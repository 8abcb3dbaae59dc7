"""An ONNX file that you have already as a bundle: `python wrap.py model.onnx --classes cells.csv --licence MIT --out DIR`.

The model is a classifier: float32 [n, 3, size, size] in, scores [n, classes] out. Around it come what makes bytes of pixels its
input, softmax and the choice of the best. The table says where each class is: class_label and hex_id (S2 tokens), or
class_label, lat and lon; in the second case the classes become a gallery, and planetag divides the earth by them.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

import classes
import foreign
import gallery
import graphs
import heads

NAMES = {"input": "pixels", "embedding": "photo_embedding", "prob": "prob", "cell": "class"}
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
LEVEL_CAP = 12


@dataclass(frozen=True)
class Network:
    """What the wrapping needs to know of a classifier."""

    model: onnx.ModelProto
    scores: str = ""  # name of the output; "" = the only one
    embedding: str = ""  # name of a value [n, width]; "" = what the last product before the scores reads
    probabilities: bool = False  # the scores are softmaxed already
    mean: tuple = tuple(IMAGENET[0])
    std: tuple = tuple(IMAGENET[1])
    crop: float = 1.0
    divisor: float = 255.0

    def size(self) -> int:
        shape = [d.dim_value for d in self.input().type.tensor_type.shape.dim]
        if len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3] or not shape[2]:
            raise ValueError(f"input {self.input().name} is {shape} (0 = open), want [n, 3, size, size]")
        if shape[0]:
            raise ValueError(f"input {self.input().name} takes exactly {shape[0]} photos; export the model with an open first dimension")
        return shape[2]

    def input(self) -> onnx.ValueInfoProto:
        constants = {t.name for t in self.model.graph.initializer}
        found = [i for i in self.model.graph.input if i.name not in constants]
        if len(found) != 1 or found[0].type.tensor_type.elem_type != TensorProto.FLOAT:
            raise ValueError(f"the model has the inputs {[i.name for i in found]}, want one of float32")
        return found[0]

    def score_name(self) -> str:
        outputs = [o.name for o in self.model.graph.output]
        if self.scores in outputs or not self.scores and len(outputs) == 1:
            return self.scores or outputs[0]
        raise ValueError(f"the model has the outputs {outputs}; say with --scores which are the classes'")

    def embedding_name(self) -> str:
        """What the last product before the scores reads: the last layer before the classes."""
        if self.embedding:
            return self.embedding
        made_by = {o: node for node in self.model.graph.node for o in node.output}
        node = made_by.get(self.score_name())
        while node is not None and node.op_type not in ("Gemm", "MatMul"):
            node = made_by.get(node.input[0])
        if node is None:
            raise ValueError("no product before the scores; say with --embedding which value is the last layer before the classes")
        return node.input[0]


def assembled(net: Network, order: np.ndarray, top_k: int, temperature: float) -> onnx.ModelProto:
    """The whole graph: pixels to the best `top_k` of the classes, numbered by their place in `order`."""
    opset = next((o.version for o in net.model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset < 13:
        raise ValueError(f"the model has opset {opset}, want 13 or later; onnx.version_converter raises it")
    inner = onnx.compose.add_prefix(net.model, "model/")
    size, scores, embedding = net.size(), f"model/{net.score_name()}", f"model/{net.embedding_name()}"
    before = [
        helper.make_node("Transpose", [NAMES["input"]], ["w.planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["w.planes"], ["w.bytes"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["w.bytes", "w.mean"], ["w.centred"]),
        helper.make_node("Div", ["w.centred", "w.std"], [f"model/{net.input().name}"]),
    ]
    logits = [helper.make_node("Log", [scores], ["w.scores"])] if net.probabilities else []
    behind = [
        *logits,
        helper.make_node("Gather", ["w.scores" if logits else scores, "w.order"], ["w.sorted"], axis=1),
        helper.make_node("Mul", ["w.sorted", "w.cooling"], ["w.logits"]),
        helper.make_node("Softmax", ["w.logits"], ["w.softmax"], axis=-1),
        helper.make_node("TopK", ["w.softmax", "w.k"], [NAMES["prob"], NAMES["cell"]], axis=-1, largest=1, sorted=1),
        helper.make_node("Identity", [embedding], [NAMES["embedding"]]),
    ]
    scale = np.array(net.divisor, np.float32)
    constants = {
        "w.mean": scale * np.array(net.mean, np.float32).reshape(3, 1, 1), "w.std": scale * np.array(net.std, np.float32).reshape(3, 1, 1),
        "w.order": order.astype(np.int64), "w.cooling": np.array(1 / temperature, np.float32), "w.k": np.array([top_k], np.int64),
    }
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [*before, *inner.graph.node, *behind], "wrapped", [value(NAMES["input"], TensorProto.UINT8, ["n", size, size, 3])],
        [value(NAMES["embedding"], TensorProto.FLOAT, ["n", width_of(inner, embedding)]), value(NAMES["prob"], TensorProto.FLOAT, ["n", top_k]),
         value(NAMES["cell"], TensorProto.INT64, ["n", top_k])],
        [*inner.graph.initializer, *(numpy_helper.from_array(v, n) for n, v in constants.items())],
    )
    model = helper.make_model(graph, opset_imports=inner.opset_import, functions=inner.functions, ir_version=inner.ir_version)
    graphs.strip(model)
    helper.set_model_props(model, {"geo.role": "cnn", "geo.cells": str(len(order)), "geo.schema": "1"})
    return model


def width_of(model: onnx.ModelProto, name: str) -> int:
    known = onnx.shape_inference.infer_shapes(model).graph
    for info in (*known.value_info, *known.output):
        dims = [d.dim_value for d in info.type.tensor_type.shape.dim] if info.name == name else []
        if len(dims) == 2 and dims[1]:
            return dims[1]
    raise ValueError(f"value {name.removeprefix('model/')} is no [n, width] of a known width; choose another with --embedding")


def calibrated(net: Network, order: np.ndarray, k: int, photos: foreign.Photos, out: Path, cells, to_cells) -> tuple[float, dict]:
    """The temperature that suits the photos, and what the k best are worth at it."""
    graphs.save(assembled(net, order, len(order), 1.0), out / "cnn.onnx")
    runtime, size, parts = graphs.session(out / "cnn.onnx"), net.size(), []
    for pixels in foreign.squares(photos, net.crop, size):
        parts.append(runtime.run([NAMES["prob"], NAMES["cell"]], {NAMES["input"]: pixels}))
    prob, row = (np.concatenate(p) for p in zip(*parts, strict=True))
    logits = np.log(np.maximum(prob.astype(np.float64), 1e-30))

    def said(t: float, k: int) -> np.ndarray:
        return to_cells(heads.softmax(logits / t)[:, :k], row[:, :k])

    t = foreign.temperature(lambda t: said(t, len(order))[:len(photos.path)], cells.of(photos.lat, photos.lon))
    return t, foreign.measured(said(t, k), cells, photos, t)


def write(net: Network, table: classes.Classes, args: argparse.Namespace) -> None:
    photos = foreign.read_photos(args.calibrate, args.photos) if args.calibrate else None
    with foreign.making(args.out) as out:
        measured, cells = fill(out, net, table, photos, args)
    print(f"{args.out}: {len(table)} classes in {cells} cells, calibrated {measured}")


def fill(out: Path, net: Network, table: classes.Classes, photos: foreign.Photos | None, args: argparse.Namespace) -> tuple[str, int]:
    """All files of the bundle; what the calibration rests on, and the number of cells."""
    if table.token:
        classes.write_cells(out / "cells.parquet", table)
        order = table.order()
    else:
        gallery.write(out / "gallery.parquet", table.lat, table.lon)
        gallery.build_cells(args.planetag, out / "cells.parquet", table.lat, table.lon, 1, LEVEL_CAP)
        order = np.arange(len(table))
    cells = gallery.Cells(out / "cells.parquet")
    cell_of = np.arange(len(table)) if table.token else cells.of(table.lat, table.lon)
    k = min(args.top_k, len(table))
    said = lambda prob, row: gallery.fold(prob, row, cell_of, len(cells))  # noqa: E731
    t, calibration = 1.0, foreign.unmeasured()
    if photos:
        t, calibration = calibrated(net, order, k, photos, out, cells, said)
    measured = foreign.rests_on(photos, calibration)
    model = assembled(net, order, k, t)
    graphs.save(model, out / "cnn.onnx")
    width = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    about = foreign.Foreign(args.name, args.version, args.licence, args.summary, net.size(), net.crop, width, k, len(cells), LEVEL_CAP,
                            0 if table.token else len(table), NAMES)
    foreign.write_golden(out, about, said)
    foreign.write_card(out, "card_foreign.md.in", {
        "name": args.name, "summary": args.summary, "classes": len(table), "cells": len(cells), "measured": measured, "licence": args.licence,
        "level_cap": LEVEL_CAP, "kind": "cells of their own" if table.token else "places, whose probabilities are added up by cell",
    })
    foreign.write_manifest(out, about, calibration)
    return measured, len(cells)


def common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classes", type=Path, required=True, help="CSV: class_label and hex_id, or class_label, lat and lon")
    foreign.options(parser)
    parser.add_argument("--licence", required=True, help="SPDX expression of the model's licence")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--summary", default="a classifier that was trained elsewhere")
    parser.add_argument("--top-k", type=int, default=256)


def checked(parser: argparse.ArgumentParser) -> argparse.Namespace:
    args = foreign.checked(parser)
    if args.top_k < 1:
        parser.error(f"--top-k {args.top_k}: want at least 1")
    return args


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="an ONNX file; weights in files beside it are found")
    common(parser)
    parser.add_argument("--scores", default="", help="name of the output with the classes' scores")
    parser.add_argument("--embedding", default="", help="name of a value [n, width] to keep for albums (default: the input of the last product)")
    parser.add_argument("--probabilities", action="store_true", help="the scores are softmaxed already")
    parser.add_argument("--mean", type=float, nargs=3, default=IMAGENET[0], help="of pixels from 0 to 1 (default: ImageNet's)")
    parser.add_argument("--std", type=float, nargs=3, default=IMAGENET[1])
    parser.add_argument("--crop", type=float, default=1.0, help="side of the centre square, as a share of the shorter side: 0.875 is resize 256, crop 224")
    args = checked(parser)
    try:
        net = Network(onnx.load(args.model), args.scores, args.embedding, args.probabilities, tuple(args.mean), tuple(args.std), args.crop)
        write(net, classes.read(args.classes), args)
    except (ValueError, OSError, RuntimeError, DecodeError) as err:
        sys.exit(f"{args.model}: {err}")


if __name__ == "__main__":
    main()
