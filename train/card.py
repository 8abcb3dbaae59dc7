"""CARD.md, NOTICE and LICENSE of the bundle, and the evaluation figures inside the card.

The figures are not computed here: `python card.py --planetag BIN --data DIR` runs `planetag eval`, `nowhere.py`, `compare.py`,
`radii.py` and `seeds.py` and puts what they print between the card's markers, then pins the bundle again.
"""

import argparse
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import yaml

import calibrate
import data
import fit
import pin
import square

HERE = Path(__file__).resolve().parent
MARKED = re.compile(r"(<!-- (eval|run): (\w+) -->\n```text\n).*?(```\n<!-- end -->)", re.DOTALL)
UNFILLED = re.compile(r"@\w+@")


def measured_table(fitted) -> str:
    lines = ["| mode | temperature | answered | of these within the promise | abstain above | answered if nothing taken nowhere had to be refused |",
             "|---|---|---|---|---|---|"]
    for mode, table in fitted.calibration.items():
        by_error, kept = table["expected_error"]["tables"], table["expected_error"]["promise"]
        above = " and ".join(f"{t['abstain_above_m'] / 1000:.0f} km" for t in by_error)
        row = (mode, f"{fitted.temperature[mode]:.2f}", f"{100 * kept['answered']:.0f} %", f"{100 * kept['kept']:.0f} %",
               above, f"{100 * fitted.validation[mode]['answered_but_for_strangers']:.0f} %")
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def lstm_gain(fitted) -> str:
    measured = fitted.validation["lstm_repeat"].get("gain_over_average")
    if measured:
        return "nearer by {:+.3f} [{:+.3f}, {:+.3f}] in closeness exp(−error/1492.7 km), read twice".format(*measured)
    return "not compared, since the fine-tuned backbone learned from these photos, too" if fitted.tail else "too few to compare on"


def facts(corpus, fitted, plan) -> dict:
    """What the card's template asks for, by name."""
    about, tuned = corpus.net.about, plan.tune
    trained = f"last blocks fine-tuned for {tuned.epochs} epochs" if tuned.epochs else "frozen"
    rates = f"{tuned.epochs} epochs of one view a photo, step {tuned.learning_rate:g}, statistics of batch normalisation kept"
    spacing = fitted.cells.spacing()
    values = {
        "cells": len(fitted.cells), "spacing_km": round(spacing), "tau_km": round(plan.head.tau_share * spacing),
        "crop": square.CROP, "views": corpus.seen.embeddings.shape[1], "backbone": about.name, "size": about.size,
        "credit": about.credit, "backbone_licence": about.licence, "trained": trained, "tuned": rates if tuned.epochs else "not done here", "promise": str(plan.promise),
        "folds": fit.FOLDS, "unsure_below": calibrate.UNSURE_BELOW, "teaching": corpus.taught, "patterns": len(set(corpus.kinds)) - 1,
        "learned": len(fitted.train), "photos": len(corpus.photos), "default": fitted.default, "lstm_gain": lstm_gain(fitted), "measured": measured_table(fitted),
        "heldout": len(corpus.rows("heldout")), "dropped": len(corpus.rows("dropped")),
        "skipped": "; ".join(f"{n} × {reason}" for reason, n in corpus.skips.items()) or "none",
        "coarser": " and ".join(str(n * plan.split_above) for n in plan.head.coarser) or "no other number of",
    }
    values |= {f"head_{k}": v for k, v in asdict(plan.head).items()} | {f"album_{k}": v for k, v in asdict(plan.album).items()}
    return values | {k: v for k, v in asdict(plan).items() if not isinstance(v, dict)}


def filled(text: str, values: dict) -> str:
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    if left := UNFILLED.findall(text):
        raise ValueError(f"the template asks for {', '.join(sorted(set(left)))}, which nothing fills in")
    return text


def write(bundle: Path, template: Path, values: dict) -> None:
    """Renders the templates; the evaluation blocks of an earlier card are not kept, since the model is another."""
    (bundle / "CARD.md").write_text(filled(template.read_text(), values))
    (bundle / "NOTICE").write_text(filled(template.with_name(template.name.replace("card", "notice")).read_text(), values))
    shutil.copyfile(HERE / "apache-2.0.txt", bundle / "LICENSE")


def demo_commands(planetag: str, bundle: Path, root: Path) -> dict[str, list[str]]:
    """The commands of the demo card, by the names of its blocks."""
    base = [planetag, "eval", "--bundle", str(bundle)]
    found = {
        name: [*base, "--manifest", str(HERE / f"splits/heldout_{name}.csv"), "--photos", str(root / name)]
        + ["--gallery", str(HERE / "splits/gallery.csv"), "--gallery-photos", str(root)]
        for name in ("photos", "landmarks")
    }
    found["photos"] += ["--compare-modes", "average,single,lstm,lstm_repeat,hmm"]
    return found | {name: [sys.executable, str(HERE / f"{name}.py"), "--bundle", str(bundle), "--data", str(root)]
                    for name in ("nowhere", "compare", "radii", "seeds")}


def fill(bundle: Path, commands: dict[str, list[str]]) -> None:
    """Puts what the commands print into the blocks of their names. Pinned before, too: of a card that was edited by hand the commands would say
    that the bundle is damaged."""
    card, manifest = bundle / "CARD.md", yaml.safe_load((bundle / "bundle.yaml").read_text())
    pin.write(bundle, manifest)

    def block(match: re.Match) -> str:
        done = subprocess.run(commands[match[3]], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(commands[match[3]][:2])} failed:\n{done.stderr}")
        return match[1] + done.stdout.rstrip("\n") + "\n" + match[4]

    card.write_text(MARKED.sub(block, card.read_text()))
    pin.write(bundle, manifest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planetag", required=True)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    args = parser.parse_args()
    fill(args.bundle, demo_commands(args.planetag, args.bundle, args.data))


if __name__ == "__main__":
    main()
