"""Makes pipeline/demo/photos: the committed photos of `planetag demo`, from the shared data set and demo_ids.csv.

The choice is a list of ids, made by content (scenery and cities, nobody recognisable) and licence, never by what a model
answers. Three extra files show the other ways a photo can end: a drawn screenshot (abstained), a photo that carries its own
EXIF position (given) and a JPEG cut off in the middle (dead letter).
"""

import argparse
import csv
import io
import shutil
from pathlib import Path

from PIL import Image

import data
import screenshots

HERE = Path(__file__).resolve().parent
COLUMNS = ["file", "lat", "lon", "taken_at", "album", "licence", "source", "expect"]
GIVEN_ID, GIVEN_FILE = "mikekovari-629b0b141634", "arezzo-2008/02-avenue.jpg"
SCREENSHOT_FILE, CORRUPT_FILE = "screenshot.png", "truncated.jpg"
CORRUPT_FROM = "dulek-d43f1ec65c8f"

LICENCE_TEXT = """# Licences of the demo photos

Every photo is openly licensed; `manifest.csv` names the licence and the source repository of each file. All photos were
reduced to a short side of 176 px and their metadata was removed by the data set they were taken from; nothing else was
changed, except as noted below.

{groups}
`{given}` has its own position and time written back into its EXIF.
`{corrupt}` holds the first part of `{corrupt_of}` on purpose, to show what happens to a broken file.
`{screenshot}` was drawn by `train/screenshots.py` and is under the licence of this repository (Apache-2.0).

The CC BY-SA 4.0 photos stay under CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/); those of
ualsg/global-streetscapes were published by Mapillary and KartaView contributors.
"""


def read_choice() -> list[tuple[str, str]]:
    with open(HERE / "demo_ids.csv", newline="") as f:
        return [(row["id"], row["file"]) for row in csv.DictReader(f)]


def manifest_row(file: str, photo: data.Photo, expect: str = "") -> dict:
    album = file.split("/")[0] if "/" in file else ""
    return {
        "file": file, "lat": f"{photo.lat:.6f}", "lon": f"{photo.lon:.6f}", "taken_at": f"{photo.taken_at}Z",
        "album": album, "licence": photo.licence, "source": f"https://github.com/{photo.source}", "expect": expect,
    }


def rationals(degrees: float) -> tuple[float, float, float]:
    """Degrees, minutes and seconds of a positive angle, as EXIF wants them."""
    minutes, seconds = divmod(degrees * 3600, 60)
    whole, minutes = divmod(minutes, 60)
    return whole, minutes, round(seconds, 3)


def with_exif(photo: data.Photo) -> bytes:
    """The photo re-encoded with DateTimeOriginal and GPS tags holding its known time and position."""
    exif = Image.Exif()
    exif[0x0131] = "planetag demo"
    exif.get_ifd(0x8769)[0x9003] = photo.taken_at.replace("-", ":").replace("T", " ")
    gps = exif.get_ifd(0x8825)
    gps[0] = b"\x02\x03\x00\x00"
    gps[1], gps[2] = "N" if photo.lat >= 0 else "S", rationals(abs(photo.lat))
    gps[3], gps[4] = "E" if photo.lon >= 0 else "W", rationals(abs(photo.lon))
    out = io.BytesIO()
    with Image.open(photo.path) as image:
        image.convert("RGB").save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


def extra_rows(photos: dict[str, data.Photo], out: Path) -> list[dict]:
    given = photos[GIVEN_ID]
    (out / GIVEN_FILE).write_bytes(with_exif(given))
    whole = photos[CORRUPT_FROM].path.read_bytes()
    (out / CORRUPT_FILE).write_bytes(whole[: len(whole) * 2 // 5])
    screenshots.draw(seed=7, size=(375, 667)).save(out / SCREENSHOT_FILE)
    drawn = {"licence": "Apache-2.0", "source": "train/screenshots.py"}
    broken = {"licence": photos[CORRUPT_FROM].licence, "source": f"https://github.com/{photos[CORRUPT_FROM].source}"}
    nothing = dict.fromkeys(COLUMNS, "")
    return [
        manifest_row(GIVEN_FILE, given, "given"),
        nothing | {"file": SCREENSHOT_FILE, "expect": "abstained"} | drawn,
        nothing | {"file": CORRUPT_FILE, "expect": "dead_letter"} | broken,
    ]


def write_licences(rows: list[dict], out: Path) -> None:
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["file"] not in (SCREENSHOT_FILE, CORRUPT_FILE):
            groups.setdefault((row["source"], row["licence"]), []).append(row["file"])
    text = ""
    for (source, licence), files in sorted(groups.items()):
        text += f"## {source}\n\nLicence: {licence}\n\n" + "".join(f"- `{f}`\n" for f in sorted(files)) + "\n"
    corrupt_of = dict(read_choice())[CORRUPT_FROM]
    names = {"given": GIVEN_FILE, "corrupt": CORRUPT_FILE, "corrupt_of": corrupt_of, "screenshot": SCREENSHOT_FILE}
    (out / "LICENCES.md").write_text(LICENCE_TEXT.format(groups=text, **names))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--out", type=Path, default=HERE.parent / "pipeline/demo/photos")
    args = parser.parse_args()
    photos = {p.id: p for p in data.read_photos(args.data)}
    rows = []
    for photo_id, file in read_choice():
        target = args.out / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photos[photo_id].path, target)
        rows.append(manifest_row(file, photos[photo_id]))
    rows = sorted(rows + extra_rows(photos, args.out), key=lambda row: row["file"])
    with open(args.out / "manifest.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_licences(rows, args.out)


if __name__ == "__main__":
    main()
