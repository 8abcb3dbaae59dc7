"""Draws of an archive's hidden half: what is compared, and that a setting is put back."""

import numpy as np
import pytest

import archive
import draws
import interval
import learn
from cells import Cell, Cells
from division import Division

AT = Cells([Cell("132f7", 9, 41.9, 12.5, 1, 0.0), Cell("47e67", 9, 48.86, 2.35, 1, 0.0)])
ALBUMS = ["rome"] * 3 + ["alone"]


def photos() -> learn.Seen:
    """Three of an album in Rome and one of Paris."""
    rows = [{"id": str(i), "album": album, "taken_at": ""} for i, album in enumerate(ALBUMS)]
    return learn.Seen(rows, np.array([41.9, 41.9, 41.9, 48.86]), np.array([12.5, 12.5, 12.5, 2.35]), np.zeros((4, 1, 2)))


def test_albums_answer_together_and_photos_alone_do_not():
    prob = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.1, 0.9]])
    single, album = (draws.errors(AT, p, photos()) for p in (prob, draws.averaged(prob, ALBUMS)))
    assert draws.near(single)[1].tolist() == [1, 1, 0, 1], "one photo of the album looks like Paris"
    assert draws.near(album)[1].tolist() == [1, 1, 1, 1]


def test_a_setting_is_changed_and_put_back_and_nothing_else_is_taken_for_one():
    before = archive.SOFTEN
    with draws.changed(["archive.SOFTEN=1.5", "archive.KERNEL_WEIGHT=0.5"]):
        assert archive.SOFTEN == 1.5
    assert archive.SOFTEN == before
    for wrong in ("archive.SOFTN=1", "archive=1", "SOFTEN=1", "learned.LEAST_OPSET=1"):
        with pytest.raises(ValueError, match="want MODULE.NAME=NUMBER"), draws.changed([wrong]):
            pass


def test_the_recipe_is_compared_photo_by_photo_over_all_draws():
    good, bad = np.array([1.0, 1.0, 1.0, 1.0]), np.array([100.0, 1.0, 1.0, 1.0])
    rows = dict.fromkeys(draws.MODES, good)
    text = draws.table([rows, rows], [rows | {"learned, single": bad}] * 2, [ALBUMS] * 2, [])
    found = next(part for part in text.splitlines() if part.startswith("learned, single: − set"))
    want = interval.mean(100 * np.tile(draws.near(good)[1] - draws.near(bad)[1], 2), ALBUMS * 2)
    assert want.middle == 25 and want.text("+") in found
    assert "2 draws" in text and "over 2 albums" in text


def test_every_rival_is_compared_and_limits_are_not_mixed_with_photos_from_elsewhere():
    rows = {name: np.array([1.0, 1.0, 1.0, 100.0]) for name in (*draws.MODES, "picture, single", "plain, single", "plain, album")}
    rows |= {"plain, single": np.full(4, 100.0), "nearest in space, archive": np.array([1.0, 1.0, 1.0, 30.0]), "elsewhere, learned": np.ones(2)}
    lines = {part[:34].strip(): part[34:].split() for part in draws.table([rows], [], [ALBUMS], ["far", "away"]).splitlines()}
    assert lines["picture − plain, single"][3] == "+75.0" and lines["learned − plain, album"][3] == "+0.0"
    assert lines["nearest in space, archive"][3] == "75.0" and lines["elsewhere, learned"][3] == "100.0"


class Answering:
    """A base, or what has learned on top of it, that says the same to everything."""

    cells, manifest = AT, {"precision_cap_level": 12}

    def prob(self, *_) -> np.ndarray:
        return np.array([[0.4, 0.6]])


def test_a_photo_alone_is_told_as_an_album_is(monkeypatch):
    """A photo of which the picture says Paris was taken in Rome, on a day of which its album and another one know that."""
    at = "2022-01-08T10:00:00"
    known = learn.Seen([{"id": str(i), "album": album, "taken_at": t} for i, (album, t) in enumerate((("telephone", at), ("camera", at), ("paris", "2010-01-01")))],
                       np.array([41.9, 41.9, 48.86]), np.array([12.5, 12.5, 2.35]), np.zeros((3, 1, 2)))
    hidden = learn.Seen([{"id": "3", "album": "camera", "taken_at": at}], np.array([41.9]), np.array([12.5]), np.zeros((1, 1, 2)))
    parts = Division(AT, [], np.array([0, 0, 1]), np.arange(2), 0)
    monkeypatch.setattr(draws.division, "divide", lambda *_: parts)
    monkeypatch.setattr(draws.teach, "taught", lambda *_: (Answering(), None, None))
    off = {name: km[0] > 1 for name, km in draws.answered(Answering(), known, hidden, None, hidden).items()}
    assert off == {
        "base, single": True, "learned, single": False, "others' diary, single": False, "wrong clock, single": True, "picture, single": True,
        "base, album": True, "learned, album": False, "others' diary, album": False, "wrong clock, album": True, "no diary, album": True,
        "elsewhere, base": True, "elsewhere, learned": True, "elsewhere, on our days": False,
    }
    assert set(sum(draws.GAINS.values(), ())) <= {*off, *(f"plain{cut}, {kind}" for cut in ("", ", our cells") for kind in ("single", "album"))}
