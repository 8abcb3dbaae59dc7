"""Makes a bundle of your own photos: `make train DATA=manifest.csv PHOTOS=dir OUT=bundle`.

cells → features → head → (fine-tuning) → album model → calibration → ONNX → golden answers → card; then `planetag bundle
verify` and `planetag eval` on the photos that were held out, whose figures go into the card. Every step is seeded and kept in
the work folder: a run that was killed goes on where it was, a run with other settings repeats only what they change.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch

import backbone
import calibrate
import card
import corpus as corpus_module
import features
import fit
import golden
import manifest
import pack
import splits
import store

HERE = Path(__file__).resolve().parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="CSV with file, lat, lon; optional id, taken_at, album, source, split")
    parser.add_argument("--photos", type=Path, required=True, help="the folder that column file is relative to")
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--work", type=Path, default=HERE / "work", help="what finished steps are kept in")
    parser.add_argument("--planetag", type=Path, help="the program that verifies and evaluates; without it both are left to you")
    parser.add_argument("--name", default="own")
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--licence", default="LicenseRef-private", help="of the bundle, an SPDX expression")
    parser.add_argument("--backbone", default="lite0", help="lite0, lite1, lite2, or timm:MODEL:WEIGHTS-FILE:LICENCE")
    parser.add_argument("--promise", default=str(calibrate.Promise()), help='what answered photos keep, for instance "90%% within 200 km"')
    parser.add_argument("--fine-tune", type=int, default=0, metavar="EPOCHS", help="of the last blocks; 0 leaves the backbone frozen")
    parser.add_argument("--views", type=int, default=features.AUGMENTED, help="augmented views of a photo, beside its centre")
    parser.add_argument("--split-above", type=int, default=fit.Plan().split_above, help="photos over which a cell is split")
    parser.add_argument("--keep-from", type=int, default=fit.Plan().keep_from, help="photos under which a cell is dropped")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def plan_of(args: argparse.Namespace) -> fit.Plan:
    plan = fit.Plan()
    return replace(plan, split_above=args.split_above, keep_from=args.keep_from, promise=calibrate.promise(args.promise),
                   tune=replace(plan.tune, epochs=args.fine_tune))


def run(args: argparse.Namespace) -> None:
    os.umask(0o077)  # the cells and all beside them say where somebody's photos were taken
    work, plan = store.Store(args.work), plan_of(args)
    net = backbone.load(args.backbone)
    if args.fine_tune and not hasattr(net, "tail"):
        raise manifest.ManifestError(f"--fine-tune: backbone {args.backbone} has no tail to fine-tune, only lite0, lite1 and lite2 have")
    corpus = corpus_module.own(args.manifest, args.photos, work, net, args.fine_tune > 0, args.views)
    fitted = fit.fit(corpus, plan, fit.kept_steps(work, corpus, plan))
    named = {"name": args.name, "version": args.version, "licence": args.licence,
             "summary": f"{net.about.name}, linear head over {len(fitted.cells)} adaptive S2 cells, album LSTM"}
    pack.write(corpus, fitted, plan, args.out, named, golden.drawn_pictures())
    lists = args.work / args.name
    splits.write_heldout(lists / "heldout.csv", corpus.photos, corpus.sides)
    splits.write_gallery(lists / "gallery.csv", corpus.photos, corpus.sides, folder="")
    facts = card.facts(corpus, fitted, plan) | {"name": args.name, "licence": args.licence}
    card.write(args.out, HERE / "card_own.md.in", facts)
    pack.pinned(corpus, fitted, plan, args.out, named)
    if args.planetag:
        subprocess.run([args.planetag, "bundle", "verify", args.out], check=True)
        evaluation = [args.planetag, "eval", "--bundle", args.out, "--manifest", lists / "heldout.csv", "--photos", args.photos,
                      "--gallery", lists / "gallery.csv", "--gallery-photos", args.photos]
        card.fill(args.out, {"heldout": [str(part) for part in evaluation]})
    print(f"{args.out} is ready; its figures are in {args.out / 'CARD.md'}")


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    try:
        run(args)
    except ValueError as e:  # of the manifest, the promise or the backbone: what the user wrote, with the remedy
        sys.exit(f"train: {e}")


if __name__ == "__main__":
    main()
