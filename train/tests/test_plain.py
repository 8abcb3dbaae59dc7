"""The plain head that the recipe is measured against: it learns what is easy, and nobody knows less than its cells allow."""

import numpy as np

import draws
import learn
import plain
from cells import Cell, Cells

ROME, PARIS = (41.9, 12.5), (48.86, 2.35)


def photos(at: list[tuple[float, float]], albums: list[str], hours: list[int | None], seed: int = 3) -> learn.Seen:
    """Photos whose features say, through noise, whether they were taken in Rome."""
    random = np.random.default_rng(seed)
    rows = [{"id": f"{seed}-{i}", "album": album, "taken_at": "" if h is None else f"2024-05-01T{h:02d}:00:00Z"}
            for i, (album, h) in enumerate(zip(albums, hours, strict=True))]
    x = random.normal(size=(len(at), 1, 8)).astype(np.float32)
    x[:, 0, 0] += [6.0 if place == ROME else -6.0 for place in at]
    return learn.Seen(rows, np.array([p[0] for p in at]), np.array([p[1] for p in at]), x)


def test_a_plain_head_answers_what_its_features_tell():
    at = [ROME, PARIS] * 10
    known, hidden = (photos(at, [""] * 20, [None] * 20, seed) for seed in (3, 4))
    cells, label = plain.planet(known, 12)
    assert len(cells) == 2 and np.bincount(label).tolist() == [10, 10]
    prob = plain.answers(known, hidden, cells, label)
    assert np.allclose(prob.sum(1), 1)
    assert draws.errors(cells, prob, hidden).max() < 1


def test_its_weights_are_the_minimum_and_are_pulled_towards_zero(monkeypatch):
    random = np.random.default_rng(5)
    x, label = random.normal(size=(12, 4)), np.arange(12) % 3

    def loss(weight: np.ndarray, bias: np.ndarray) -> float:
        prob = plain.softmax(x @ weight + bias)
        return -np.log(prob[np.arange(12), label]).sum() + plain.PULL / 2 * (weight**2).sum()

    weight, bias = plain.learn_head(x, label, 3)
    least = loss(weight, bias)
    for _ in range(20):
        assert loss(weight + random.normal(size=weight.shape) / 50, bias + random.normal(size=3) / 50) > least
    monkeypatch.setattr(plain, "PULL", 100.0)
    assert np.abs(plain.learn_head(x, label, 3)[0]).max() < np.abs(weight).max() / 5


def test_times_and_limits_count_a_photo_without_any_as_missed():
    known = photos([ROME, PARIS, PARIS], ["a", "a", "b"], [9, 15, 11])
    hidden = photos([ROME, PARIS, ROME, ROME], ["a", "a", "c", "b"], [10, None, 11, 9], seed=4)
    base = Cells([Cell("132f", 6, *ROME, 5, 0.0)])

    class Base:
        cells, manifest = base, {"precision_cap_level": 12}

    rows = {name: (km <= 25).tolist() for name, km in draws.compared(Base(), known, hidden).items()}
    assert rows["nearest in time, album"] == [True, False, False, False], "the second has no time, the third no mate, the fourth's was in Paris"
    assert rows["nearest in time, other albums"] == [False, False, False, True], "of two as far in time the first"
    assert rows["nearest in time, archive"] == [True, False, False, True]
    assert rows["nearest in space, album"] == [True, True, False, False]
    assert rows["nearest in space, archive"] == [True] * 4
    assert rows["best cell, plain"] == [True] * 4
