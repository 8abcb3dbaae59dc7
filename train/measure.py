"""What the answers of every mode are worth, measured on photos that the answering heads did not learn from."""

import copy
from dataclasses import dataclass

import numpy as np
import torch

import album as album_module
import calibrate
import heads
from backbone import TOP_K
from score import CLOSENESS_KM, distance_km, figures

LEARNED = ("lstm", "lstm_repeat")
MODES = ("single", "average", *LEARNED, "hmm")
SYNTHETIC = 60  # made-up albums that calibrate the LSTM beside the real ones
LEAST_ALBUMS = 5  # real ones, for an interval over albums


@dataclass(frozen=True)
class Answers:
    """What measuring starts from; logits and embeddings are of all photos, centre view."""

    rows: list[int]  # photos of the training side
    hold: list[int]  # those whose albums the album model did not learn
    unseen: np.ndarray  # [photos, cells] logits of heads that did not learn from the photo
    embeddings: np.ndarray  # [photos, width]
    nowhere: np.ndarray  # [pictures, cells] logits for pictures taken nowhere, of heads that did not learn their kind
    temperature: float  # of one photo alone
    frozen: bool  # the backbone did not learn from the photos: the album model can be compared with averaging on them


def top_only(prob: np.ndarray, k: int = TOP_K) -> np.ndarray:
    """A distribution with all but the k most probable cells set to 0: what the graphs hand over."""
    floor = np.sort(prob, axis=-1)[..., -min(k, prob.shape[-1])][..., None]
    return np.where(prob >= floor, prob, 0)


@dataclass(frozen=True)
class Judged:
    """Answers of one mode: the photos, their distributions [n, cells], weights, and which belong to real albums."""

    rows: np.ndarray
    prob: np.ndarray
    weight: np.ndarray
    real: np.ndarray


def judge(corpus, plan, cells, judged: Judged, nowhere: np.ndarray) -> tuple[dict, dict]:
    """(calibration, figures) of one mode."""
    prob = top_only(judged.prob)
    best, confidence = prob.argmax(1), prob.max(1)
    error = distance_km(*corpus.positions(judged.rows), cells.lat[best], cells.lon[best])
    expected = calibrate.expected_error(prob, cells)
    strangers = calibrate.expected_error(nowhere, cells), cells.radius_m[nowhere.argmax(1)]
    spread, sure = cells.radius_m[best], calibrate.spread_of(prob, cells)
    by_error = calibrate.expected_tables(expected, error, judged.weight, spread, strangers, plan.promise, sure)
    alone = calibrate.expected_tables(expected, error, judged.weight, spread, (np.array([]), np.array([])), plan.promise, sure)
    table = {
        "radius": calibrate.radius_table(confidence, error, judged.weight),
        "abstain_below": calibrate.abstain_below(confidence, error, judged.weight, nowhere.max(1), plan.promise),
        "expected_error": {"unsure_below": calibrate.UNSURE_BELOW, **by_error},
    }
    closeness, answered = np.exp(-error / CLOSENESS_KM), 1000 * expected <= calibrate.limits(by_error, spread)

    def share(values: np.ndarray) -> float:
        return float((values * judged.weight).sum() / judged.weight.sum())

    found = {"gain": share(closeness), "worth": share(closeness * answered), "answered": share(answered)}
    found["answered_but_for_strangers"] = alone["promise"]["answered"]
    found["real_gain"] = float(closeness[judged.real].mean()) if judged.real.any() else 0.0
    return table, figures(error) | found


def cautious(tables: dict[str, dict]) -> None:
    """No row of the LSTM promises a smaller radius than the best row of single photos: the albums behind it are mostly synthetic."""
    best, by_error = tables["single"]["radius"][-1], tables["single"]["expected_error"]["tables"][0]["radius"][0]
    for mode in LEARNED:
        for row in tables[mode]["radius"]:
            row["p50_m"], row["p90_m"] = max(row["p50_m"], best["p50_m"]), max(row["p90_m"], best["p90_m"])
        tables[mode]["radius"] = calibrate.monotone(tables[mode]["radius"])
        for table in tables[mode]["expected_error"]["tables"]:
            for row in table["radius"]:
                row["p50_m"], row["p90_m"] = max(row["p50_m"], by_error["p50_m"]), max(row["p90_m"], by_error["p90_m"])


