"""CARD.md, NOTICE and LICENSE of the bundle, and the evaluation figures inside the card.

The figures are not computed here: `python card.py --planetag BIN --data DIR` runs `planetag eval` and puts what it prints
between the card's markers, then pins the bundle again.
"""

import argparse
import re
import shutil
import subprocess
from pathlib import Path

import yaml

import data
import pin

HERE = Path(__file__).resolve().parent
MARKED = re.compile(r"(<!-- eval: (\w+) -->\n```text\n).*?(```\n<!-- end -->)", re.DOTALL)


def validation_table(fitted) -> str:
    lines = ["| mode | temperature | photos judged answered | abstain below |", "|---|---|---|---|"]
    for mode, figures in fitted.validation.items():
        row = (mode, f"{fitted.temperature[mode]:.2f}", f"{100 * figures['answered']:.0f} %",
               f"{fitted.calibration[mode]['abstain_below']:.3f}")
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def write(bundle: Path, facts: dict, fitted) -> None:
    """Renders card.md.in; the evaluation blocks of an earlier card are not kept, since the model is another."""
    text = (HERE / "card.md.in").read_text()
    head, album, plan = facts["plan"]["head"], facts["plan"]["album"], facts["plan"]
    values = facts | {f"head_{k}": v for k, v in head.items()} | {f"album_{k}": v for k, v in album.items()}
    values |= {k: v for k, v in plan.items() if not isinstance(v, dict)} | {"default": fitted.default, "crop": facts["crop"]}
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    text = text.replace("@calibration@", validation_table(fitted))
    (bundle / "CARD.md").write_text(text)
    shutil.copyfile(HERE / "notice.in", bundle / "NOTICE")
    shutil.copyfile(HERE / "apache-2.0.txt", bundle / "LICENSE")


def commands(planetag: str, bundle: Path, root: Path) -> dict[str, list[str]]:
    """The evaluation commands by the name of their block in the card."""
    base = [planetag, "eval", "--bundle", str(bundle)]
    return {
        name: [*base, "--manifest", str(HERE / f"splits/heldout_{name}.csv"), "--photos", str(root / name)]
        + ["--gallery", str(HERE / "splits/gallery.csv"), "--gallery-photos", str(root)]
        for name in ("photos", "landmarks")
    }


def fill(bundle: Path, planetag: str, root: Path) -> None:
    card = bundle / "CARD.md"

    def block(match: re.Match) -> str:
        command = commands(planetag, bundle, root)[match[2]]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return match[1] + printed.rstrip("\n") + "\n" + match[3]

    card.write_text(MARKED.sub(block, card.read_text()))
    pin.write(bundle, yaml.safe_load((bundle / "bundle.yaml").read_text()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planetag", required=True)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    args = parser.parse_args()
    fill(args.bundle, args.planetag, args.data)


if __name__ == "__main__":
    main()
