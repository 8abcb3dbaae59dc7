"""The demo's recipe with three seeds, on the held-out photos: `make seeds`.

Head and fine-tuning start from other random numbers, everything else is the same; the bundle that is shipped is of the first
seeds, which were there before any other. Temperatures are those of the shipped bundle. Photos one at a time, and albums averaged.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import yaml

import album
import backbone
import bundle as demo
import corpus as corpus_module
import data
import finetune
import fit
import heads
import measure
import store
from score import CLOSENESS_KM, distance_km

HERE = Path(__file__).resolve().parent
APART = (0, 10, 20)  # of the seeds; the first is shipped
COLUMNS = {f"≤{t} km": lambda e, t=t: 100.0 * (e <= t).mean() for t in (25, 200, 750, 2500)}
COLUMNS |= {"median km": np.median, "score": lambda e: 5000 * np.exp(-e / CLOSENESS_KM).mean()}


def with_seeds(plan: fit.Plan, further: int) -> fit.Plan:
    return replace(plan, head=replace(plan.head, seed=plan.head.seed + further), tune=replace(plan.tune, seed=plan.tune.seed + further))


def line(name: str, cells: list[str]) -> str:
    return f"{name:22s}" + "".join(f" {cell:>15s}" for cell in cells)


def table(errors: dict[str, np.ndarray]) -> str:
    """A row for each seed, then mean and standard deviation over the seeds."""
    rows = {name: [column(e) for column in COLUMNS.values()] for name, e in errors.items()}
    lines = [line("seeds", list(COLUMNS))] + [line(name, [f"{v:.1f}" for v in row]) for name, row in rows.items()]
    every = np.array(list(rows.values()))
    both = zip(every.mean(0), every.std(0, ddof=1), strict=True)
    return "\n".join([*lines, line("mean ± deviation", [f"{m:.1f} ± {s:.1f}" for m, s in both])])


def answers(corpus, head, tail, chosen: list[int], temperature: float, albums: bool) -> np.ndarray:
    """The most probable cells of the photos."""
    embedded = torch.from_numpy(finetune.embed(corpus.net, corpus.seen, tail, chosen, 1))
    prob = measure.top_only(heads.softmax(head(embedded).numpy()[:, 0] / temperature))
    if albums:
        dense = np.zeros((len(corpus.photos), prob.shape[1]))
        dense[chosen] = prob
        prob = measure.averaged(corpus, dense, chosen)
    return prob.argmax(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    args = parser.parse_args()
    torch.set_num_threads(1)
    temperature = yaml.safe_load((args.bundle / "bundle.yaml").read_text())["calibration"]["single"]["temperature"]
    work = store.Store(args.work)
    corpus = corpus_module.demo(args.data, work, backbone.load(demo.BACKBONE), trunk=True)
    rows = corpus.rows(*corpus_module.LEARNING)
    cells, labels = fit.divide(corpus, fit.Plan(), rows)
    learned = {}
    for further in APART:
        plan = with_seeds(fit.Plan(), further)
        keep = fit.kept_steps(work, corpus, plan)
        name = f"{plan.head.seed} and {plan.tune.seed}" + (" (shipped)" if not further else "")
        learned[name] = keep("head", lambda plan=plan: fit.learn(corpus, plan, cells, rows, labels, list(range(corpus.taught))))
    for kind, name in (("travel", "travel photos"), ("landmark", "famous places")):
        chosen = [i for i in corpus.rows("heldout") if corpus.photos[i].kind == kind]
        lat, lon = corpus.positions(chosen)
        for how in ["one photo at a time"] + ["albums averaged"] * bool(album.real_albums(corpus.photos, chosen)):
            best = {seed: answers(corpus, *model, chosen, temperature, how.startswith("albums")) for seed, model in learned.items()}
            errors = {seed: distance_km(lat, lon, cells.lat[b], cells.lon[b]) for seed, b in best.items()}
            print(f"{len(chosen)} held-out {name}, {how}\n{table(errors)}\n")


if __name__ == "__main__":
    main()
