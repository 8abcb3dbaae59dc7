"""Makes the bundle testdata/tiny: the smallest thing that is a whole bundle.

    python3 make_tiny.py            # writes ./tiny anew

numpy 2.4.6, onnx 1.23.2, onnxruntime 1.30.0, pillow 13.0.0, pyarrow 26.0.1.

Its weights are chosen, not learned, so that a test can say where a photo shall
have been taken by painting it:

    red -> Rome, green -> Paris, blue -> New York, white -> Sydney,
    grey or black -> all four alike, which is below abstain_below.

The album models are real LSTMs. Their memory adds up the colours seen so far: a
grey photo after red ones is in Rome, a grey photo before them is nowhere with
mode lstm and in Rome with lstm_repeat and with blstm, which reads both ways.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pyarrow
import pyarrow.parquet
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import colours

value = helper.make_tensor_value_info
HERE = Path(__file__).parent / "tiny"
SIZE, CROP, WIDTH, CLASSES, TOP_K, HIDDEN = 32, 0.875, 8, 4, 3, 4

# (token, lat, lon, level, photos, places), sorted by S2 id
CELLS = [
    ("132f7", 41.9028, 12.4964, 8, 40, [("IT", "Italy", "Lazio", 0.9), ("VA", "Vatican City", "", 0.1)]),
    ("47e67", 48.8566, 2.3522, 8, 30, [("FR", "France", "Île-de-France", 1.0)]),
    ("6b13", -33.8688, 151.2093, 6, 10, [("AU", "Australia", "New South Wales", 1.0)]),
    ("89c25", 40.7128, -74.0060, 8, 20, [("US", "United States", "New York", 0.6), ("US", "United States", "New Jersey", 0.4)]),
]


def constant(name, value, half=False):
    """An initialiser; half-precision ones are cast back in the graph, as the trained bundles do to stay small."""
    value = np.asarray(value)
    return numpy_helper.from_array(value.astype(np.float16) if half else value, name)


def top_k(x, y_prob, y_cell):
    return [
        helper.make_node("Softmax", [x], ["softmax"], axis=-1),
        helper.make_node("TopK", ["softmax", "k"], [y_prob, y_cell], axis=-1, largest=1, sorted=1),
    ]


def save(name, nodes, inputs, outputs, constants):
    constants = constants + [constant("k", np.array([TOP_K], np.int64))]
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="make_tiny")
    helper.set_model_props(model, {"geo.cells": str(CLASSES)})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, HERE / f"{name}.onnx")


def make_cnn():
    gain = np.array([4, 4, 4, 12, 1, 1, 1, 1], np.float32)
    head = np.zeros((WIDTH, CLASSES), np.float32)
    for feature, cell in ((0, 0), (1, 1), (2, 3), (3, 2)):
        head[feature, cell] = 4
    nodes = [
        *colours.look_at("pixels", "loud"),
        helper.make_node("Tanh", ["loud"], ["embedding"]),
        helper.make_node("Cast", ["head16"], ["head"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["embedding", "head"], ["logits"]),
        *top_k("logits", "prob", "cell"),
    ]
    save(
        "cnn",
        nodes,
        [value("pixels", TensorProto.UINT8, ["n", SIZE, SIZE, 3])],
        [
            value("embedding", TensorProto.FLOAT, ["n", WIDTH]),
            value("prob", TensorProto.FLOAT, ["n", TOP_K]),
            value("cell", TensorProto.INT64, ["n", TOP_K]),
        ],
        [constant("full", np.array(255, np.float32)), constant("look", colours.LOOK), constant("bias", colours.BIAS), constant("gain", gain)]
        + [constant("head16", head, half=True)],
    )


def make_album(name, directions):
    # Gate order i, o, f, c. Gates are open by their biases; the cell input of unit c is the feature of class c.
    weights = np.zeros((directions, 4 * HIDDEN, WIDTH), np.float32)
    for feature, cell in ((0, 0), (1, 1), (2, 3), (3, 2)):
        weights[:, 3 * HIDDEN + cell, feature] = 1.5
    recurrent = np.zeros((directions, 4 * HIDDEN, HIDDEN), np.float32)
    bias = np.zeros((directions, 8 * HIDDEN), np.float32)
    bias[:, : 3 * HIDDEN] = np.repeat([4, 4, 2.5], HIDDEN)
    nodes = [
        helper.make_node("Transpose", ["embeddings"], ["steps"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["steps", "weights", "recurrent", "bias"], ["hidden"], hidden_size=HIDDEN, direction=("forward", "bidirectional")[directions - 1]),
        helper.make_node("ReduceSum", ["hidden", "one"], ["flat"], keepdims=0),  # of both directions, or of the one
        helper.make_node("Transpose", ["flat"], ["memory"], perm=[1, 0, 2]),
        helper.make_node("Mul", ["memory", "sure"], ["logits"]),
        *top_k("logits", "prob", "cell"),
    ]
    save(
        name,
        nodes,
        [value("embeddings", TensorProto.FLOAT, ["n", "t", WIDTH])],
        [value("prob", TensorProto.FLOAT, ["n", "t", TOP_K]), value("cell", TensorProto.INT64, ["n", "t", TOP_K])],
        [constant("weights", weights), constant("recurrent", recurrent), constant("bias", bias)]
        + [constant("one", np.array([1], np.int64)), constant("sure", np.array(6, np.float32))],
    )


def make_cells():
    keys = ("country_code", "country", "region", "share")
    columns = list(zip(*CELLS))
    places = [json.dumps([dict(zip(keys, p)) for p in rows], ensure_ascii=False) for rows in columns[5]]
    table = pyarrow.table(
        {
            "cell": columns[0],
            "lat": pyarrow.array(columns[1], pyarrow.float64()),
            "lon": pyarrow.array(columns[2], pyarrow.float64()),
            "level": pyarrow.array(columns[3], pyarrow.int32()),
            "photos": pyarrow.array(columns[4], pyarrow.int64()),
            "places": places,
        }
    )
    pyarrow.parquet.write_table(table, HERE / "cells.parquet")


def paint(name, colour, shape):
    """A colour with a soft slope that only the right crop sees as it should: yellow outside of it, dark in its middle."""
    w, h = shape
    slope = np.linspace(-12, 12, w)[None, :, None]
    pixels = np.clip(np.array(colour)[None, None, :] + slope, 0, 255).repeat(h, 0).astype(np.uint8)
    y, x = np.mgrid[:h, :w] + 0.5
    off = np.maximum(abs(x - w / 2), abs(y - h / 2)) / (min(w, h) / 2)
    pixels[off > CROP + 0.05] = (255, 255, 0)
    pixels[off < 0.4] //= 2
    Image.fromarray(pixels).save(HERE / "golden" / name, quality=92, subsampling=0)


def pixels_of(name):
    photo = Image.open(HERE / "golden" / name).convert("RGB")
    w, h = photo.size
    side = CROP * min(w, h)
    box = ((w - side) / 2, (h - side) / 2, (w + side) / 2, (h + side) / 2)
    return np.asarray(photo.resize((SIZE, SIZE), Image.BICUBIC, box=box))


def make_golden():
    paint("red.jpg", (200, 40, 40), (64, 48))
    paint("green.jpg", (40, 160, 60), (48, 64))
    paint("blue.jpg", (50, 60, 190), (90, 50))
    paint("grey.jpg", (110, 110, 110), (50, 50))
    names = ["red.jpg", "green.jpg", "blue.jpg", "grey.jpg"]
    cnn = onnxruntime.InferenceSession(HERE / "cnn.onnx")
    album, blstm = (onnxruntime.InferenceSession(HERE / f"{n}.onnx") for n in ("album", "blstm"))
    embedding, prob, cell = cnn.run(None, {"pixels": np.stack([pixels_of(n) for n in names])})
    sequence = embedding[[3, 0, 0]]

    def classes(model, x, last):
        p, c = model.run(None, {"embeddings": x[None]})
        return [{"cell": int(c), "prob": round(float(p), 6)} for p, c in zip(p[0, -last:, 0], c[0, -last:, 0])]

    golden = {
        "tolerance": {"prob": 0.02, "embedding_cosine": 0.999},
        "photos": [
            {
                "file": n,
                "top_cell": int(cell[i, 0]),
                "top_prob": round(float(prob[i, 0]), 6),
                "embedding_head": [round(float(v), 6) for v in embedding[i, :16]],
            }
            for i, n in enumerate(names)
        ],
        "album": {
            "photos": ["grey.jpg", "red.jpg", "red.jpg"],
            "lstm": classes(album, sequence, 3),
            "lstm_repeat": classes(album, np.concatenate([sequence, sequence]), 3),
            "blstm": classes(blstm, sequence, 3),
        },
    }
    (HERE / "golden" / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


def make_manifest():
    files = sorted(p for p in HERE.rglob("*") if p.is_file())
    lines = [
        f"  - {{path: {p.relative_to(HERE).as_posix()}, bytes: {p.stat().st_size},"
        f" sha256: {hashlib.sha256(p.read_bytes()).hexdigest()}}}"
        for p in files
    ]
    steps = """
      - {confidence: 0.0, p50_m: 5000000, p90_m: 12000000}
      - {confidence: 0.4, p50_m: 60000, p90_m: 2000000}
      - {confidence: 0.8, p50_m: 20000, p90_m: 150000}"""
    calibration = "\n".join(
        f"  {mode}:\n    temperature: 1.0\n    abstain_below: 0.4\n    radius:{steps}"
        for mode in ("single", "average", "lstm", "lstm_repeat", "blstm", "hmm")
    )
    (HERE / "bundle.yaml").write_text(f"""\
schema: 1
name: tiny
version: 1.0.0
licence: Apache-2.0
summary: four cells told apart by colour, for tests
head: classes
files:
{chr(10).join(lines)}
input: {{size: {SIZE}, crop: {CROP}, colour: rgb, layout: nhwc, type: uint8, resize: centre-crop bicubic antialiased}}
cnn: {{file: cnn.onnx, input: pixels, embedding: embedding, prob: prob, cell: cell, width: {WIDTH}, top_k: {TOP_K}, buckets: [1, 2, 4, 8]}}
album: {{file: album.onnx, graphs: {{blstm: blstm.onnx}}, input: embeddings, prob: prob, cell: cell, width: {WIDTH}, top_k: {TOP_K}, modes: [none, average, lstm, lstm_repeat, blstm, hmm], default: lstm_repeat}}
cells: {{file: cells.parquet, count: {CLASSES}}}
calibration:
{calibration}
precision_cap_level: 12
golden: golden/golden.json
""")


if __name__ == "__main__":
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "golden").mkdir(parents=True)
    make_cnn()
    make_album("album", 1)
    make_album("blstm", 2)
    make_cells()
    make_golden()
    make_manifest()
