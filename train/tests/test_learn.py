"""An archive's own bundle: the division it shares with its base, what is learned, and the whole way with the demo's photos."""

import csv
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import s2sphere
import yaml

import archive
import bundled
import calibrate
import division
import learn
import learned
import teach
from cells import Cell, Cells

HERE = Path(__file__).resolve().parent.parent
DEMO, BASE, PLANETAG = HERE.parent / "pipeline/demo/photos", HERE.parent / "bundles/demo", HERE.parent / "bin/planetag"
ROME, OSTIA, PARIS = (41.9, 12.5), (41.76, 12.29), (48.8566, 2.3522)


def cell(at: tuple[float, float], level: int, photos: int = 50) -> Cell:
    token = s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(*at)).parent(level).to_token()
    return Cell(token, level, *at, photos, 900.0)


def spread(at: tuple[float, float], count: int, degrees: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return at[0] + random.uniform(-degrees, degrees, count), at[1] + random.uniform(-degrees, degrees, count)


def ranges(cells: Cells) -> list[tuple[int, int]]:
    ids = [s2sphere.CellId.from_token(c.token) for c in cells.rows]
    return [(i.range_min().id(), i.range_max().id()) for i in ids]


@pytest.mark.parametrize("base", [
    [cell(ROME, 4)],  # a base cell around the archive's
    [cell(ROME, 12)],  # one inside
    [cell(ROME, 9)],  # the same
    [cell(PARIS, 6)],  # elsewhere
    [cell(ROME, 12), cell(OSTIA, 8), cell(PARIS, 6)],
])
@pytest.mark.parametrize("coarse", [0, 7])
def test_the_union_is_a_division_that_keeps_all_of_the_base(base, coarse):
    lat, lon = spread(ROME, 120, 0.3)
    base = Cells(sorted(base, key=lambda c: s2sphere.CellId.from_token(c.token).id()))
    hushed = division.visited(lat, lon, ["2024-05-01"] * len(lat), coarse) if coarse else frozenset()
    parts = division.divide(lat, lon, base, 12, hushed, coarse)
    spans = ranges(parts.cells)
    assert all(a[1] < b[0] for a, b in zip(spans, spans[1:], strict=False)), "disjoint and sorted"
    assert (parts.label >= 0).all() and set(parts.label) == set(parts.archive), "every photo of the archive lies in a cell of its own"
    for low, high in ranges(base):
        covered = sum(min(b, high) - max(a, low) + 2 for a, b in spans if a <= high and b >= low)  # ids of leaves are odd
        assert covered == high - low + 2, "what the base could answer can still be answered"
    for b in range(len(base)):
        assert sum(share for row, _, share in parts.base if row == b) == pytest.approx(1), "no probability of the base is lost"


def test_around_the_most_visited_places_nothing_is_finer():
    home, trip = spread(ROME, 300, 0.05), spread(PARIS, 100, 0.05, seed=2)
    lat, lon = np.concatenate([home[0], trip[0]]), np.concatenate([home[1], trip[1]])
    days = [f"2024-01-{1 + i % 28:02d}" for i in range(300)] + ["2024-07-01"] * 100
    open_parts = division.divide(lat, lon, Cells([cell((60.0, 10.0), 5)]), 12)
    assert max(open_parts.cells.rows[u].level for u in set(open_parts.label[:300])) > 9, "without the switch, home is known to a street"
    hushed = division.visited(lat, lon, days, 8)
    parts = division.divide(lat, lon, Cells([cell((60.0, 10.0), 5), cell(ROME, 12)]), 12, hushed, 8)
    for u in set(parts.label[:300]):
        row = parts.cells.rows[u]
        middle = s2sphere.CellId.from_token(row.token).to_lat_lng()
        assert row.level <= 8
        assert (row.lat, row.lon) == (middle.lat().degrees, middle.lng().degrees), "the mean of the photos would tell what the cell does not"
    few = division.visited(lat, lon, ["2024-01-01"] * len(lat), 8)
    assert s2sphere.CellId.from_token(cell(PARIS, 8).token).id() in few, "the first three places are always among them"


def test_a_place_the_base_knows_stays_where_it_is():
    """A landmark's cell of the base, and photos of the archive three kilometres from it, or right there."""
    landmark = cell(ROME, 9)
    away = spread((ROME[0] + 0.03, ROME[1] + 0.02), 5, 0.002)
    parts = division.divide(*away, Cells([landmark]), 12)
    kept = next(u for b, u, share in parts.base if share > 0.5)
    assert (parts.cells.lat[kept], parts.cells.lon[kept]) == ROME and kept not in parts.archive
    parts = division.divide(*spread(ROME, 5, 0.002), Cells([landmark]), 12)
    kept = next(u for b, u, share in parts.base if share > 0.5)
    assert kept in parts.archive and abs(parts.cells.lat[kept] - ROME[0]) < 0.001


def toy(seed: int = 3, width: int = 48, places: int = 6, each: int = 12):
    """Embeddings of photos around some directions, a place each; and of strangers around others."""
    random = np.random.default_rng(seed)
    centres = np.abs(random.normal(size=(places, width)))
    label = np.repeat(np.arange(places), each)
    x = centres[label][:, None] + 0.5 * random.normal(size=(len(label), 2, width))
    others = np.abs(random.normal(size=(60, width))) + 0.5 * random.normal(size=(60, width))
    return x.astype(np.float32), label, others.astype(np.float32)


def test_the_head_learns_places_and_the_gate_tells_strangers():
    x, label, others = toy()
    lat, lon = np.linspace(10, 60, 6), np.linspace(0, 50, 6)
    km = np.where(label[:, None] == np.arange(6), 0.0, 3000.0)
    head = archive.learn_head(x, km, lat, lon)
    assert (head(x[:, 0]).argmax(1) == label).mean() > 0.95
    assert (archive.learn(x, km, lat, lon, label)(x[:, 1]).argmax(1) == label).mean() > 0.95
    bank = archive.Bank.of(x[:, 0], label)
    assert (bank.scores(x[:, 1], 6).argmax(1) == label).mean() > 0.9
    near = bank.near(x[:, 0], bank.places(len(x)))
    assert (near < bank.near(x[:, 0])).all(), "a photo is no witness for itself"
    sure = np.full(len(x), 0.1)
    gate = archive.learn_gate([(np.column_stack([near, np.log(sure)]), 0.5),
                               (np.column_stack([bank.near(others), np.full(60, np.log(0.1))]), 0.5)], np.ones(len(x)))
    assert gate(near, sure).mean() > 0.8 > 0.3 > gate(bank.near(others), np.full(60, 0.1)).mean()
    assert (gate(near, np.full(len(x), 0.9)) <= gate(near, sure)).all(), "what the base knows stays the base's"


def test_the_discriminant_needs_few_photos_and_never_takes_a_place_that_has_none():
    x, label, _ = toy(each=10)
    known = np.arange(len(x)) % 10 < 2
    plain = archive.discriminant(x[known, 0], label[known], 7)
    found = plain(x[~known, 0]).argmax(1)
    assert (found == label[~known]).mean() > 0.9, "two photos of each place are enough"
    assert 6 not in found
    closer = archive.unit(x[known, 0]) @ archive.unit(x[~known, 0]).T
    assert (found == label[~known]).mean() >= (label[known][closer.argmax(0)] == label[~known]).mean(), "not worse than the nearest photo"
    often = np.r_[np.flatnonzero(known), np.repeat(np.flatnonzero(known & (label == 0)), 20)]
    again = archive.discriminant(x[often, 0], label[often], 7)(x[~known, 0]).argmax(1)
    assert (again == 0).mean() < 0.3, "a place is not more probable for having many photos"


def test_the_graph_answers_as_the_arrays_do(tmp_path):
    base = learned.Base(BASE)
    random = np.random.default_rng(5)
    lat, lon = spread(ROME, 40, 2.0)
    parts = division.divide(lat, lon, base.cells, 12)
    x = np.abs(random.normal(size=(40, 2, 1280))).astype(np.float32)
    label, cells = np.searchsorted(parts.archive, parts.label), len(parts.archive)
    km = np.where(label[:, None] == np.arange(cells), 0.0, 3000.0)
    head = archive.learn(x, km, parts.cells.lat[parts.archive], parts.cells.lon[parts.archive], label)
    model = learned.Learned(parts, head, archive.Bank.of(x[:, 0], label), archive.Gate(0.3, 0.2, -0.4, limit=-0.5), 1.7)
    (tmp_path / "cnn.onnx").write_bytes(learned.graph(base, model, 32).SerializeToString())
    bundled.parity(base, model, x[:, 1], tmp_path / "cnn.onnx")
    assert model.prob(x[:, 1], base.prob(x[:, 1])).sum(1) == pytest.approx(1, abs=1e-4)
    for gate in (archive.Gate(-1.3, 0.2, -0.4, limit=-0.5), archive.Gate(0.3, 0.2, -0.4, limit=1.0)):
        model.gate = gate
        with pytest.raises(RuntimeError, match="differs by"):
            bundled.parity(base, model, x[:, 1], tmp_path / "cnn.onnx")


def album_of(places: list[int], lat, lon):
    """Photos of two albums, as teach reads them."""
    rows = [{"id": str(i), "album": f"a{i // 4}", "taken_at": f"2024-05-0{1 + i // 4}T10:0{i % 4}:00Z"} for i in range(len(places))]
    return learn.Seen(rows, lat, lon, np.zeros((len(places), 1, 4)))


def test_albums_are_answered_by_their_times_only_where_that_surely_helps():
    lat, lon = spread(ROME, 40, 0.01)
    far = spread(PARIS, 40, 0.01)
    lat, lon = np.concatenate([lat, far[0]]), np.concatenate([lon, far[1]])
    parts = division.divide(lat, lon, Cells([cell((60.0, 10.0), 5)]), 12)
    photos = album_of([0] * 80, lat, lon)
    right, vague = np.zeros((80, len(parts.cells))), np.full((80, len(parts.cells)), 1 / len(parts.cells))
    right[np.arange(80), parts.label] = 1
    strange, promise = vague[:5], calibrate.Promise()
    found = teach.modes(parts, photos, vague, strange, 1.0, promise, lambda p, at, prob, evidence: right if evidence == 1 else vague, False)
    assert list(found.tables) == ["single", "average", "hmm"] and found.hmm == {"evidence": 1.0} and found.worth["hmm 1"] > 0.9
    found = teach.modes(parts, photos, right, strange, 1.0, promise, lambda p, at, prob, evidence: vague, False)
    assert list(found.tables) == ["single", "average"] and not found.hmm
    luck = np.zeros(80)
    luck[:4] = 1
    assert not teach.surely(luck, [4] * 20), "one album is chance"
    assert teach.surely(np.tile([0.3, -0.1], 40), [4] * 20)


def test_what_an_album_makes_of_probabilities(tmp_path):
    """`planetag album` is asked, and its answers come back in the order of the photos."""
    if not PLANETAG.exists():
        pytest.skip("needs bin/planetag: make test-train builds it")
    lat, lon = np.concatenate([spread(ROME, 4, 0.01), spread(PARIS, 4, 0.01)], 1)
    parts = division.divide(lat, lon, Cells([cell((60.0, 10.0), 5)]), 12)
    photos = album_of([0] * 8, lat, lon)
    prob = np.full((8, len(parts.cells)), 0.2 / len(parts.cells))
    prob[[0, 6], parts.label[[0, 6]]] += 0.8  # one photo of each album shows where it was taken
    out = learn.chained(PLANETAG, tmp_path, parts, photos, prob, 1.0)
    assert set(out[:4].argmax(1)) <= set(parts.label[:4]) and set(out[4:].argmax(1)) <= set(parts.label[4:]), (out.argmax(1), parts.label)
    assert (out.sum(1) <= 1 + 1e-6).all() and (out.max(1) > prob.max(1).min()).all()


def test_the_whole_way(tmp_path):
    """The demo's photos of some albums, each dealt to three devices, teach; those of the others are from elsewhere."""
    if not PLANETAG.exists():
        pytest.skip("needs bin/planetag: make test-train builds it")
    with open(DEMO / "manifest.csv", newline="") as f:
        rows = [row | {"id": row["file"]} for row in csv.DictReader(f) if row["lat"]]
    mine = {"rome-2024", "arezzo-2008", "adriatic-2018", "krakow-2019", "edinburgh-2022", "stuttgart-2024"}
    for name, chosen in (("archive", [r for r in rows if r["album"] in mine]), ("others", [r for r in rows if r["album"] not in mine])):
        with open(tmp_path / f"{name}.csv", "w", newline="") as f:
            writer = csv.DictWriter(f, rows[0].keys())
            writer.writeheader()
            writer.writerows(r | {"album": r["album"] + ("", " camera", " tablet")[i % 3]} for i, r in enumerate(chosen))
    command = [sys.executable, "-W", "ignore", HERE / "learn.py", "--manifest", tmp_path / "archive.csv", "--photos", DEMO, "--out", tmp_path / "out",
               "--elsewhere", tmp_path / "others.csv", "--elsewhere-photos", DEMO, "--views", "1", "--coarsen", "8"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "learned − base, single" in done.stdout and "every checksum right" in done.stdout
    for path in [tmp_path / "out", tmp_path / "out.work", *(tmp_path / "out").rglob("*"), *(tmp_path / "out.work").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    card = (tmp_path / "out/CARD.md").read_text()
    assert "contains the places of its owner" in card and "none finer than S2 level 8" in card and "learned − base, album" in card
    manifest = yaml.safe_load((tmp_path / "out/bundle.yaml").read_text())
    assert manifest["album"]["default"] == "average" and manifest["album"]["diary"] == "diary.parquet" and "On which days" in card
    assert manifest["calibration"]["single"]["expected_error"]["promise"]["kept"] > 0
    assert list(manifest["calibration"])[:3] == ["single", "dated", "average"] and manifest["album"]["modes"][:2] == ["none", "average"]
    assert manifest["calibration"]["dated"]["radius"] and "photos alone and albums without a position are told" in card and "learned, picture" in card
    days = pq.read_table(tmp_path / "out/diary.parquet").to_pydict()
    assert sum(days["photos"]) == sum(bool(r["taken_at"]) for r in rows if r["album"] in mine) and "2008-10-22" in map(str, days["day"])
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 2 and "is there already" in again.stderr
