"""The demo bundle against what is simpler, with intervals, on the held-out photos and across the folds of the others: `make compare`.

Rows: always the cell with most photos; the position of the training photo whose frozen features are nearest; a plain linear head
on frozen features over the same cells, from the same photos; the bundle. Shares within 25, 750 and 2500 km and GeoScore, each with
its 95 % interval over albums; what the bundle gains over the row, photo by photo; and how many photos like these it would take to
be sure of that gain. First one photo at a time, then as a worker answers: albums averaged, for the other rows, too.

There are few held-out photos. So the same again for all the others: each is answered by heads, and neighbours, of the folds that it is
not in. That judges the recipe rather than the bundle's own weights, and its settings were chosen on these folds.
"""

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import album
import backbone
import bundle as demo
import corpus as corpus_module
import data
import features
import fit
import graphs
import heads
import interval
import nowhere
import splits
import store
from measure import averaged
from score import CLOSENESS_KM, distance_km

HERE = Path(__file__).resolve().parent
SCORES = {
    "≤25 km": lambda e: 100.0 * (e <= 25), "≤750 km": lambda e: 100.0 * (e <= 750), "≤2500 km": lambda e: 100.0 * (e <= 2500),
    "score": lambda e: 5000 * np.exp(-e / CLOSENESS_KM),
}


def line(name: str, cells: list[str]) -> str:
    return f"{name:36s}" + "".join(f" {cell:>22s}" for cell in cells)


def count(photos: float) -> str:
    return "–" if math.isinf(photos) else f"{math.ceil(photos)}"


def table(errors: dict[str, np.ndarray], units) -> str:
    """Rows of figures, then of what the last row gains over each of the others, then of the photos it takes to show that."""
    best, ours = list(errors.items())[-1]
    means = {name: [interval.mean(score(e), units) for score in SCORES.values()] for name, e in errors.items()}
    lines = [line("", list(SCORES))] + [line(name, [m.text() for m in row]) for name, row in means.items()]
    others = list(errors.items())[:-1]
    gains = {name: [interval.mean(score(ours) - score(e), units) for score in SCORES.values()] for name, e in others}
    lines += [line(f"{best} − {name}", [m.text("+") for m in row]) for name, row in gains.items()]
    for name, row in gains.items():
        paired = [count(interval.photos_to_see(gain, len(ours))) for gain in row]
        apart = [count(interval.photos_apart(a, b, len(ours))) for a, b in zip(means[best], means[name], strict=True)]
        lines.append(line(f"photos for − {name}", [f"{p} / {a}" for p, a in zip(paired, apart, strict=True)]))
    return "\n".join(lines)


@dataclass(frozen=True)
class Rivals:
    """What each row answers to some photos."""

    corpus: corpus_module.Corpus
    chosen: list[int]
    cells: object  # the bundle's, or those of the plain head
    nearest: np.ndarray  # [photos] rows of their nearest neighbours
    plain: np.ndarray  # [photos, cells] probabilities of the plain head
    ours: np.ndarray  # [photos, cells] of the bundle

    def errors(self, neighbours: np.ndarray, plain: np.ndarray, ours: np.ndarray) -> dict[str, np.ndarray]:
        lat, lon = self.corpus.positions(self.chosen)

        def far(to) -> np.ndarray:
            return distance_km(lat, lon, self.cells.lat[to], self.cells.lon[to])

        return {"prior": far(int(self.cells.photos.argmax())), "nearest neighbour": distance_km(lat, lon, *self.corpus.positions(neighbours)),
                "linear, frozen features": far(plain.argmax(1)), "bundle": far(ours.argmax(1))}

    def alone(self) -> dict[str, np.ndarray]:
        return self.errors(self.nearest, self.plain, self.ours)

    def in_albums(self) -> dict[str, np.ndarray]:
        """Probabilities averaged over the album; of neighbours the one that is nearest to all of the album's."""
        mean, neighbours = {}, self.nearest.copy()
        for name, prob in (("plain", self.plain), ("ours", self.ours)):
            dense = np.zeros((len(self.corpus.photos), prob.shape[1]))
            dense[self.chosen] = prob
            mean[name] = averaged(self.corpus, dense, self.chosen)
        at = {row: k for k, row in enumerate(self.chosen)}
        for members in album.real_albums(self.corpus.photos, self.chosen):
            mine = [at[row] for row in members]
            lat, lon = self.corpus.positions(self.nearest[mine])
            middle = distance_km(lat[:, None], lon[:, None], lat, lon).sum(1).argmin()
            neighbours[mine] = self.nearest[mine][middle]
        return self.errors(neighbours, mean["plain"], mean["ours"])

    def only(self, keep: np.ndarray, errors: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[str]]:
        return {name: e[keep] for name, e in errors.items()}, [u for u, k in zip(units(self.corpus, self.chosen), keep, strict=True) if k]


def units(corpus, rows: list[int]) -> list[str]:
    """What intervals draw: albums; a photo without one is alone."""
    return [corpus.photos[i].album or corpus.photos[i].id for i in rows]