def no_bolder_than_single(tables: dict[str, dict]) -> None:
    """The LSTM never answers more, or within less, than single photos at the same expected error or confidence.

    For a backbone that learned from the photos that measure the LSTM: its own tables would be those of photos seen before.
    """
    for mode in LEARNED:
        no_bolder(tables[mode], tables["single"])


def no_bolder(mine: dict, other: dict) -> None:
    """Widens `mine` to the radii of the other calibration, and lowers its limits to the other's."""
    mine["radius"] = calibrate.wider(mine["radius"], other["radius"], "confidence")
    mine["abstain_below"] = max(mine["abstain_below"], other["abstain_below"])
    ours, theirs = (calibration["expected_error"]["tables"] for calibration in (mine, other))
    mine["expected_error"]["tables"] = [  # for each kind of answer that either tells apart
        {"cell_radius_m": edge, "abstain_above_m": min(a["abstain_above_m"], b["abstain_above_m"]),
         "radius": calibrate.wider(a["radius"], b["radius"], "expected_error_m")}
        for edge in sorted({t["cell_radius_m"] for t in ours + theirs})
        for a, b in [(calibrate.at(ours, edge, "cell_radius_m"), calibrate.at(theirs, edge, "cell_radius_m"))]
    ]


def of_travel(tables: dict[str, dict]) -> dict:
    """The calibration of the mode hmm, which is not computed here: enrich/chain.go does.

    It never answers more, or within less, than single photos and the average do at the same expected error; and it never
    answers with a region. It takes photos of one hour for photos of one place, so those of two journeys that were mixed agree
    on a region that none of them was in (enrich/mixed_test.go); they are not sure of a thing.
    """
    table = copy.deepcopy(tables["average"])
    no_bolder(table, tables["single"])
    for kind in table["expected_error"]["tables"]:
        if kind is not table["expected_error"]["tables"][0] or len(table["expected_error"]["tables"]) == 1:
            kind["abstain_above_m"] = 0.0
    table["expected_error"]["unsure_refused"] = True
    return table


def restate(corpus, plan, cells, judged: Judged, by_error: dict, found: dict) -> None:
    """Says what the promise keeps and costs at limits that were lowered after it was measured."""
    prob = top_only(judged.prob)
    best = prob.argmax(1)
    error = distance_km(*corpus.positions(judged.rows), cells.lat[best], cells.lon[best])
    answered = 1000 * calibrate.expected_error(prob, cells) <= calibrate.limits(by_error, cells.radius_m[best])
    if by_error.get("unsure_refused"):
        answered &= prob.max(1) >= by_error["unsure_below"]
    by_error["promise"] = calibrate.stated(answered, error, judged.weight, plan.promise)
    found["answered"] = by_error["promise"]["answered"]
    found["worth"] = float((np.exp(-error / CLOSENESS_KM) * answered * judged.weight).sum() / judged.weight.sum())


def averaged(corpus, dense: np.ndarray, rows: list[int]) -> np.ndarray:
    """Each photo's distribution as mode `average` has it: the mean of its real album, or its own."""
    out = dense.copy()
    for members in album_module.real_albums(corpus.photos, rows):
        out[members] = dense[members].mean(0)
    return out[rows]


def album_weights(real: list[list[int]], made: list[list[int]]) -> np.ndarray:
    """Of each photo of the real, then of the synthetic albums: both kinds count the same."""
    count, other = sum(map(len, real)), sum(map(len, made))
    return np.array([other / max(count, 1) if other else 1.0] * count + [1.0] * other)


def read(model, albums: list[list[int]], answers: Answers, twice: bool) -> np.ndarray:
    """Logits of the album model for every photo of the albums, told what unseen heads say about each photo alone."""
    out = []
    for album in albums:
        order = album * 2 if twice else album
        single = torch.from_numpy(answers.unseen[order])[None]
        with torch.no_grad():
            out.append(model.combine(torch.from_numpy(answers.embeddings[order])[None], single)[0, -len(album):].numpy())
    return np.concatenate(out)


