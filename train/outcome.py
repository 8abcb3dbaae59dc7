"""The table that says what an archive's own bundle is worth: figures of `planetag eval` for it and for the base, side by side.

`python outcome.py --planetag BIN --bundle DIR --base DIR --manifest FILE --photos DIR [--anchors-from FILE]` prints it.
"""

import argparse
import json
import subprocess
from pathlib import Path

COLUMNS = ("within_1km", "within_25km", "within_200km", "within_750km")


def asked(planetag: Path, bundle: Path, manifest: Path, photos: Path, *more: str | Path) -> dict:
    """What `planetag eval --json` prints."""
    command = [planetag, "eval", "--bundle", bundle, "--manifest", manifest, "--photos", photos, "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"planetag eval: {done.stderr.strip()}")
    return json.loads(done.stdout)


def table(planetag: Path, bundle: Path, base: Path, manifest: Path, photos: Path, anchors: list) -> str:
    """Rows of the base and of the bundle, with 95 % intervals, and the difference of the two photo by photo."""
    learned = asked(planetag, bundle, manifest, photos, "--compare", base, *anchors)
    before = asked(planetag, base, manifest, photos)
    picture = [("learned, picture", learned["modes"]["picture"])] if "picture" in learned["modes"] else []  # single is told of the day
    rows = [("base, single", before["modes"]["single"]), ("learned, single", learned["modes"]["single"]), *picture,
            ("base, album", before["modes"][before["default_mode"]]), ("learned, album", learned["modes"][learned["default_mode"]])]
    if anchored := learned.get("anchored"):
        for name in ("nearest_in_time", f"{learned['default_mode']}+anchors"):
            if anchored["all"][name]["n"]:
                rows.append((f"{name.replace('nearest_in_time', 'nearest in time')}, n={anchored['all'][name]['n']}", anchored["all"][name]))
    lines = [f"{str(learned['n']) + ' photos, % within':24s}{'1 km':>7}{'25 km':>16}{'200 km':>16}{'750 km':>16}"]
    lines += [f"{name:24s}" + "".join(share(scores, column) for column in COLUMNS) for name, scores in rows]
    lines += [f"{title:24s}" + "".join(change(compared, column) for column in COLUMNS)
              for title, mode in (("learned − base, single", "single"), ("learned − base, album", None))
              if (compared := compared_in(learned, before, mode))]
    answers = [f"{name} answers {100 * learned['calibrated_modes'][mode]['coverage']:.0f} %"
               for name, mode in (("single", "single"), ("album", learned["default_mode"]))]
    return "\n".join([*lines, f"95 % intervals over {learned['split']['units']} units; {', '.join(answers)}; the rows above count all"])


def cell(text: str, interval: list[float] | None, form: str) -> str:
    """A figure with its interval, of which there is none over too few units."""
    beside = "–".join(form.format(100 * end) for end in interval) if interval else ""
    return f"{text:>7s} {beside:8s}"


def share(scores: dict, column: str) -> str:
    return cell(f"{100 * scores[column]:.1f}", scores.get(f"{column}_ci"), "{:.0f}")


def compared_in(learned: dict, before: dict, mode: str | None) -> dict | None:
    first, second = mode or learned["default_mode"], mode or before["default_mode"]
    return next((c for c in learned["comparisons"] if c["first"].endswith(f" {first}") and c["second"].endswith(f" {second}")), None)


def change(compared: dict, column: str) -> str:
    return cell(f"{100 * compared[column]['difference']:+.1f}", compared[column]["ci"], "{:+.0f}").replace("–", "…")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("planetag", "bundle", "base", "manifest", "photos"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--anchors-from", type=Path)
    args = parser.parse_args()
    anchors = ["--anchors-from", args.anchors_from] if args.anchors_from else []
    print(table(args.planetag, args.bundle, args.base, args.manifest, args.photos, anchors))


if __name__ == "__main__":
    main()
