"""A classifier of chance weights, wrapped: what the bundle says against what the classifier says."""

import argparse

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import classes
import foreign
import gallery
import graphs
import wrap

SIZE, WIDTH = 32, 12
# Rome, Paris, Sydney, New York in an order that is not that of S2
TOKENS = [("89c25", 40.7128, -74.0060), ("132f7", 41.9028, 12.4964), ("6b13", -33.8688, 151.2093), ("47e67", 48.8566, 2.3522)]


def classifier(batch="n", opset=17, count=len(TOKENS)) -> onnx.ModelProto:
    """Means of the colours → a hidden layer → scores; its names are those that a wrapper might want for itself."""
    rng = np.random.default_rng(5)
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixels"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "first"], ["hidden"]),
        helper.make_node("Tanh", ["hidden"], ["embedding"]),
        helper.make_node("Gemm", ["embedding", "second"], ["prob"]),
    ]
    weights = {"first": (3, WIDTH), "second": (WIDTH, count)}
    graph = helper.make_graph(
        nodes, "net", [value("pixels", TensorProto.FLOAT, [batch, 3, SIZE, SIZE])], [value("prob", TensorProto.FLOAT, [batch, count])],
        [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), n) for n, s in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def table(path, header="class_label,hex_id,imgs_per_cell,latitude_mean,longitude_mean"):
    lines = [header]
    for label, (token, lat, lon) in enumerate(TOKENS):
        lines.append(f"{label},{token},{10 + label},{lat},{lon}" if "hex_id" in header else f"{label},{lat},{lon}")
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    return classes.read(path)


def arguments(out, **change) -> argparse.Namespace:
    usual = {"out": out, "licence": "MIT", "name": "other", "version": "1", "summary": "chance weights", "planetag": "planetag", "calibrate": None,
             "photos": None, "top_k": 3}
    return argparse.Namespace(**(usual | change))


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, SIZE, SIZE, 3), np.uint8)


def expected(seen: np.ndarray, t=1.0) -> np.ndarray:
    """[n, classes] in the classifier's own order, by numpy."""
    weights = {w.name: numpy_helper.to_array(w) for w in classifier().graph.initializer}
    x = ((seen.astype(np.float64) / 255 - wrap.IMAGENET[0]) / wrap.IMAGENET[1]).mean((1, 2))
    scores = np.exp(np.tanh(x @ weights["first"]) @ weights["second"] / t)
    return scores / scores.sum(1, keepdims=True)


def test_cells_are_answered_in_the_order_of_s2(tmp_path):
    known = table(tmp_path / "cells.csv")
    wrap.write(wrap.Network(classifier()), known, arguments(tmp_path / "out"))
    seen = pictures(5)
    embedding, prob, cell = graphs.session(tmp_path / "out/cnn.onnx").run(list(wrap.NAMES.values())[1:], {"pixels": seen})
    want = expected(seen)
    cells = gallery.Cells(tmp_path / "out/cells.parquet")
    for i in range(len(seen)):
        for p, row in zip(prob[i], cell[i], strict=True):
            label = next(n for n, (_, lat, _) in enumerate(TOKENS) if lat == cells.lat[row])
            assert abs(p - want[i, label]) < 1e-5
    assert embedding.shape == (5, WIDTH)
    manifest = yaml.safe_load((tmp_path / "out/bundle.yaml").read_text())
    assert manifest["head"] == "classes" and manifest["cells"]["count"] == 4 and "gallery" not in manifest
    assert manifest["calibration"]["single"]["abstain_below"] == 1, "nobody measured it"


def test_places_become_a_gallery(tmp_path, monkeypatch):
    def build(_, path, lat, lon, *rest):
        classes.write_cells(path, table(tmp_path / "cells.csv"))

    monkeypatch.setattr(gallery, "build_cells", build)
    known = table(tmp_path / "places.csv", "class_label,lat,lon")
    wrap.write(wrap.Network(classifier()), known, arguments(tmp_path / "out", top_k=99))
    manifest = yaml.safe_load((tmp_path / "out/bundle.yaml").read_text())
    assert manifest["head"] == "gallery" and manifest["gallery"]["count"] == 4 and manifest["cnn"]["top_k"] == 4
    seen = pictures(3)
    prob, row = graphs.session(tmp_path / "out/cnn.onnx").run(["prob", "class"], {"pixels": seen})
    assert np.abs(np.take_along_axis(expected(seen), row, 1) - prob).max() < 1e-5


def test_temperature_and_probabilities(tmp_path):
    seen, order = pictures(4), np.arange(4)
    soft = classifier()
    soft.graph.node.append(helper.make_node("Softmax", ["prob"], ["soft"], axis=-1))
    soft.graph.output[0].name = "soft"
    for net in (wrap.Network(classifier()), wrap.Network(soft, probabilities=True)):
        graphs.save(wrap.assembled(net, order, 4, 2.5), tmp_path / "cnn.onnx")
        prob, row = graphs.session(tmp_path / "cnn.onnx").run(["prob", "class"], {"pixels": seen})
        assert np.abs(np.take_along_axis(expected(seen, 2.5), row, 1) - prob).max() < 1e-5


