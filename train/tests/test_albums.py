"""Albums as they come: of one photo, without times, of photos that are far apart, of very many."""

import numpy as np
import pytest
import torch

import album
import heads
import measure
from data import Photo


def photo(name: str, lat: float, lon: float, of: str = "", taken_at: str = "") -> Photo:
    return Photo(name, "travel", None, name, lat, lon, taken_at, of, of, "", "")


def test_an_album_is_read_in_capture_order_and_one_photo_is_none():
    photos = [photo("b", 1, 1, "trip", "2024-05-02T10:00:00"), photo("a", 1, 1, "trip", "2024-05-01T10:00:00"), photo("alone", 2, 2, "one"),
              photo("loose", 3, 3), photo("y", 4, 4, "no times"), photo("x", 4, 4, "no times")]
    assert sorted(album.real_albums(photos, range(6))) == [[1, 0], [5, 4]]


def test_the_average_of_an_album_of_one_is_the_photo():
    class Corpus:
        photos = [photo("a", 1, 1, "trip"), photo("b", 1, 1, "trip"), photo("alone", 2, 2, "one")]

    dense = np.array([[1.0, 0], [0, 1.0], [0.2, 0.8]])
    np.testing.assert_allclose(measure.averaged(Corpus, dense, [0, 1, 2]), [[0.5, 0.5], [0.5, 0.5], [0.2, 0.8]])
    np.testing.assert_allclose(measure.averaged(Corpus, dense, [1, 2]), [[0, 1], [0.2, 0.8]])


@pytest.mark.parametrize(("photos", "some"), [
    ([], False), ([photo("a", 0, 1)], False), ([photo("a", 0, 1), photo("b", 60, 150)], False),
    ([photo(str(i), 0, i / 100) for i in range(20)], True),
])
def test_albums_are_made_up_of_neighbours_only(photos, some):
    settings = album.AlbumSettings(stranger=0.0)
    made = album.synthetic_albums(photos, list(range(len(photos))), 30, settings, 1)
    assert bool(made) == some
    assert all(len(a) > 1 and len(set(a)) == len(a) for a in made)


def test_the_album_model_reads_one_photo_and_five_thousand():
    head = heads.Head(16, 5)
    model = album.AlbumModel(head, 1.0, album.AlbumSettings(projection=4, units=4)).eval().requires_grad_(False)
    x = np.random.default_rng(1).normal(size=(5000, 16)).astype(np.float32)
    for rows in ([7], list(range(5000))):
        logits = model(torch.from_numpy(x[rows])[None])[0].numpy()
        assert logits.shape == (len(rows), 5) and np.isfinite(logits).all()


def test_no_album_at_all_leaves_the_model_at_averaging():
    head = heads.Head(16, 5)
    x = np.ones((3, 2, 16), np.float32)
    model = album.train_album([], x, np.zeros((3, 2, 5), np.float32), np.ones((3, 5), np.float32) / 5, np.ones(3, np.float32), head, 1.0,
                              album.AlbumSettings(projection=4, units=4))
    with torch.no_grad():
        answered = heads.softmax(model(torch.from_numpy(x[None, :, 0])).numpy())
    np.testing.assert_allclose(answered[0, 2], heads.softmax(head(torch.from_numpy(x[:1, 0])).detach().numpy())[0], atol=1e-5)


def test_without_real_albums_the_synthetic_ones_weigh_alone():
    assert measure.album_weights([], [[1, 2], [3]]).tolist() == [1, 1, 1]
    assert measure.album_weights([[1, 2]], [[3, 4, 5, 6]]).tolist() == [2, 2, 1, 1, 1, 1]
