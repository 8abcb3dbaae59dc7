"""What becomes of a graph when its float16 weights are made plain, and of its answers when it is quantised."""

import numpy as np
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


def test_plain_weights_answer_the_same(made):
    folder, paths = made
    quantise.whole(folder / "cnn.onnx", folder / "plain.onnx")
    pixels = square.pixels(Image.open(paths[0]), 1.0, 224)[None]
    ours, theirs = (graphs.session(folder / name).run(["prob"], {"pixels": pixels})[0] for name in ("cnn.onnx", "plain.onnx"))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