def test_the_temperature_is_found():
    """Scores that are three times too sure."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4000, 6)) * 2

    def soft(t):
        p = np.exp(logits / t)
        return p / p.sum(1, keepdims=True)

    truth = np.array([rng.choice(6, p=p) for p in soft(3.0)])
    assert abs(np.log(foreign.temperature(soft, truth) / 3)) < 0.25


def test_what_was_measured_is_written(tmp_path):
    """Photos whose true place is what the classifier says most of the time; half of them in albums of two."""
    known = table(tmp_path / "cells.csv")
    seen = pictures(240)
    label = expected(seen).argmax(1)
    label[::4] = (label[::4] + 1) % 4
    lines = ["id,file,lat,lon,album"]
    for i, picture in enumerate(seen):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        lines.append(f"{i},{i}.png,{TOKENS[label[i]][1]},{TOKENS[label[i]][2]},{f'a{i // 2}' if i < 120 else ''}")
    (tmp_path / "m.csv").write_text("\n".join([*lines, "x,gone.png,1,1,"]) + "\n")
    args = arguments(tmp_path / "out", calibrate=tmp_path / "m.csv", photos=tmp_path)
    wrap.write(wrap.Network(classifier()), known, args)
    manifest = yaml.safe_load((tmp_path / "out/bundle.yaml").read_text())
    single = manifest["calibration"]["single"]
    assert manifest["album"] == {"modes": ["none", "average"], "default": "average"}
    assert single["radius"][0]["confidence"] == 0 and single["expected_error"]["tables"][0]["radius"][0]["expected_error_m"] == 0
    assert "on 240 photos (1 could not be read)" in (tmp_path / "out/CARD.md").read_text()
    prob, row = graphs.session(tmp_path / "out/cnn.onnx").run(["prob", "class"], {"pixels": seen[:1]})
    order = known.order()
    assert np.abs(expected(seen[:1], single["temperature"])[0, order[row[0]]] - prob[0]).max() < 1e-4, "the graph applies the temperature"


def test_few_photos_do_not_calibrate(tmp_path):
    (tmp_path / "m.csv").write_text("file,lat,lon\na.png,1,1\n")
    with pytest.raises(ValueError, match="0 readable photos, a calibration wants at least 100"):
        foreign.read_photos(tmp_path / "m.csv", tmp_path)


@pytest.mark.parametrize(("model", "want"), [
    (classifier(batch=1), "exactly 1 photos; export the model with an open first dimension"),
    (classifier(opset=12), "opset 12, want 13 or later"),
])
def test_models_that_cannot_be_wrapped(tmp_path, model, want):
    with pytest.raises(ValueError, match=want):
        wrap.assembled(wrap.Network(model), np.arange(4), 3, 1.0)


@pytest.mark.parametrize(("text", "want"), [
    ("class_label,hex_id\n0,89c25\n0,132f7\n", "class_label must be each of 0 to 1 once"),
    ("class_label,hex_id\n0,89C2x\n", "line 2: '89c2x' is not an S2 token"),
    ("class_label,hex_id\n0,\n", "line 2: '' is not an S2 token"),
    ("class_label,lat,lon\n0,95,1\n", "line 2: 95.0, 1.0 is not on the earth"),
    ("class_label,lat,lon\n0,nan,1\n", "is not on the earth"),
    ("class_label,lat,lon\n0,north,1\n", "line 2: could not convert"),
    ("class_label,name\n0,Rome\n", "neither hex_id nor lat and lon"),
    ("label,lat,lon\n0,1,1\n", "no column class_label"),
    ("class_label,lat,lon\n", "must be each of 0 to 0 once"),
])
def test_tables_that_cannot_be_read(tmp_path, text, want):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(ValueError, match=want):
        classes.read(tmp_path / "c.csv")


def test_a_timm_classifier(tmp_path):
    pytest.importorskip("timm", reason="pip install -r requirements-geoclip.txt")
    import torch

    import export_timm

    net = export_timm.network("resnet10t", None, len(TOKENS))
    graphs.save(wrap.assembled(net, np.arange(4), 4, 1.0), tmp_path / "cnn.onnx")
    seen = np.random.default_rng(2).integers(0, 256, (3, net.size(), net.size(), 3), np.uint8)
    embedding, prob, row = graphs.session(tmp_path / "cnn.onnx").run(["photo_embedding", "prob", "class"], {"pixels": seen})
    torch.manual_seed(7)
    theirs = export_timm.timm.create_model("resnet10t", pretrained=False, num_classes=4).eval()
    x = torch.from_numpy(((seen / 255 - np.array(net.mean)) / np.array(net.std)).astype(np.float32).transpose(0, 3, 1, 2))
    with torch.no_grad():
        want = theirs(x).softmax(-1).numpy()
        layer = theirs.forward_head(theirs.forward_features(x), pre_logits=True).numpy()
    assert np.abs(np.take_along_axis(want, row, 1) - prob).max() < 1e-4
    assert graphs.cosine(embedding, layer) > 0.9999
