"""A bundle that is calibrated by who did not make it: a wrapped classifier of chance weights, at a temperature that is known."""

import argparse
import json
from datetime import date, timedelta

import numpy as np
import onnx
import onnxruntime
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import calibrate
import foreign
import graphs
import pin
import recalibrate
import wrap
from diary import Diary
from test_wrap import TOKENS, arguments, classifier, expected, pictures, table


def archive_of(tmp_path, label: np.ndarray, seen: np.ndarray) -> argparse.Namespace:
    """Photos at the places of their labels, in albums of two, and an uncalibrated bundle to be calibrated with them."""
    lines = ["id,file,lat,lon,album"]
    for i, picture in enumerate(seen):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        lines.append(f"{i},{i}.png,{TOKENS[label[i]][1]},{TOKENS[label[i]][2]},a{i // 2}")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    wrap.write(wrap.Network(classifier()), table(tmp_path / "cells.csv"), arguments(tmp_path / "plain"))
    return argparse.Namespace(bundle=tmp_path / "plain", out=tmp_path / "out", calibrate=tmp_path / "m.csv", photos=tmp_path)


def manifest_of(folder) -> dict:
    return yaml.safe_load((folder / "bundle.yaml").read_text())


def drawn_labels(seen: np.ndarray, t: float) -> np.ndarray:
    """Places as if the classifier's scores were t times too sure."""
    rng = np.random.default_rng(3)
    return np.array([rng.choice(len(TOKENS), p=p) for p in expected(seen, t)])


def test_a_bundle_is_calibrated_by_who_did_not_make_it(tmp_path):
    """Scores that are three times too sure: the graph, its golden answers and its tables are those of a temperature of about three."""
    seen = pictures(400)
    args = archive_of(tmp_path, drawn_labels(seen, 3.0), seen)
    said = recalibrate.run(args)
    assert "calibrated on 400 photos" in said and "kept" not in said
    before, after = manifest_of(tmp_path / "plain"), manifest_of(tmp_path / "out")
    single = after["calibration"]["single"]
    assert abs(np.log(single["temperature"] / 3)) < 0.3 and "expected_error" not in before["calibration"]["single"]
    assert single["expected_error"]["promise"]["within_m"] == 750e3 and after["album"]["modes"] == ["none", "average"]
    prob, row = graphs.session(tmp_path / "out/cnn.onnx").run(["prob", "class"], {"pixels": seen[:9]})
    order = table(tmp_path / "cells.csv").order()
    want = np.take_along_axis(expected(seen[:9], single["temperature"]), order[row], 1)
    assert np.abs(want - prob).max() < 1e-4, "the graph answers at the temperature"
    golden = [json.loads((tmp_path / folder / "golden/golden.json").read_text())["photos"] for folder in ("plain", "out")]
    assert [p["top_cell"] for p in golden[0]] == [p["top_cell"] for p in golden[1]]
    assert all(a["top_prob"] > b["top_prob"] for a, b in zip(*golden, strict=True)), "and so do the golden answers"
    changed = {a["path"] for a, b in zip(before["files"], after["files"], strict=True) if a != b}
    assert changed == {"cnn.onnx", "golden/golden.json"}, "nothing else has changed"


def dated(args: argparse.Namespace, label: np.ndarray, days: list[str]) -> None:
    """The bundle gets a diary of an owner who goes from place to place by the hundred days, and the photos these days."""
    places = len(TOKENS)
    order = table(args.photos / "cells.csv").order()
    row = np.array([int(np.flatnonzero(order == k)[0]) for k in range(places)])
    Diary(19000 + 100 * np.arange(places), row, np.full(places, 9), np.full(places, "")).write(args.bundle / "diary.parquet")
    manifest = manifest_of(args.bundle)
    pin.write(args.bundle, {key: value for key, value in manifest.items() if key != "files"} | {"album": manifest["album"] | {"diary": "diary.parquet"}})
    lines = args.calibrate.read_text().splitlines()
    args.calibrate.write_text("\n".join([lines[0] + ",taken_at"] + [f"{line},{days[k]}" for line, k in zip(lines[1:], label, strict=True)]) + "\n")