def together(corpus, rows: np.ndarray) -> np.ndarray:
    """What is dealt as one: the albums and neighbourhoods of travel photos, the photos that one source has of a place."""
    unit = np.array([f"{corpus.photos[i].group} by {corpus.photos[i].source}" for i in rows], dtype=object)
    travel = np.flatnonzero(travel_of(corpus, rows))
    for members in splits.groups([corpus.photos[rows[k]] for k in travel]):
        unit[travel[members]] = min(corpus.photos[rows[k]].id for k in travel[members])
    return unit.astype(str)


def travel_of(corpus, rows) -> np.ndarray:
    return np.array([corpus.photos[i].kind == "travel" for i in rows])


def frozen_head(corpus, plan: fit.Plan, cells, rows: list[int], labels: np.ndarray):
    plain = replace(plan, tune=replace(plan.tune, epochs=0), head=replace(plan.head, coarser=()))
    return fit.learn(corpus, plain, cells, rows, labels, list(range(corpus.taught)))[0]


def plainly(corpus, head, rows) -> np.ndarray:
    """Probabilities [rows, cells] of a head on frozen features."""
    return heads.softmax(head(torch.from_numpy(corpus.seen.embeddings[rows, 0])).numpy())


def neighbours(corpus, chosen, known) -> np.ndarray:
    """For each chosen row the known one whose frozen features are nearest."""
    mine, theirs = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (corpus.seen.embeddings[rows, 0] for rows in (chosen, known)))
    return np.array(known)[(mine @ theirs.T).argmax(1)]


def crossed(corpus, plan: fit.Plan, cells, labels: np.ndarray, rows: list[int], temperature: float, step) -> Rivals:
    """The photos that learning is from, as those answer them that learned from the other folds."""
    fold, every = fit.folds(corpus, rows), np.array(rows)
    nearest, plain = np.zeros(len(rows), int), np.zeros((len(rows), len(cells)))
    for f in range(fit.FOLDS):
        mine, others = fold == f, fold != f
        nearest[mine] = neighbours(corpus, every[mine], every[others])
        plain[mine] = step(f"plain fold {f + 1} of {fit.FOLDS}", lambda mine=mine, others=others: plainly(
            corpus, frozen_head(corpus, plan, cells, every[others].tolist(), labels[others]), every[mine]))
    logits, _ = fit.unseen_logits(corpus, plan, cells, labels, rows, step)
    return Rivals(corpus, rows, cells, nearest, plain, heads.softmax(logits[rows, 0] / temperature))


def rivals(corpus, chosen: list[int], found: nowhere.Bundle, cells, rows: list[int], head) -> Rivals:
    ours = np.concatenate([graphs.spread(*found.see(Image.open(corpus.photos[i].path)), len(found)) for i in chosen])
    return Rivals(corpus, chosen, cells, neighbours(corpus, chosen, rows), plainly(corpus, head, chosen), ours)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan = fit.Plan()
    work = store.Store(args.work)
    corpus = corpus_module.demo(args.data, work, backbone.load(demo.BACKBONE), trunk=plan.tune.epochs > 0, extra=features.AUGMENTED)
    rows = corpus.rows(*corpus_module.LEARNING)
    cells, labels = fit.divide(corpus, plan, rows)
    head = frozen_head(corpus, plan, cells, rows, labels)
    found = nowhere.Bundle(args.bundle)
    for kind, name in (("travel", "travel photos"), ("landmark", "famous places")):
        chosen = [i for i in corpus.rows("heldout") if corpus.photos[i].kind == kind]
        judged = rivals(corpus, chosen, found, cells, rows, head)
        print(f"{len(chosen)} held-out {name}, one photo at a time\n{table(judged.alone(), units(corpus, chosen))}\n")
        mates = album.real_albums(corpus.photos, chosen)
        if mates:
            mean = judged.in_albums()
            print(f"{len(chosen)} held-out {name}, albums averaged\n{table(mean, units(corpus, chosen))}\n")
            keep = np.isin(chosen, np.concatenate(mates))
            print(f"{keep.sum()} of them in {len(mates)} albums\n{table(*judged.only(keep, mean))}\n")
    temperature = found.manifest["calibration"]["single"]["temperature"]
    judged = crossed(corpus, plan, cells, labels, rows, temperature, fit.kept_steps(work, corpus, plan))
    unit, travel = together(corpus, rows), travel_of(corpus, rows)
    for what, keep, errors in (("travel photos across the folds, one photo at a time", travel, judged.alone()),
                               ("travel photos across the folds, albums averaged", travel, judged.in_albums()),
                               ("famous places across the folds, one photo at a time", ~travel, judged.alone())):
        print(f"{keep.sum()} {what}\n{table({name: e[keep] for name, e in errors.items()}, unit[keep])}\n")
    print("photos for −: how many like these until, in four samples of five, the interval of the gain leaves out zero / until the two\n"
          "intervals do not touch; – where nothing is gained")


if __name__ == "__main__":
    main()
