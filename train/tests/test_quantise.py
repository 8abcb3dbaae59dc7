"""What becomes of a graph when its float16 weights are made plain, and of its answers when it is quantised."""

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

import backbone
import export
import graphs
import heads
import quantise
import square


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    torch.manual_seed(6)
    folder = tmp_path_factory.mktemp("graphs")
    head = heads.Head(1280, 40)
    torch.nn.init.normal_(head.linear.weight, std=0.05)
    photo = export.rounded(backbone.PhotoModel(backbone.load("lite0"), head, 1.0, 32).eval())
    export.to_onnx(photo, torch.zeros((2, 224, 224, 3), dtype=torch.uint8), folder / "cnn.onnx",
                   ("pixels", ["embedding", "prob", "cell"]), {0: "n"}, {"role": "cnn"})
    paths = sorted((quantise.HERE.parent / "pipeline/demo/photos").glob("*/*.jpg"))[:24]
    quantise.quantise(folder / "cnn.onnx", folder / "int8.onnx", paths, 224)
    quantise.halve(folder / "cnn.onnx", folder / "fp16.onnx")
    return folder, paths


def test_the_int8_graph_is_smaller_and_sees_about_the_same(made):
    folder, paths = made
    assert (folder / "int8.onnx").stat().st_size < 0.7 * (folder / "cnn.onnx").stat().st_size
    whole, small = (graphs.session(folder / name) for name in ("cnn.onnx", "int8.onnx"))
    assert [o.name for o in small.get_outputs()] == ["embedding", "prob", "cell"]
    for batch in (1, 4):
        pixels = np.stack([square.pixels(Image.open(p), 1.0, 224) for p in paths[:batch]])
        ours, theirs = (graph.run(["embedding"], {"pixels": pixels})[0] for graph in (whole, small))
        assert graphs.cosine(ours, theirs) > 0.85


def test_the_fp16_graph_computes_in_float16_and_sees_the_same(made):
    folder, paths = made
    values = onnx.shape_inference.infer_shapes(onnx.load(folder / "fp16.onnx")).graph.value_info
    kinds = {v.name: v.type.tensor_type.elem_type for v in values}
    convolved = [n.output[0] for n in onnx.load(folder / "fp16.onnx").graph.node if n.op_type == "Conv"]
    assert len(convolved) > 40 and {kinds[name] for name in convolved} == {onnx.TensorProto.FLOAT16}
    whole, half = (graphs.session(folder / name) for name in ("cnn.onnx", "fp16.onnx"))
    assert [(o.name, o.type) for o in half.get_outputs()] == [(o.name, o.type) for o in whole.get_outputs()]
    for batch in (1, 4):
        pixels = np.stack([square.pixels(Image.open(p), 1.0, 224) for p in paths[:batch]])
        ours, theirs = (graph.run(["embedding", "prob", "cell"], {"pixels": pixels}) for graph in (whole, half))
        assert graphs.cosine(ours[0], theirs[0]) > 0.9995
        assert graphs.top_difference(ours[1:], theirs[1:], 40) < 0.01


def test_what_a_smaller_network_loses_is_counted_in_photos():
    embedding = np.eye(4, dtype=np.float32)
    before = quantise.Seen(embedding, np.array([0, 1, 2, 3]), np.array([1.0, 100.0, 500.0, 9000.0]))
    after = quantise.Seen(embedding, np.array([0, 1, 2, 0]), np.array([30.0, 100.0, 500.0, 9000.0]))
    lines, lost = quantise.compared(before, after, "fp16")
    assert lost == 0.25 and lines[0] == "within 25 km: float 25.00 %, fp16 0.00 %"
    assert lines[-1].startswith("same best cell: 75.00 % of 4 photos")


def test_plain_weights_answer_the_same(made):
    folder, paths = made
    quantise.whole(folder / "cnn.onnx", folder / "plain.onnx")
    pixels = square.pixels(Image.open(paths[0]), 1.0, 224)[None]
    ours, theirs = (graphs.session(folder / name).run(["prob"], {"pixels": pixels})[0] for name in ("cnn.onnx", "plain.onnx"))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
