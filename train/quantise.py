"""A second bundle with a smaller network: `make int8` for CPUs, `make fp16` for GPUs.

int8: static quantisation (QDQ, U8S8, a scale per channel), calibrated on photos the model learned from; the first convolutions,
where int8 costs most and saves least, and the head stay in float32. fp16: the backbone computes in float16; pixels and what comes
behind the embedding do not, since the length of an embedding is a sum of squares and probabilities are compared closely.

It is written only if, over the photos of the training side, no share within 25, 200 or 750 km falls by more than MOST_LOST;
held-out photos take no part in that choice.
"""

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

import data
import golden
import graphs
import pin
import splits
import square
from nowhere import Bundle
from progress import Progress
from score import distance_km

HERE = Path(__file__).resolve().parent
CALIBRATING = 200  # photos
FLOAT_FIRST = 3  # convolutions that are left alone; behind the third is the first small tensor to be converted
# Clip: what a convolution gives is rounded once, behind its activation; else every layer goes to float and back between the two.
ROUNDED = ["Conv", "Clip", "Add"]
MOST_LOST = 0.003
JUDGED = (25, 200, 750)


class Reader(CalibrationDataReader):
    """Photos one by one, as the graph takes them."""

    def __init__(self, paths: list[Path], size: int) -> None:
        self.left, self.size = iter(paths), size

    def get_next(self):
        path = next(self.left, None)
        return path and {"pixels": square.pixels(Image.open(path), square.CROP, self.size)[None]}


def whole(source: Path, target: Path) -> None:
    """The graph with its float16 initialisers as float32 again: the quantiser wants plain weights."""
    model = onnx.load(source)
    halves = {t.name: t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT16}
    for node in [n for n in model.graph.node if n.op_type == "Cast" and n.input[0] in halves]:
        value = onnx.numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, node.output[0]))
        model.graph.initializer.remove(halves[node.input[0]])
        model.graph.node.remove(node)
    onnx.save(model, target)


def finish(model: onnx.ModelProto, source: Path, target: Path) -> None:
    """The changed graph under the properties of the one it came from."""
    properties = {p.key: p.value for p in onnx.load(source).metadata_props}
    graphs.strip(model)
    graphs.halve_storage(model)
    onnx.helper.set_model_props(model, properties)
    target.write_bytes(model.SerializeToString(deterministic=True))


def halve(source: Path, target: Path) -> None:
    """The graph with a backbone that computes in float16, from its first convolution to the embedding."""
    whole(source, target)
    model = onnx.load(target)
    graph, behind = model.graph, {n.output[0] for n in graphs.part(model, "embedding", ["prob", "cell"], 0).graph.node}
    first = next(i for i, n in enumerate(graph.node) if n.op_type == "Conv")
    before = {o for n in graph.node[:first] for o in n.output}
    inside = [n for n in graph.node[first:] if n.output[0] not in behind]
    weights = {t.name: t for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT}
    into = {}  # what the backbone reads, by the name it has in float16
    for node in inside:
        for i, name in enumerate(node.input):
            if name in weights or name in before:
                into[name] = node.input[i] = f"{name}.half"
        for i, name in enumerate(node.output):
            node.output[i] = "embedding.half" if name == "embedding" else name
    for name, half in into.items():
        if name in weights:
            value = onnx.numpy_helper.to_array(weights[name]).astype(np.float16)
            graph.initializer.append(onnx.numpy_helper.from_array(value, half))
        else:
            graph.node.insert(first, onnx.helper.make_node("Cast", [name], [half], name=half, to=onnx.TensorProto.FLOAT16))
    at = 1 + max(i for i, n in enumerate(graph.node) if "embedding.half" in n.output)
    graph.node.insert(at, onnx.helper.make_node("Cast", ["embedding.half"], ["embedding"], name="embedding", to=onnx.TensorProto.FLOAT))
    read = {name for n in graph.node for name in n.input}
    for left in [t for t in graph.initializer if t.name not in read]:
        graph.initializer.remove(left)
    onnx.checker.check_model(model, full_check=True)
    finish(model, source, target)


def quantise(source: Path, target: Path, paths: list[Path], size: int) -> None:
    plain, ready = target.with_suffix(".plain"), target.with_suffix(".ready")
    whole(source, plain)
    quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
    nodes = onnx.load(ready).graph.node
    first = [n.name for n in nodes if n.op_type == "Conv"][:FLOAT_FIRST]
    quantize_static(str(ready), str(target), Reader(paths, size), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8, per_channel=True, calibrate_method=CalibrationMethod.MinMax,
                    op_types_to_quantize=ROUNDED, nodes_to_exclude=first)
    plain.unlink()
    ready.unlink()
    finish(onnx.load(target), source, target)


