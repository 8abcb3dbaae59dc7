"""The picture the network sees, the drawn screenshots, and the shipped bundle's own statements."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import corpus
import features
import graphs
import nowhere
import screenshots
import square
import strangers
import textures

BUNDLE = Path(features.__file__).resolve().parent.parent / "bundles" / "demo"


def test_the_centre_square_is_taken_whatever_the_shape():
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste((0, 0, 255), (100, 0, 200, 100))
    assert (square.pixels(wide, 1.0, 224)[112, 112] == [0, 0, 255]).all()
    assert (square.pixels(wide, 0.875, 224)[:, [0, -1]] == [0, 0, 255]).all()
    assert square.pixels(wide, 1.0, 224).shape == (224, 224, 3)


def test_exif_orientation_is_applied_before_cropping():
    upright = Image.new("RGB", (120, 200), "white")
    upright.paste((0, 0, 0), (0, 0, 120, 100))
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = 6
    np.testing.assert_array_equal(square.pixels(turned, 1.0, 224), square.pixels(upright, 1.0, 224))


def test_views_and_screenshots_depend_on_their_seed_alone():
    picture = screenshots.draw(5)
    assert picture.tobytes() == screenshots.draw(5).tobytes() != screenshots.draw(6).tobytes()
    np.testing.assert_array_equal(square.views(picture, "a", 64, 3), square.views(picture, "a", 64, 3))
    assert (square.views(picture, "a", 64, 3) != square.views(picture, "b", 64, 3)).any()


@pytest.fixture(scope="module")
def manifest() -> dict:
    return yaml.safe_load((BUNDLE / "bundle.yaml").read_text())


def test_the_shipped_bundle_lists_every_file_and_stays_small(manifest):
    listed = {f["path"]: f for f in manifest["files"]}
    found = {p.relative_to(BUNDLE).as_posix(): p for p in BUNDLE.rglob("*") if p.is_file() and p.name != "bundle.yaml"}
    assert listed.keys() == found.keys()
    for name, path in found.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[name]["sha256"], name
    assert sum(p.stat().st_size for p in found.values()) < 12e6


def test_the_shipped_bundle_answers_its_golden_photos(manifest):
    golden = json.loads((BUNDLE / "golden/golden.json").read_text())
    runtime = graphs.session(BUNDLE / "cnn.onnx")
    for want in golden["photos"]:
        image = square.pixels(Image.open(BUNDLE / "golden" / want["file"]), manifest["input"]["crop"], manifest["input"]["size"])[None]
        _, prob, cell = runtime.run(["embedding", "prob", "cell"], {"pixels": image})
        assert cell[0, 0] == want["top_cell"] and prob[0, 0] == pytest.approx(want["top_prob"], abs=1e-3)


def test_the_shipped_bundle_refuses_pictures_that_were_taken_nowhere():
    bundle = nowhere.Bundle(BUNDLE)
    drawn = [picture for _, picture in strangers.judged()]
    assert len(drawn) >= 50
    assert bundle.refused(drawn).mean() >= 0.9
    assert bundle.refused([screenshots.draw(seed) for seed in range(5000, 5040)]).mean() >= 0.9


def test_what_judges_is_not_what_teaches():
    assert not set(textures.TAUGHT) & set(strangers.JUDGED)
    names = [name for name, _ in strangers.judged()]
    assert len(names) == len(set(names)) and not set(names) & set(corpus.nowhere_pictures()[0])
    one, two = strangers.draw(strangers.wood, 1), strangers.draw(strangers.wood, 2)
    assert one.tobytes() == strangers.draw(strangers.wood, 1).tobytes() != two.tobytes()
