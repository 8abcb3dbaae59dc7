"""From embeddings to a calibrated model: everything that is learned of an archive, and what it is worth."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

import archive
import calibrate
import learned
import square
import textures
from calibrate import Promise
from diary import Diary
from division import Division
from score import distance_km
from splits import lot

FOLDS = 3
MOST_AT_ONCE = 2  # models being learned: each holds the photos' embeddings once more
WHOLE = 1 / 3  # of the albums: their fold's model has not learned a photo of them
NOWHERE = 220  # pictures taken nowhere: those of every second kind shut the gate, the others calibrate what is refused
WEIGHTS = (0.25, 0.7, 0.05)  # in the gate: photos of the archive, photos from elsewhere, pictures taken nowhere, which are easily told
TEMPERATURES = np.geomspace(0.3, 6, 60)
WARMER = 1.5  # than the lowest cross-entropy wants: what is less sure takes less from the base through a gate that is a little open, and albums add up better
LEAST_TOP_K = 64  # what an album makes of its photos rests on more than each photo's first guesses
EVIDENCE = (0.5, 1.0)  # exponents that the album mode hmm is tried with
NEAR_KM = 25.0  # a guess this far off is worth 1/e of one that is right; a photo so near to the archive's is not from elsewhere
LEANS = (0.0, -1.5, -3.0)  # of the gate, tried in place of archive.LEAN
LEAST_TOLD = 20  # photos of whose day other albums know something, that a calibration rests on
SURE = 0.95  # that hmm comes nearer than average, or a gate that opens less than one that opens more, before it is taken


@dataclass
class Modes:
    """What a bundle answers in: the calibration of each mode, the settings of hmm, how near each album mode comes, and what photos and
    albums are told of the owner's days."""

    tables: dict[str, dict]
    hmm: dict[str, float]
    worth: dict[str, float]
    diary: Diary | None = None


# (division, photos, their probabilities, evidence) to what the album mode hmm makes of them; see learn.chained.
Chained = Callable[[Division, object, np.ndarray, float], np.ndarray]


def teach(base: learned.Base, parts: Division, photos, others, promise: Promise, chained: Chained, days: bool) -> tuple[learned.Learned, Modes]:
    """The model of all photos, and the modes it answers in, measured on answers of models that did not learn the photo. With `days`
    photos and albums are told what the diary of the other albums says."""
    whole, prob, refused = taught(base, parts, photos, others)
    k = top_k(base, parts)
    found = modes(parts, photos, top_only(prob, k), top_only(refused, k), whole.temperature, promise, chained, days)
    return whole, replace(found, diary=Diary.of(photos.rows, parts.label) if days else None)


def told(parts: Division, known, photos, prob: np.ndarray) -> np.ndarray:
    """What is made of answers by a diary of the known photos that knows nothing of the album asked about, as of a camera's folder
    beside a telephone's: radii that hold then hold where it knows the album's own days, too."""
    return Diary.of(known.rows, parts.label, known.albums()).weigh(prob, photos.rows, parts.cells, photos.albums())


def dated(parts: Division, photos, said: np.ndarray, strange: np.ndarray, temperature: float, promise: Promise) -> dict[str, dict]:
    """The calibration of what is `said` of single photos told of their day: of those of whose day other albums know something. The
    pictures taken nowhere were taken on these days, too. Of fewer than LEAST_TOLD it would be chance, and photos alone are not told."""
    diary = Diary.of(photos.rows, parts.label, photos.albums())
    known = np.flatnonzero(diary.knows(photos.rows, photos.albums()))
    if len(known) < LEAST_TOLD:
        return {}
    at = photos.at(known)
    odd = diary.weigh(strange, at.at(np.resize(np.arange(len(at)), len(strange))).rows, parts.cells)
    return {"dated": calibrate.table(said[known], parts.cells, at.lat, at.lon, odd, temperature, promise)}


