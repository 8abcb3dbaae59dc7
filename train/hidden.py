"""An archive of which half of the photos do not know where they were taken, to try `survey`, `learn` and `eval` on.

`python hidden.py --data DIR --source losandos --out DIR` copies the photos of one source from a folder with `manifest.csv` into
OUT/photos, a folder an album. Each gets an EXIF block with its time; half of them, drawn by their names and the seed, with its
position, too.
What is hidden is in OUT/hidden.csv.
"""

import argparse
import csv
from fractions import Fraction
from pathlib import Path

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from splits import lot


def block(row: dict, shown: bool) -> bytes:
    """The EXIF of a photo as a camera, or a phone, would have written it."""
    exif = Image.Exif()
    if row["taken_at"]:
        when = row["taken_at"].replace("-", ":").replace("T", " ")[:19]
        exif[Base.DateTime.value] = when
        exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal.value] = when
    if shown:
        gps = exif.get_ifd(IFD.GPSInfo)
        for ref, key, value, letters in ((GPS.GPSLatitudeRef, GPS.GPSLatitude, row["lat"], "NS"), (GPS.GPSLongitudeRef, GPS.GPSLongitude, row["lon"], "EW")):
            gps[ref.value], gps[key.value] = letters[float(value) < 0], dms(abs(float(value)))
    return exif.tobytes()


def dms(degrees: float) -> tuple[Fraction, Fraction, Fraction]:
    seconds = round(degrees * 3600 * 10_000)
    whole, rest = divmod(seconds, 3600 * 10_000)
    return Fraction(whole), Fraction(rest // 600_000), Fraction(rest % 600_000, 10_000)


def written(jpeg: bytes, exif: bytes) -> bytes:
    """The photo with an EXIF block behind its first two bytes; its pixels are not touched."""
    if jpeg[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG")
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--source", required=True, help="what the ids of its photos begin with")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", default="", help="another draw of the photos that hide their position")
    args = parser.parse_args()
    with open(args.data / "manifest.csv", newline="") as f:
        rows = [row for row in csv.DictReader(f) if row["id"].startswith(args.source)]
    hidden = []
    for row in rows:
        file = Path(row["album"]) / Path(row["file"]).name
        shown = lot(f"shown {args.seed}{row['id']}") < 0.5
        (args.out / "photos" / file).parent.mkdir(parents=True, exist_ok=True)
        (args.out / "photos" / file).write_bytes(written((args.data / row["file"]).read_bytes(), block(row, shown)))
        if not shown:
            hidden.append({"id": file.as_posix(), "file": file.as_posix()} | {key: row[key] for key in ("lat", "lon", "taken_at", "album")})
    with open(args.out / "hidden.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, ["id", "file", "lat", "lon", "taken_at", "album"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(hidden)
    print(f"{args.out}: {len(rows)} photos, {len(hidden)} of which hide their position")


if __name__ == "__main__":
    main()
