"""Makes the bundle testdata/gallery: the smallest thing that is a whole bundle with a gallery and without an album model.

    python3 make_gallery.py         # writes ./gallery anew; the same packages as make_tiny.py

It looks at colours as make_tiny.py does and has the same cells. Where that one answers with a cell, this one compares the
photo with nine places: three in Rome, and two each in and around Paris, New York and Sydney. One of Sydney's lies in
no cell. A grey photo resembles all of them alike.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow
import pyarrow.parquet
from onnx import TensorProto, helper

import colours
import make_tiny as tiny

HERE = Path(__file__).parent / "gallery"
TOP_K = 5

# (lat, lon, colour the photos there have, how strong), in an order that is not that of the cells
PLACES = [
    (48.8606, 2.3376, 1, 1.0),  # Louvre
    (41.8902, 12.4922, 0, 1.0),  # Colosseum
    (40.6892, -74.0445, 2, 1.0),  # Statue of Liberty
    (41.9009, 12.4833, 0, 0.9),  # Trevi Fountain
    (-33.8568, 151.2153, 3, 1.0),  # Opera House
    (48.8530, 2.3499, 1, 0.9),  # Notre-Dame
    (40.7484, -73.9857, 2, 0.9),  # Empire State Building
    (41.9022, 12.4539, 0, 0.8),  # Saint Peter's
    (-36.4560, 148.2630, 3, 0.9),  # Kosciuszko: outside of every cell
]
CELL_OF = [1, 0, 3, 0, 2, 1, 3, 0, 2]  # what the worker makes of them


def make_cnn():
    value = helper.make_tensor_value_info
    gain = np.array([8, 8, 8, 24, 0.5, 0.5, 0.5, 0.5], np.float32)
    places = np.zeros((tiny.WIDTH, len(PLACES)), np.float32)
    for row, (_, _, feature, strength) in enumerate(PLACES):
        places[feature, row] = strength
    nodes = [
        *colours.look_at("pixels", "loud"),
        helper.make_node("ReduceL2", ["loud"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Max", ["length", "tiny"], ["divisor"]),
        helper.make_node("Div", ["loud", "divisor"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "places"], ["cosines"]),
        helper.make_node("Mul", ["cosines", "sure"], ["logits"]),
        *tiny.top_k("logits", "prob", "row"),
    ]
    tiny.save(
        "cnn",
        nodes,
        [value("pixels", TensorProto.UINT8, ["n", tiny.SIZE, tiny.SIZE, 3])],
        [
            value("embedding", TensorProto.FLOAT, ["n", tiny.WIDTH]),
            value("prob", TensorProto.FLOAT, ["n", TOP_K]),
            value("row", TensorProto.INT64, ["n", TOP_K]),
        ],
        [tiny.constant(name, np.array(v, np.float32)) for name, v in (("full", 255), ("tiny", 1e-6), ("sure", 7))]
        + [tiny.constant("look", colours.LOOK), tiny.constant("bias", colours.BIAS), tiny.constant("gain", gain), tiny.constant("places", places)],
    )


def make_gallery():
    lat, lon, _, _ = zip(*PLACES)
    table = pyarrow.table({"lat": pyarrow.array(lat, pyarrow.float64()), "lon": pyarrow.array(lon, pyarrow.float64())})
    pyarrow.parquet.write_table(table, HERE / "gallery.parquet")


def folded(prob, row):
    cells = np.zeros(len(tiny.CELLS))
    for p, r in zip(prob, row):
        cells[CELL_OF[r]] += p
    return int(cells.argmax()), float(cells.max())


def make_golden():
    tiny.paint("red.jpg", (200, 40, 40), (64, 48))
    tiny.paint("green.jpg", (40, 160, 60), (48, 64))
    tiny.paint("white.jpg", (245, 245, 245), (90, 50))
    names = ["red.jpg", "green.jpg", "white.jpg"]
    cnn = onnxruntime.InferenceSession(HERE / "cnn.onnx")
    embedding, prob, row = cnn.run(None, {"pixels": np.stack([tiny.pixels_of(n) for n in names])})
    photos = []
    for i, name in enumerate(names):
        cell, p = folded(prob[i], row[i])
        head = [round(float(v), 6) for v in embedding[i]]
        photos.append({"file": name, "top_cell": cell, "top_prob": round(p, 6), "embedding_head": head})
    golden = {"tolerance": {"prob": 0.02, "embedding_cosine": 0.999}, "photos": photos, "album": {"photos": names}}
    (HERE / "golden" / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


def make_manifest():
    """tiny's manifest with another head."""
    tiny.make_manifest()
    path = HERE / "bundle.yaml"
    text = path.read_text()
    lstm = text.index("  lstm:\n")
    text = text[:lstm] + text[text.index("precision_cap_level"):]
    begin = text.index("album: {")
    text = text[:begin] + "album: {modes: [none, average], default: average}" + text[text.index("\n", begin):]
    for old, new in (
        ("name: tiny", "name: gallery"),
        ("four cells told apart by colour", "nine places in four cells told apart by colour"),
        ("head: classes", "head: gallery"),
        ("cell: cell, width: 8", "cell: row, width: 8"),
        (f"top_k: {tiny.TOP_K}, buckets", f"top_k: {TOP_K}, buckets"),
        ("\ncalibration:", f"\ngallery: {{file: gallery.parquet, count: {len(PLACES)}}}\ncalibration:"),
    ):
        if text.count(old) != 1:
            raise ValueError(f"the manifest has {old!r} {text.count(old)} times")
        text = text.replace(old, new)
    path.write_text(text)


if __name__ == "__main__":
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "golden").mkdir(parents=True)
    tiny.HERE, tiny.TOP_K, top_k = HERE, TOP_K, tiny.TOP_K
    tiny.CLASSES = len(PLACES)  # what the graph says it chooses among
    make_cnn()
    tiny.CLASSES, tiny.TOP_K = len(tiny.CELLS), top_k
    tiny.make_cells()
    make_gallery()
    make_golden()
    make_manifest()