def taught(base: learned.Base, parts: Division, photos, others) -> tuple[learned.Learned, np.ndarray, np.ndarray]:
    """The model of all photos; what models that did not learn the photo say of each; and what it says of pictures taken nowhere. The
    others are from `elsewhere`."""
    said, strange = base.prob(photos.x[:, 0]), strangers(base, others)
    shut, refused = nowhere(base)
    label = np.searchsorted(parts.archive, parts.label)
    fold = folds(photos)
    scores, known = np.zeros((len(photos), len(parts.archive))), np.zeros(len(photos), bool)
    sides = [np.flatnonzero(fold != f) for f in range(FOLDS)] + [np.arange(len(photos))]
    with ThreadPoolExecutor(min(len(sides), os.cpu_count() or 1, MOST_AT_ONCE)) as pool:
        models = list(pool.map(lambda rows: fitted(parts, photos, rows, label), sides))
        for f, model in enumerate(models[:FOLDS]):
            mine = fold == f
            scores[mine] = model.scores(photos.x[mine, 0])
            known[mine] = np.isin(label[mine], label[~mine])
        temperature, ours = cooled(scores[known], label[known]), better(base, parts, photos, scores, said)
        gates = pool.map(lambda model, rows: gated(model.bank, photos.x[rows, 0], said[rows], ours[rows], (strange, shut)), models, sides)
    *unseen, whole = [replace(model, gate=gate, temperature=temperature) for model, gate in zip(models, gates, strict=True)]

    def answers(lean: float) -> np.ndarray:
        prob = np.zeros((len(photos), len(parts.cells)))
        for f, model in enumerate(unseen):
            model.gate.lean = lean
            prob[fold == f] = model.prob(photos.x[fold == f, 0], said[fold == f])
        return prob

    whole.gate.lean, prob = leaning(parts, photos, answers)
    return whole, prob, whole.prob(*refused)


def leaning(parts: Division, photos, answers: Callable[[float], np.ndarray]) -> tuple[float, np.ndarray]:
    """How readily the gate opens, and the answers then: less than usual where that surely comes nearer, since a base that knows much of
    what an archive shows must not be talked over."""
    order = np.argsort(photos.albums(), kind="stable")
    sizes = np.unique(photos.albums(), return_counts=True)[1]

    def near(prob: np.ndarray) -> np.ndarray:
        best = prob.argmax(1)
        return closeness(photos, parts.cells.lat[best], parts.cells.lon[best])[order]

    lean, prob = archive.LEAN, answers(archive.LEAN)
    usual, most = near(prob), 0.0
    for less in LEANS:
        tried = answers(less)
        gain = near(tried) - usual
        if gain.mean() <= most:
            break
        most = gain.mean()
        if surely(gain, list(sizes)):
            lean, prob = less, tried
    return lean, prob


