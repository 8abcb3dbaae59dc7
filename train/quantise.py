"""A second bundle with an int8 network: `make int8`. Static quantisation (QDQ, U8S8, a scale per channel), calibrated on photos
the model learned from; the first convolutions, the last one and the head stay in float32, where int8 costs most.

It is written only if, over the photos of the training side, no share within 25, 200 or 750 km falls by more than MOST_LOST;
held-out photos take no part in that choice.
"""

import argparse
import shutil
import sys
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
from score import THRESHOLDS_KM, distance_km

HERE = Path(__file__).resolve().parent
CALIBRATING = 200  # photos
FLOAT_FIRST, FLOAT_LAST = 3, 1  # convolutions that are left alone; behind the third is the first small tensor to be converted
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


def quantise(source: Path, target: Path, paths: list[Path], size: int) -> None:
    plain, ready = target.with_suffix(".plain"), target.with_suffix(".ready")
    whole(source, plain)
    quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
    nodes = onnx.load(ready).graph.node
    convolutions = [n.name for n in nodes if n.op_type == "Conv"]
    quantize_static(str(ready), str(target), Reader(paths, size), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8, per_channel=True, calibrate_method=CalibrationMethod.MinMax,
                    op_types_to_quantize=ROUNDED, nodes_to_exclude=convolutions[:FLOAT_FIRST] + convolutions[-FLOAT_LAST:])
    plain.unlink()
    ready.unlink()
    model = onnx.load(target)
    properties = {p.key: p.value for p in onnx.load(source).metadata_props}
    graphs.strip(model)
    graphs.halve_storage(model)
    onnx.helper.set_model_props(model, properties)
    target.write_bytes(model.SerializeToString(deterministic=True))


def shares(bundle: Bundle, graph: Path, photos: list[data.Photo]) -> dict[int, float]:
    """The shares of photos within the thresholds by the graph's most probable cell."""
    session, progress, errors = graphs.session(graph), Progress(f"photos through {graph.name}", len(photos)), []
    for p in photos:
        seen = square.pixels(Image.open(p.path), square.CROP, bundle.manifest["input"]["size"])[None]
        best = session.run(["cell"], {"pixels": seen})[0][0, 0]
        errors.append(distance_km(p.lat, p.lon, bundle.lat[best], bundle.lon[best]))
        progress.step()
    return {t: float((np.array(errors) <= t).mean()) for t in THRESHOLDS_KM}


def repack(source: Path, out: Path, bundle: Bundle, graph: Path) -> None:
    """The bundle again with the other graph, golden answers of its own, and a name that says so."""
    shutil.copytree(source, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("golden", "cnn.onnx"))
    shutil.move(graph, out / "cnn.onnx")
    manifest = bundle.manifest | {"name": f"{bundle.manifest['name']}-int8"}
    pictures = [(p.name, p) for p in sorted((source / "golden").glob("*.jpg"))]
    golden.write(out, pictures, manifest["input"]["size"], bundle)
    pin.write(out, manifest)


def beside(source: Path, out: Path, bundle: Bundle, graph: Path) -> None:
    """The bundle again with the other graph beside the first, to be chosen from where it is loaded."""
    shutil.copytree(source, out, dirs_exist_ok=True)
    shutil.move(graph, out / "cnn.int8.onnx")
    pin.write(out, bundle.manifest | {"cnn": bundle.manifest["cnn"] | {"int8": "cnn.int8.onnx"}})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--beside", action="store_true", help="keep the float network, too; bundle.precision chooses")
    args = parser.parse_args()
    bundle = Bundle(args.bundle)
    learned = {row["id"] for row in splits.read_rows(HERE / "splits/gallery.csv")}
    photos = [p for p in data.read_photos(args.data) + data.read_landmarks(args.data) if p.id in learned]
    chosen = sorted(photos, key=lambda p: splits.lot(p.id))
    args.work.mkdir(parents=True, exist_ok=True)
    graph = args.work / "cnn.int8.onnx"
    quantise(args.bundle / "cnn.onnx", graph, [p.path for p in chosen[:CALIBRATING]], bundle.manifest["input"]["size"])
    before, after = shares(bundle, args.bundle / "cnn.onnx", photos), shares(bundle, graph, photos)
    for t in JUDGED:
        print(f"within {t} km: float {100 * before[t]:.2f} %, int8 {100 * after[t]:.2f} %")
    lost = max(before[t] - after[t] for t in JUDGED)
    print(f"{(args.bundle / 'cnn.onnx').stat().st_size / 1e6:.1f} MB became {graph.stat().st_size / 1e6:.1f} MB")
    if lost > MOST_LOST:
        sys.exit(f"int8 loses {100 * lost:.2f} points, more than {100 * MOST_LOST:.1f}: no bundle is written")
    (beside if args.beside else repack)(args.bundle, args.out, bundle, graph)
    print(f"{args.out} is ready; run `planetag bundle verify {args.out}`")


if __name__ == "__main__":
    main()
