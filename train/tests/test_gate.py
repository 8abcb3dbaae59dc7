"""Who answers a photo: the archive's cells, or the base."""

from types import SimpleNamespace

import numpy as np
import pytest

import archive
import learn
import teach
from cells import Cells
from test_learn import PARIS, ROME, cell


def test_what_the_base_places_better_is_left_to_it():
    """Half of an archive's photos are of a place that the base knows, and is surer about."""
    random = np.random.default_rng(9)
    known = np.arange(400) < 200
    sure = np.where(known, 0.5, 0.05) * random.uniform(0.8, 1.2, 400)
    rows = [np.column_stack([random.normal(-10, 1, 400), np.log(sure)]), np.column_stack([random.normal(-14, 1, 400), np.full(400, np.log(0.05))])]
    all_ours, some = (archive.learn_gate([(rows[0], 0.3), (rows[1], 0.7)], ours) for ours in (np.ones(400), 1.0 - known))
    assert all_ours(np.full(2, -10.0), np.array([0.5, 0.05])).min() > 0.5
    theirs, ours = some(np.full(2, -10.0), np.array([0.5, 0.05]))
    assert theirs < 0.3 < 0.5 < ours


def test_the_archive_answers_unless_the_base_comes_nearer():
    """Photos in Rome: both are right, neither is, only the base is, only the archive is."""
    base, parts = SimpleNamespace(cells=Cells([cell(ROME, 9), cell(PARIS, 9)])), SimpleNamespace(archive=np.array([0, 1]), cells=Cells([cell(ROME, 9), cell(PARIS, 9)]))
    photos = SimpleNamespace(lat=np.full(4, ROME[0]), lon=np.full(4, ROME[1]))
    rome, paris = [0.9, 0.1], [0.1, 0.9]
    found = teach.better(base, parts, photos, scores=np.array([rome, paris, paris, rome]), said=np.array([rome, paris, rome, paris]))
    assert found == pytest.approx([1, 1, 0, 1])


@pytest.mark.parametrize(("near_from", "want", "asked"), [
    (9.0, archive.LEAN, [archive.LEAN, 0.0]),  # the archive is right however far its gate opens
    (1.0, 0.0, [archive.LEAN, 0.0, -1.5]),  # the base is, once the archive leans less
    (-9.0, archive.LEAN, [archive.LEAN, 0.0]),  # nobody is
])
def test_the_gate_opens_less_where_that_surely_comes_nearer(near_from, want, asked):
    """Photos in Rome, in albums; with a gate that leans no more than this, the answer is Rome, else Paris."""
    parts = SimpleNamespace(cells=Cells([cell(ROME, 9), cell(PARIS, 9)]))
    photos = SimpleNamespace(lat=np.full(30, ROME[0]), lon=np.full(30, ROME[1]), albums=lambda: [f"a{i % 5}" for i in range(30)])
    tried = []

    def answers(lean: float) -> np.ndarray:
        tried.append(lean)
        return np.tile([0.9, 0.1] if lean <= near_from else [0.1, 0.9], (30, 1))

    lean, prob = teach.leaning(parts, photos, answers)
    assert (lean, tried) == (want, asked)
    assert (prob == answers(lean)).all()


def test_the_gate_is_shut_to_what_is_less_alike_than_photos_from_elsewhere():
    """However the archive leans: a base that is seldom sure loses nothing on photos like most of those from elsewhere."""
    random = np.random.default_rng(7)
    mine, others = random.normal(-10, 1, 400), random.normal(-14, 1, 400)
    rows = [np.column_stack([near, np.full(400, np.log(0.05))]) for near in (mine, others)]
    gate = archive.learn_gate([(rows[0], 0.3), (rows[1], 0.7)], np.ones(400))
    z = gate.logit(*rows[1].T)
    assert (z > gate.limit).mean() == pytest.approx(archive.ALIKE, abs=0.01)
    below, open_gate = z < gate.limit, archive.Gate(gate.bias, gate.near, gate.sure)
    g, wide = gate(others, np.full(400, 0.05)), open_gate(others, np.full(400, 0.05))
    assert (g[below] < wide[below] / 2).all() and np.median(g) < np.median(wide) / 4
    assert gate(mine, np.full(400, 0.05)).mean() > 0.9


def test_photos_of_the_archives_places_are_not_from_elsewhere():
    """A user's own photos among those from elsewhere, or others' of the same streets, must not teach the gate that likeness means nothing."""
    random = np.random.default_rng(8)
    at = lambda place, count: (np.full(count, place[0]), np.full(count, place[1]))  # noqa: E731
    direction = np.eye(16)

    def seen(place: tuple[float, float], along: int, count: int) -> learn.Seen:
        x = 5 * direction[along] + random.normal(0, 1, (count, 1, 16))
        return learn.Seen([{"id": f"{along} {i}", "album": ""} for i in range(count)], *at(place, count), x)

    mine, own, others = seen(ROME, 0, 200), seen((ROME[0] + 0.1, ROME[1]), 0, 30), seen(PARIS, 1, 60)
    mixed = learn.Seen(own.rows + others.rows, np.r_[own.lat, others.lat], np.r_[own.lon, others.lon], np.concatenate([own.x, others.x]))
    left = teach.elsewhere(mixed, mine)
    assert [row["id"] for row in left.rows] == [row["id"] for row in others.rows]
    bank = archive.Bank.of(mine.x[:, 0], np.zeros(200, int))
    rows = lambda photos, own=None: np.column_stack([bank.near(photos.x[:, 0], own), np.full(len(photos), np.log(0.05))])  # noqa: E731
    gates = [archive.learn_gate([(rows(mine, bank.places(200)), 0.3), (rows(them), 0.7)], np.ones(200)) for them in (left, mixed)]
    more = [bank.near(seen(place, along, 100).x[:, 0]) for place, along in ((ROME, 0), (PARIS, 1))]
    (ours, theirs), (shut, _) = ([gate(near, np.full(100, 0.05)).mean() for near in more] for gate in gates)
    assert theirs < 0.2 < 0.8 < ours and shut < 0.6
    with pytest.raises(ValueError, match="none of the 30 photos from elsewhere .* --elsewhere"):
        teach.elsewhere(own, mine)