def better(base: learned.Base, parts: Division, photos, scores: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Whether the archive is to answer a photo, 0 to 1: yes, unless what the base says comes nearer than the archive's cells, by models
    that did not learn the photo."""
    cells, best = parts.cells, parts.archive[scores.argmax(1)]
    theirs = closeness(photos, base.cells.lat[said.argmax(1)], base.cells.lon[said.argmax(1)])
    return 1 - np.clip(theirs - closeness(photos, cells.lat[best], cells.lon[best]), 0, 1)


def closeness(photos, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """How near places come to the photos, 0 to 1: as a share within NEAR_KM, but without its edge, on which chance would decide."""
    return np.exp(-distance_km(photos.lat, photos.lon, lat, lon) / NEAR_KM)


def cooled(scores: np.ndarray, label: np.ndarray) -> float:
    """WARMER times the temperature with the lowest cross-entropy, on photos of cells that the answering model knew: no temperature makes
    up for a place never seen, and the tables of radii count those, too."""
    if not len(label):
        return 1.0
    return WARMER * float(min(TEMPERATURES, key=lambda t: -np.log(archive.softmax(scores / t)[np.arange(len(label)), label] + 1e-12).mean()))


def top_k(base: learned.Base, parts: Division) -> int:
    return min(max(base.manifest["cnn"]["top_k"], LEAST_TOP_K), len(parts.cells))


def top_only(prob: np.ndarray, k: int) -> np.ndarray:
    """A distribution with all but its k greatest at 0: what the graph hands over."""
    return np.where(prob >= np.sort(prob, 1)[:, [-k]], prob, 0)


def fitted(parts: Division, photos, rows: np.ndarray, label: np.ndarray) -> learned.Learned:
    """What some of the photos teach; the gate is open, and nothing is calibrated."""
    lat, lon = parts.cells.lat[parts.archive], parts.cells.lon[parts.archive]
    km = distance_km(photos.lat[rows, None], photos.lon[rows, None], lat[None], lon[None])
    head = archive.learn(photos.x[rows], km, lat, lon, label[rows])
    return learned.Learned(parts, head, archive.Bank.of(photos.x[rows, 0], label[rows]), archive.Gate(80.0, 0.0, 0.0), 1.0)


def gated(bank: archive.Bank, x: np.ndarray, said: np.ndarray, ours: np.ndarray, others) -> archive.Gate:
    """The gate of a model that learned photos with these embeddings; others are (embeddings, what the base says) of what it did not."""
    near = bank.near(x, bank.places(len(x)))
    kinds = [np.column_stack([near, np.log(said.max(1))]), *(np.column_stack([bank.near(x), np.log(prob.max(1))]) for x, prob in others)]
    return archive.learn_gate(list(zip(kinds, WEIGHTS, strict=True)), ours)


def elsewhere(others, photos):
    """Those of the photos from elsewhere that are: where the archive knows the place, its answer is no mistake, and some may be of the
    archive's own. A gate that was shown such photos as strange would learn that nothing tells it from elsewhere, and open to all."""
    far = distance_km(others.lat[:, None], others.lon[:, None], photos.lat[None], photos.lon[None]).min(1) > NEAR_KM
    if not far.any():
        raise ValueError(f"none of the {len(others)} photos from elsewhere was taken over {NEAR_KM:g} km away from all of the archive's; name others by --elsewhere")
    return others.at(np.flatnonzero(far))


def strangers(base: learned.Base, others) -> tuple[np.ndarray, np.ndarray]:
    """All views of the photos from elsewhere, and what the base says of them."""
    x = others.x.reshape(-1, others.x.shape[-1])
    return x, base.prob(x)


@cache
def nowhere(base: learned.Base):
    """Embeddings of drawn pictures, and what the base says of them: those that shut the gate, and those that calibrate."""
    import graphs

    size, crop, names = base.manifest["input"]["size"], base.manifest["input"]["crop"], base.names
    drawn: tuple[list, list] = ([], [])
    network = graphs.session(base.folder / base.manifest["cnn"]["file"])
    for kind, picture in textures.assorted(NOWHERE):
        pixels = square.pixels(picture, crop, size)[None]
        drawn[kind % 2].append(network.run([names["embedding"]], {names["input"]: pixels})[0][0])
    return tuple((np.stack(x), base.prob(np.stack(x))) for x in drawn)


def folds(photos) -> np.ndarray:
    """A fold for each photo: albums of a third are dealt as a whole, so that the fold shows albums never seen; other photos one by one."""
    units = [a if lot(f"whole {a}") < WHOLE else row["id"] for a, row in zip(photos.albums(), photos.rows, strict=True)]
    return np.array([int(lot(f"fold {u}") * FOLDS) for u in units])


def modes(parts: Division, photos, prob: np.ndarray, strange: np.ndarray, temperature: float, promise: Promise, chained: Chained, days: bool) -> Modes:
    """The last album mode is the default: `average`, or `hmm` where it surely comes nearer. With `days` albums are made of what is said
    of their photos by the diary of the others, and so is what photos alone are worth."""
    found = Modes({"single": calibrate.table(prob, parts.cells, photos.lat, photos.lon, strange, temperature, promise)}, {}, {})
    said = told(parts, photos, photos, prob) if days else prob
    if days:
        found.tables |= dated(parts, photos, said, strange, temperature, promise)
    members: dict[str, list[int]] = {}
    for i, album in enumerate(photos.albums()):
        members.setdefault(album, []).append(i)
    mates = [m for m in members.values() if len(m) > 1]
    if not mates:
        return found
    rows = np.concatenate(mates)
    at = photos.at(rows)
    answers = {"average": np.concatenate([np.repeat(said[m].mean(0, keepdims=True), len(m), 0) for m in mates])}
    answers |= {f"hmm {e:g}": chained(parts, at, said[rows], e) for e in EVIDENCE}
    near = {name: closeness(at, parts.cells.lat[best], parts.cells.lon[best]) for name, p in answers.items() for best in [p.argmax(1)]}
    found.worth.update({name: float(n.mean()) for name, n in near.items()})
    found.tables["average"] = calibrate.table(answers["average"], parts.cells, at.lat, at.lon, strange, temperature, promise)
    evidence = max(EVIDENCE, key=lambda e: found.worth[f"hmm {e:g}"])
    best = f"hmm {evidence:g}"
    if surely(near[best] - near["average"], [len(m) for m in mates]):
        found.tables["hmm"] = calibrate.table(answers[best], parts.cells, at.lat, at.lon, strange, temperature, promise)
        found.hmm["evidence"] = evidence
    return found


def surely(gain: np.ndarray, sizes: list[int]) -> bool:
    """Whether a gain, photo by photo of albums in a row, is more than chance: SURE of a bootstrap over whole albums are above 0."""
    ends = np.cumsum(sizes)[:-1]
    sums = np.array([part.sum() for part in np.split(gain, ends)])
    drawn = np.random.default_rng(19).integers(len(sums), size=(2000, len(sums)))
    return bool((sums[drawn].sum(1) > 0).mean() >= SURE)
