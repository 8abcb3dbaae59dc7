"""Parity of ONNX and PyTorch, and the shape of the graphs' contract; weights are random, so no data is needed."""

import numpy as np
import onnx
import pytest
import torch

import album
import backbone
import export
import graphs
import heads
import parity

CELLS, WIDTH = 60, 1280


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("models")
    head = heads.Head(WIDTH, CELLS)
    photo = export.rounded(backbone.PhotoModel(backbone.load("lite0"), head, 1.3, backbone.TOP_K).eval())
    model = album.AlbumModel(head, 2.0, album.AlbumSettings()).eval()
    torch.nn.init.normal_(model.out.weight, std=0.3)
    graph = export.rounded(album.AlbumGraph(model, 1.7, backbone.TOP_K).eval())
    export.to_onnx(photo, torch.zeros((2, 224, 224, 3), dtype=torch.uint8), folder / "cnn.onnx",
                   ("pixels", ["embedding", "prob", "cell"]), {0: "n"}, {"role": "cnn"})
    export.to_onnx(graph, torch.zeros((2, 3, WIDTH)), folder / "album.onnx",
                   ("embeddings", ["prob", "cell"]), {0: "n", 1: "t"}, {"role": "album"})
    return folder, photo, graph


def pictures(n: int) -> np.ndarray:
    """Smooth random pictures: noise has no features to compare."""
    coarse = torch.rand((n, 3, 7, 7), generator=torch.Generator().manual_seed(n))
    smooth = torch.nn.functional.interpolate(coarse, size=(224, 224), mode="bicubic").clamp(0, 1)
    return (smooth * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


@pytest.mark.parametrize("n", parity.BATCHES)
def test_photos_come_out_as_in_pytorch(models, n):
    folder, photo, _ = models
    found = parity.compare_photos(pictures(n), photo, folder / "cnn.onnx", CELLS)
    assert found["cosine"] >= 0.9999


@pytest.mark.parametrize("n", parity.BATCHES)
@pytest.mark.parametrize("t", parity.LENGTHS)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_albums_come_out_as_in_pytorch(models, n, t, times):
    folder, _, graph = models
    x = np.random.default_rng(n * t).random((n, t, WIDTH), np.float32)
    parity.compare_album(np.concatenate([x] * times, axis=1), graph, folder / "album.onnx", CELLS)


def test_padding_behind_an_album_changes_nothing(models):
    folder = models[0]
    runtime = graphs.session(folder / "album.onnx")
    x = np.random.default_rng(1).random((1, 9, WIDTH), np.float32)
    spoiled = x.copy()
    spoiled[:, 5:] = 1e3
    whole = runtime.run(["prob", "cell"], {"embeddings": spoiled})
    alone = runtime.run(["prob", "cell"], {"embeddings": x[:, :5]})
    np.testing.assert_allclose(whole[0][:, :5], alone[0], atol=1e-5)


def test_the_graphs_have_the_names_types_and_order_of_the_contract(models):
    runtime = graphs.session(models[0] / "cnn.onnx")
    assert [(i.name, i.type) for i in runtime.get_inputs()] == [("pixels", "tensor(uint8)")]
    assert [(o.name, o.type) for o in runtime.get_outputs()] == [
        ("embedding", "tensor(float)"), ("prob", "tensor(float)"), ("cell", "tensor(int64)")]
    prob = runtime.run(["prob"], {"pixels": pictures(2)})[0]
    assert (np.diff(prob) <= 0).all() and (prob.sum(1) <= 1.0001).all()


def test_the_files_are_small_and_say_nothing_about_where_they_were_made(models):
    for name in ("cnn.onnx", "album.onnx"):
        raw = (models[0] / name).read_bytes()
        assert b"/home" not in raw and b"/work" not in raw and b".py" not in raw
        model = onnx.load_model_from_string(raw)
        large = [t for t in model.graph.initializer if np.prod(t.dims) >= export.SMALL and t.data_type == onnx.TensorProto.FLOAT]
        assert not large, "large weights are stored as float16"


def test_exporting_twice_gives_the_same_bytes(models, tmp_path):
    export.to_onnx(models[2], torch.zeros((2, 3, WIDTH)), tmp_path / "again.onnx",
                   ("embeddings", ["prob", "cell"]), {0: "n", 1: "t"}, {"role": "album"})
    assert (tmp_path / "again.onnx").read_bytes() == (models[0] / "album.onnx").read_bytes()


def test_a_graph_that_answers_nothing_in_common_is_no_parity():
    empty = (np.full((1, 2), np.nan), np.array([[0, 1]]))
    assert graphs.top_difference(empty, (np.array([[0.6, 0.4]]), np.array([[0, 1]])), 3) == float("inf")
