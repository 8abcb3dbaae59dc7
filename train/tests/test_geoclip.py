"""GeoCLIP as a bundle: the half that knows places with its real weights, the half that sees with chance ones.

Needs requirements-geoclip.txt; skipped without. The true shape takes minutes and gigabytes: `-m slow`.
"""

import copy

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional as F

geoclip = pytest.importorskip("geoclip", reason="pip install -r requirements-geoclip.txt")

import classes  # noqa: E402
import export  # noqa: E402
import export_geoclip as ours  # noqa: E402
import foreign  # noqa: E402
import gallery  # noqa: E402
import graphs

PLACES = 3000


@pytest.fixture(scope="module")
def theirs():
    """geoclip's own model with its real weights and a tower of chance weights."""
    torch.manual_seed(3)
    model = geoclip.GeoCLIP.__new__(geoclip.GeoCLIP)
    torch.nn.Module.__init__(model)
    model.location_encoder = geoclip.LocationEncoder().eval()
    model.logit_scale = ours.weights("logit_scale")
    return model


def pictures(n: int) -> np.ndarray:
    coarse = torch.rand((n, 3, 7, 7), generator=torch.Generator().manual_seed(n))
    smooth = F.interpolate(coarse, size=(ours.SIZE, ours.SIZE), mode="bicubic").clamp(0, 1)
    return (smooth * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def built(shape: str, folder, half=True):
    model = ours.GeoClip(ours.random_tower(shape), ours.image_layers(), ours.encoded(ours.places()[:PLACES]), ours.logit_scale(), 64).eval()
    model = export.rounded(model) if half else model
    export.to_onnx(model, torch.zeros((2, ours.SIZE, ours.SIZE, 3), dtype=torch.uint8), folder / "cnn.onnx",
                   ("pixels", list(ours.OUTPUTS.values())[1:]), {0: "n"}, {"cells": PLACES}, half)
    return model, graphs.session(folder / "cnn.onnx")


def compare(model, runtime, n: int) -> None:
    seen = pictures(n)
    embedding, prob, row = runtime.run(None, {"pixels": seen})
    with torch.no_grad():
        e, p, r = (x.numpy() for x in model(torch.from_numpy(seen)))
    assert graphs.cosine(embedding, e) >= 0.9999
    assert graphs.top_difference((prob, row), (p, r), PLACES) <= 1e-4
    assert np.allclose(np.linalg.norm(embedding, axis=1), 1, atol=1e-4)
    assert (np.diff(prob, axis=1) <= 0).all()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return built("small", tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_photos_come_out_as_in_pytorch(small, n):
    compare(*small, n)


@pytest.mark.slow
def test_the_true_shape_comes_out_as_in_pytorch(tmp_path):
    compare(*built("full", tmp_path), 2)


def test_places_are_encoded_as_by_geoclip(theirs):
    at = ours.places()[::311]
    with torch.no_grad():
        want = F.normalize(theirs.location_encoder(at), dim=1)
    assert torch.allclose(ours.encoded(at, batch=50), want, atol=1e-6)
    far = ours.encoded(torch.tensor([[41.9, 12.5], [41.91, 12.5], [-33.9, 151.2]]))
    assert float(far[0] @ far[1]) > float(far[0] @ far[2]) + 0.2, "the real weights know that Rome is near Rome"


def test_the_graph_says_what_geoclip_says(small, theirs):
    """The same logits as GeoCLIP.forward: the scale, both lengths, the layers and the order of the gallery."""
    model, runtime = small
    seen = pictures(4)
    embedding, prob, row = runtime.run(None, {"pixels": seen})
    with torch.no_grad():
        features = torch.from_numpy(embedding)
        location = F.normalize(theirs.location_encoder(ours.places()[:PLACES]), dim=1)
        want = (theirs.logit_scale.exp() * features @ location.T).softmax(-1).numpy()
    assert np.abs(np.take_along_axis(want, row, 1) - prob).max() < 1e-4


def test_the_layers_behind_the_tower_are_geoclips():
    encoder = geoclip.ImageEncoder.__new__(geoclip.ImageEncoder)
    torch.nn.Module.__init__(encoder)
    tower = ours.random_tower("small")
    encoder.CLIP = type("Clip", (), {"get_image_features": staticmethod(lambda pixel_values: tower(pixel_values=pixel_values).image_embeds)})()
    encoder.mlp = ours.image_layers()
    model = ours.GeoClip(tower, ours.image_layers(), torch.zeros(2, ours.WIDTH), 1.0, 1)
    seen = pictures(2)
    mean, std = (np.array(v, np.float32) for v in (ours.MEAN, ours.STD))
    scaled = torch.from_numpy(((seen.astype(np.float32) / 255 - mean) / std).transpose(0, 3, 1, 2))
    with torch.no_grad():
        assert torch.allclose(model.embed(torch.from_numpy(seen)), F.normalize(encoder(scaled), dim=1), atol=1e-5)


def test_folding_adds_up():
    got = gallery.fold(np.array([[0.5, 0.25, 0.125]]), np.array([[4, 0, 1]]), np.array([1, 0, 0, 0, 0]), 3)
    assert got.tolist() == [[0.625, 0.25, 0.0]]


def test_calibrating_measures_what_the_graph_will_say(small, tmp_path):
    model = small[0]
    path = [tmp_path / f"{i}.png" for i in range(6)]
    for i, file in enumerate(path):
        foreign.draw(i).save(file)
    (tmp_path / "cells.csv").write_text("class_label,hex_id\n" + "".join(f"{i},{token}\n" for i, token in enumerate("13579b")))
    classes.write_cells(tmp_path / "cells.parquet", classes.read(tmp_path / "cells.csv"))  # the six faces of the cube
    cells = gallery.Cells(tmp_path / "cells.parquet")
    at = ours.places()[:PLACES].double().numpy()
    cell_of = cells.of(at[:, 0], at[:, 1])
    photos = foreign.Photos(path, np.linspace(-50, 60, 6), np.linspace(-120, 150, 6), ["a"] * 6, 0)
    t, calibration = ours.calibrated(model, cells, cell_of, photos)
    assert t in foreign.TEMPERATURES and calibration["single"]["temperature"] == round(t, 4)
    # With chance weights all answers are alike; sure ones must cost more than doubtful ones.
    assert t > 1
    assert np.isfinite([row["p90_m"] for row in calibration["single"]["radius"]]).all()


def test_a_tower_of_another_shape_is_refused(tmp_path):
    ours.random_tower("small").save_pretrained(tmp_path / "small")
    with pytest.raises(SystemExit, match="ViT-L/14"):
        ours.load_tower(tmp_path / "small")
    with pytest.raises(SystemExit, match="no config.json"):
        ours.load_tower(tmp_path)


def test_a_tower_for_gpus_computes_in_float16_and_sees_the_same(small, tmp_path):
    model, _ = small
    half = copy.deepcopy(model)
    half.tower.half()
    export.to_onnx(half, torch.zeros((2, ours.SIZE, ours.SIZE, 3), dtype=torch.uint8), tmp_path / "cnn.onnx",
                   ("pixels", list(ours.OUTPUTS.values())[1:]), {0: "n"}, {"cells": PLACES})
    kinds = {t.data_type for t in onnx.load(tmp_path / "cnn.onnx").graph.initializer if t.name.startswith("tower") and len(t.dims) > 1}
    assert kinds == {onnx.TensorProto.FLOAT16}
    for n in (1, 3):
        seen = pictures(n)
        embedding = graphs.session(tmp_path / "cnn.onnx").run(None, {"pixels": seen})[0]
        with torch.no_grad():
            assert graphs.cosine(embedding, model(torch.from_numpy(seen))[0].numpy()) > 0.9995
