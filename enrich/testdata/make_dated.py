"""Makes the bundle testdata/dated: testdata/tiny with a diary and what photos told of their day are worth.

    python3 make_dated.py           # writes ./dated anew; needs pyarrow

Its owner was in Paris on 2022-01-08, and three hundred days later in Sydney and New York. The table of told photos is narrower
than that of pictures, and answers more: a test can tell by which of the two it was answered.
"""

import datetime
import hashlib
import shutil
from pathlib import Path

import pyarrow
import pyarrow.parquet

HERE = Path(__file__).parent
ROME, PARIS, SYDNEY, NEW_YORK = range(4)
DIARY = [("2022-01-08", PARIS, 9), ("2022-01-08", ROME, 1), ("2022-11-04", SYDNEY, 5), ("2022-11-04", NEW_YORK, 5)]
TABLE = """\
  dated:
    temperature: 1.0
    abstain_below: 0.3
    radius:
      - {confidence: 0.0, p50_m: 70000, p90_m: 700000}
      - {confidence: 0.9, p50_m: 7000, p90_m: 70000}
"""


def make_diary(path: Path):
    days, rows, photos = zip(*DIARY)
    columns = {
        "day": pyarrow.array([datetime.date.fromisoformat(day) for day in days], pyarrow.date32()),
        "row": pyarrow.array(rows, pyarrow.int32()),
        "photos": pyarrow.array(photos, pyarrow.int64()),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="snappy", store_schema=False)


def make_manifest(folder: Path):
    text = (HERE / "tiny" / "bundle.yaml").read_text()
    data = (folder / "diary.parquet").read_bytes()
    listed = f"files:\n  - {{path: diary.parquet, bytes: {len(data)}, sha256: {hashlib.sha256(data).hexdigest()}}}\n"
    for old, new in (
        ("name: tiny\n", "name: dated\n"),
        ("files:\n", listed),
        ("default: lstm_repeat}", "default: lstm_repeat, diary: diary.parquet}"),
        ("calibration:\n", "calibration:\n" + TABLE),
    ):
        if text.count(old) != 1:
            raise ValueError(f"the manifest has {old!r} {text.count(old)} times")
        text = text.replace(old, new)
    (folder / "bundle.yaml").write_text(text)


if __name__ == "__main__":
    made = HERE / "dated"
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(HERE / "tiny", made)
    make_diary(made / "diary.parquet")
    make_manifest(made)