@dataclass(frozen=True)
class Seen:
    """What a graph makes of some photos."""

    embedding: np.ndarray  # [photos, width]
    cell: np.ndarray  # the most probable one
    error_km: np.ndarray

    def within(self, km: float) -> float:
        return float((self.error_km <= km).mean())


def see(bundle: Bundle, graph: Path, photos: list[data.Photo]) -> Seen:
    session, progress, embeddings, cells = graphs.session(graph), Progress(f"photos through {graph.name}", len(photos)), [], []
    for p in photos:
        seen = square.pixels(Image.open(p.path), square.CROP, bundle.manifest["input"]["size"])[None]
        embedding, cell = session.run(["embedding", "cell"], {"pixels": seen})
        embeddings.append(embedding[0])
        cells.append(cell[0, 0])
        progress.step()
    best = np.array(cells)
    error = distance_km([p.lat for p in photos], [p.lon for p in photos], bundle.lat[best], bundle.lon[best])
    return Seen(np.stack(embeddings), best, error)


def compared(before: Seen, after: Seen, kind: str) -> tuple[list[str], float]:
    """What is printed of both graphs, and the greatest loss of a share that is judged."""
    lines = [f"within {t} km: float {100 * before.within(t):.2f} %, {kind} {100 * after.within(t):.2f} %" for t in JUDGED]
    same, least = (before.cell == after.cell).mean(), graphs.cosine(before.embedding, after.embedding)
    lines.append(f"same best cell: {100 * same:.2f} % of {len(before.cell)} photos; least cosine of an embedding {least:.5f}")
    return lines, max(before.within(t) - after.within(t) for t in JUDGED)


def repack(source: Path, out: Path, bundle: Bundle, graph: Path, kind: str) -> None:
    """The bundle again with the other graph, golden answers of its own, and a name that says so."""
    shutil.copytree(source, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("golden", "cnn.onnx"))
    shutil.move(graph, out / "cnn.onnx")
    manifest = bundle.manifest | {"name": f"{bundle.manifest['name']}-{kind}"}
    if kind == "fp16":
        manifest |= {"cnn": manifest["cnn"] | {"buckets": graphs.GPU_BUCKETS}}
    pictures = [(p.name, p) for p in sorted((source / "golden").glob("*.jpg"))]
    golden.write(out, pictures, manifest["input"]["size"], bundle)
    pin.write(out, manifest)


def beside(source: Path, out: Path, bundle: Bundle, graph: Path) -> None:
    """The bundle again with the other graph beside the first, to be chosen from where it is loaded."""
    shutil.copytree(source, out, dirs_exist_ok=True)
    shutil.move(graph, out / "cnn.int8.onnx")
    pin.write(out, bundle.manifest | {"cnn": bundle.manifest["cnn"] | {"int8": "cnn.int8.onnx"}})


def made(args: argparse.Namespace, bundle: Bundle, photos: list[data.Photo]) -> Path:
    """The other graph, in the work folder."""
    args.work.mkdir(parents=True, exist_ok=True)
    graph = args.work / f"cnn.{args.to}.onnx"
    if args.to == "fp16":
        halve(args.bundle / "cnn.onnx", graph)
    else:
        chosen = sorted(photos, key=lambda p: splits.lot(p.id))[:CALIBRATING]
        quantise(args.bundle / "cnn.onnx", graph, [p.path for p in chosen], bundle.manifest["input"]["size"])
    return graph


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", choices=["int8", "fp16"], default="int8")
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--beside", action="store_true", help="keep the float network, too; bundle.precision chooses (int8 only)")
    args = parser.parse_args()
    if args.beside and args.to != "int8":
        parser.error("--beside: a bundle holds an int8 network beside its first one, and no other")
    bundle = Bundle(args.bundle)
    learned = {row["id"] for row in splits.read_rows(HERE / "splits/gallery.csv")}
    photos = [p for p in data.read_photos(args.data) + data.read_landmarks(args.data) if p.id in learned]
    graph = made(args, bundle, photos)
    lines, lost = compared(see(bundle, args.bundle / "cnn.onnx", photos), see(bundle, graph, photos), args.to)
    print("\n".join(lines))
    print(f"{(args.bundle / 'cnn.onnx').stat().st_size / 1e6:.1f} MB became {graph.stat().st_size / 1e6:.1f} MB")
    if lost > MOST_LOST:
        sys.exit(f"{args.to} loses {100 * lost:.2f} points, more than {100 * MOST_LOST:.1f}: no bundle is written")
    if args.beside:
        beside(args.bundle, args.out, bundle, graph)
    else:
        repack(args.bundle, args.out, bundle, graph, args.to)
    print(f"{args.out} is ready; run `planetag bundle verify {args.out}`")


if __name__ == "__main__":
    main()
