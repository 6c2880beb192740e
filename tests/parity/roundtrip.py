"""Models saved by us load in `gliner` and give the same spans: checked by the judge itself.

    python tests/parity/roundtrip.py --gliner-python PATH/TO/python

Every golden checkpoint is read, written in our format, read again, written in GLiNER's, and asked
about a few texts on both sides: here through `spanwise.compat`, there by `gliner` (see `record.py`
for its environment). Prints a line for each checkpoint; the exit status is 1 if any differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

TEXTS = [
    "Angela Merkel met Barack Obama in Berlin on Monday, said the BBC.",
    "東京 and naïve café 😀 owners met Dr. Smith-Jones yesterday; nobody knew why.",
    "The committee of the House approved the Budget Act in 2019 while Mary wrote about rivers.",
]
LABELS = ["person", "location", "organization", "event of 2019", "date"]
THRESHOLD = 0.3

THEIRS = """
import json, sys
from gliner import GLiNER
texts, labels, threshold, folders = json.load(sys.stdin)
found = {}
for name, folder in folders.items():
    model = GLiNER.from_pretrained(folder).eval()
    found[name] = [model.predict_entities(text, labels, threshold=threshold) for text in texts]
print("\\n" + json.dumps(found))
"""


def main() -> int:
    """Write, ask both sides, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gliner-python", required=True, help="python of the judge's environment")
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.parity import golden

    from spanwise.compat import GLiNER
    from spanwise.errors import UnsupportedError
    from spanwise.model import checkpoint, read_model, upstream

    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        golden.unpack(place / "golden")
        ours, folders = {}, {}
        for name in golden.checkpoints():
            try:
                model = read_model(place / "golden" / name)
            except UnsupportedError as error:
                print(f"{name}: left out, {error}")
                continue
            checkpoint.save(model, place / "ours" / name)
            folders[name] = str(
                upstream.save(read_model(place / "ours" / name), place / "gliner" / name)
            )
            again = GLiNER.from_pretrained(folders[name])
            ours[name] = [again.predict_entities(t, LABELS, threshold=THRESHOLD) for t in TEXTS]
        asked = json.dumps([TEXTS, LABELS, THRESHOLD, folders])
        answered = subprocess.run(
            [arguments.gliner_python, "-c", THEIRS],
            input=asked, capture_output=True, text=True, check=True,
        )  # fmt: skip
        theirs = json.loads(answered.stdout.splitlines()[-1])
    return int(sum(not _same(name, ours[name], theirs[name]) for name in ours) > 0)


def _same(name: str, ours: list[list[dict]], theirs: list[list[dict]]) -> bool:
    keys = ("start", "end", "label")
    spans = [[[tuple(e[k] for k in keys) for e in t] for t in side] for side in (ours, theirs)]
    if spans[0] != spans[1]:
        print(f"{name}: DIFFERS, {spans[0]} here, {spans[1]} in gliner")
        return False
    pairs = [(a, b) for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True)]
    off = max((abs(a["score"] - b["score"]) for a, b in pairs), default=0.0)
    print(f"{name}: the same {len(pairs)} spans, scores within {off:.0e}")
    return off < 1e-4


if __name__ == "__main__":
    sys.exit(main())
