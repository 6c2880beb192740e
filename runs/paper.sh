#!/usr/bin/env bash
# The paper's model: two stages on DeBERTa-v3-large, then its tables. Needs GPUs; N says how many.
#
#     N=8 runs/paper.sh DATA [more settings of both stages]
#
# Several processes share a step: with N of them a step takes N times 8 examples, so the steps are
# divided by N to see as many examples as the paper did.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${1:?usage: runs/paper.sh DATA [more settings]}
shift
python=${PYTHON:-.venv/bin/python}
n=${N:-1}

train() {
  "$python" -m torch.distributed.run --standalone --nproc-per-node "$n" -m spanwise train "$@"
}

train configs/paper-stage1.toml --data "$data" --steps $((120000 / n)) "$@"
train configs/paper-stage2.toml --data "$data" --steps $((1000 / n)) "$@"
"$python" -m spanwise evaluate checkpoints/paper-stage2 --data "$data" --device cuda \
  --backend pytorch --suite paper --out checkpoints/paper-stage2/paper