def gain(corpus, cells, albums: list[list[int]], prob: np.ndarray, mean: np.ndarray) -> tuple[float, float, float]:
    """How much closer a mode's guesses are than the average's on real albums, with a 95 % bootstrap interval over albums."""
    flat = np.concatenate(albums)
    near = [np.exp(-distance_km(*corpus.positions(flat), cells.lat[best], cells.lon[best]) / CLOSENESS_KM)
            for best in (p[: len(flat)].argmax(1) for p in (prob, mean))]
    ends = np.cumsum([len(a) for a in albums])[:-1]
    sums, counts = np.array([part.sum() for part in np.split(near[0] - near[1], ends)]), np.array([len(a) for a in albums])
    drawn = np.random.default_rng(19).integers(len(albums), size=(2000, len(albums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(sums.sum() / counts.sum()), float(low), float(high)


def measure(corpus, plan, cells, model, answers: Answers):
    """(temperature, calibration, figures of every mode, the default mode)"""
    nowhere = top_only(heads.softmax(answers.nowhere / answers.temperature))
    dense = top_only(heads.softmax(answers.unseen / answers.temperature))
    rows, weight = np.array(answers.rows), corpus.weights(answers.rows)
    in_album = np.array([bool(corpus.photos[i].album) for i in rows])
    judged = {"single": Judged(rows, dense[rows], weight, in_album),
              "average": Judged(rows, averaged(corpus, dense, answers.rows), weight, in_album)}
    real = album_module.real_albums(corpus.photos, answers.hold)
    made = album_module.synthetic_albums(corpus.photos, answers.hold, SYNTHETIC, plan.album, plan.album.seed + 1)
    if not real and not made:  # far apart and without albums: each photo is an album of one
        made = [[i] for i in answers.hold or answers.rows]
    flat, album_weight = np.concatenate(real + made), album_weights(real, made)
    truth = heads.smoothed(cells.distances(*corpus.positions(flat)), 0.0)
    once, twice = (read(model, real + made, answers, again) for again in (False, True))
    # One graph serves both readings, so they share one temperature, fitted on both together.
    shared = heads.fit_temperature(np.concatenate([once, twice]), np.tile(truth, (2, 1)), np.tile(album_weight, 2))
    is_real = np.arange(len(flat)) < sum(map(len, real))
    for mode, logits in (("lstm", once), ("lstm_repeat", twice)):
        judged[mode] = Judged(flat, heads.softmax(logits / shared), album_weight, is_real)
    measured = {mode: judge(corpus, plan, cells, j, nowhere) for mode, j in judged.items()}
    mean = np.concatenate([np.repeat(dense[a].mean(0, keepdims=True), len(a), 0) for a in real + made])
    fair = answers.frozen and len(real) >= LEAST_ALBUMS
    gains = {m: gain(corpus, cells, real, judged[m].prob, mean) for m in LEARNED} if fair else {}
    better = [m for m, (_, low, _) in gains.items() if low > 0]
    default = max(better, key=lambda m: gains[m][0]) if better else "average"
    for mode, (middle, low, high) in gains.items():
        measured[mode][1]["gain_over_average"] = [middle, low, high]
    temperature = {m: shared if m in LEARNED else answers.temperature for m in MODES}
    tables = {m: t for m, (t, _) in measured.items()}
    cautious(tables)
    if not answers.frozen:
        no_bolder_than_single(tables)
        for mode in LEARNED:
            restate(corpus, plan, cells, judged[mode], tables[mode]["expected_error"], measured[mode][1])
    found = {m: f for m, (_, f) in measured.items()}
    tables["hmm"], found["hmm"] = of_travel(tables), dict(found["average"])
    restate(corpus, plan, cells, judged["average"], tables["hmm"]["expected_error"], found["hmm"])
    return temperature, tables, found, default
