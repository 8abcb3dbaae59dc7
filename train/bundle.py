"""Makes bundles/demo from the shared data: `make bundle`. Every step is seeded and kept; see README.md for the order and times."""

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import torch

import backbone
import card
import corpus as corpus_module
import data
import fit
import golden
import pack
import splits
import store

HERE = Path(__file__).resolve().parent
BACKBONE = "lite0"
NAMED = {
    "name": "demo", "version": "1.2.0", "licence": "Apache-2.0",
    "summary": "small demonstration model: EfficientNet-Lite features, linear head over adaptive S2 cells, album LSTM",
}


def counts(corpus: corpus_module.Corpus) -> dict[str, int]:
    tally = Counter((p.kind, corpus.sides[p.id]) for p in corpus.photos)
    return {f"{kind}_{side}": tally[(kind, side)] for kind in ("travel", "landmark") for side in ("train", "val", "heldout", "dropped")}


def write_lists(corpus: corpus_module.Corpus) -> None:
    for kind, name in (("travel", "photos"), ("landmark", "landmarks")):
        chosen = [p for p in corpus.photos if p.kind == kind]
        splits.write_heldout(HERE / f"splits/heldout_{name}.csv", chosen, corpus.sides)
    splits.write_gallery(HERE / "splits/gallery.csv", corpus.photos, corpus.sides)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--out", type=Path, default=HERE.parent / "bundles/demo")
    parser.add_argument("--fine-tune", type=int, default=fit.Plan().tune.epochs, metavar="EPOCHS")
    args = parser.parse_args()
    torch.set_num_threads(1)
    work, plan = store.Store(args.work), fit.Plan()
    plan = replace(plan, tune=replace(plan.tune, epochs=args.fine_tune))
    corpus = corpus_module.demo(args.data, work, backbone.load(BACKBONE), trunk=plan.tune.epochs > 0)
    write_lists(corpus)
    fitted = fit.fit(corpus, plan, fit.kept_steps(work, corpus, plan))
    print(json.dumps({"measured": fitted.validation, "temperature": fitted.temperature, "default": fitted.default}, indent=1))
    pack.write(corpus, fitted, plan, args.out, NAMED, golden.demo_pictures(HERE.parent / "pipeline/demo/photos"))
    card.write(args.out, HERE / "card.md.in", card.facts(corpus, fitted, plan) | counts(corpus))
    pack.pinned(corpus, fitted, plan, args.out, NAMED)


if __name__ == "__main__":
    main()