@pytest.mark.parametrize("known", [True, False])
def test_a_bundle_that_knows_days_is_measured_told_and_not_told(tmp_path, known: bool):
    """Where the photos say when they were taken; else it keeps its diary for albums, and does not tell photos alone."""
    seen = pictures(200)
    label = np.random.default_rng(5).integers(len(TOKENS), size=200)
    args = archive_of(tmp_path, label, seen)
    start = date(2022, 1, 8)
    dated(args, label, [str(start + timedelta(100 * k)) if known else "" for k in range(len(TOKENS))])
    recalibrate.run(args)
    after = manifest_of(args.out)
    assert after["album"]["diary"] == "diary.parquet" and after["album"]["modes"] == ["none", "average"]
    assert list(after["calibration"]) == (["single", "dated", "average"] if known else ["single", "average"])
    if known:
        single, told = (after["calibration"][name]["radius"][-1]["p50_m"] for name in calibrate.ALONE)
        assert told == calibrate.LEAST_RADIUS_M and single > 1e6, "the diary knows where the photos were taken, and the pictures know nothing"


def test_a_temperature_that_suits_is_left_alone(tmp_path):
    seen = pictures(400)
    said = recalibrate.run(archive_of(tmp_path, drawn_labels(seen, 1.0), seen))
    assert "temperature 1.000" in said and "the temperature was kept: what suits one half of the albums suits the other no better" in said
    before, after = manifest_of(tmp_path / "plain"), manifest_of(tmp_path / "out")
    assert after["files"] == before["files"], "nothing has changed but the tables"


def test_albums_of_one_half_do_not_fit_a_temperature(tmp_path):
    """All photos in one album: there is nothing to try on what was fitted."""
    seen = pictures(100)
    args = archive_of(tmp_path, drawn_labels(seen, 3.0), seen)
    text = args.calibrate.read_text().splitlines()
    args.calibrate.write_text("\n".join([text[0]] + [line.rsplit(",", 1)[0] + ",one" for line in text[1:]]) + "\n")
    assert "kept: too few albums" in recalibrate.run(args)


def test_a_network_without_a_last_choice_is_measured_as_it_is(tmp_path):
    """Sorted probabilities in place of the k best: nothing there to change, but what it says can be measured."""
    seen = pictures(120)
    args = archive_of(tmp_path, drawn_labels(seen, 3.0), seen)
    model = onnx.load(args.bundle / "cnn.onnx")
    last = graphs.last_choice(model, "prob")
    last.output[0] = "chosen"
    model.graph.node.append(helper.make_node("Identity", ["chosen"], ["prob"]))
    (args.bundle / "cnn.onnx").write_bytes(model.SerializeToString())
    said = recalibrate.run(args)
    assert "kept: the network's answer is not made by a TopK" in said and "calibrated on 120 photos" in said
    assert "expected_error" in manifest_of(args.out)["calibration"]["single"]


def test_a_graph_at_another_temperature_is_the_distribution_at_it():
    """Also where a probability is 0, and whatever made it."""
    prob = np.array([[0.7, 0.2, 0.1, 0.0], [0.25, 0.25, 0.5, 0.0]], np.float32)
    value = helper.make_tensor_value_info
    nodes = [helper.make_node("Identity", ["said"], ["dense"]), helper.make_node("TopK", ["dense", "k"], ["prob", "cell"], axis=-1)]
    graph = helper.make_graph(nodes, "net", [value("said", TensorProto.FLOAT, ["n", 4])],
                              [value("prob", TensorProto.FLOAT, ["n", 3]), value("cell", TensorProto.INT64, ["n", 3])],
                              [numpy_helper.from_array(np.array([3]), "k")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for t in (0.5, 1.0, 2.0, 7.0):
        model = graphs.retempered(model, "prob", t)  # again and again: the temperatures multiply
        prob = recalibrate.tempered(prob, t)
        assert prob.sum(1) == pytest.approx(1, abs=1e-5)
        got = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(["prob"], {
            "said": np.array([[0.7, 0.2, 0.1, 0.0], [0.25, 0.25, 0.5, 0.0]], np.float32)})[0]
        assert np.abs(got - -np.sort(-prob, 1)[:, :3]).max() < 1e-5


def test_a_time_that_is_none_is_refused(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("id,file,lat,lon,taken_at\n1,1.png,1,2,\n2,2.png,1,2,yesterday\n")
    with pytest.raises(ValueError, match="line 3: wants .* a taken_at, if any, like .*yesterday"):
        foreign.read_photos(path, tmp_path)
