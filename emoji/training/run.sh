#!/usr/bin/env bash
# From nothing to the shipped weights:  ./run.sh WORKDIR
# Every step goes on where it was stopped and does nothing once it is done, so run it again after an interruption.
# Budgets in minutes of wall-clock time, for two CPU cores with avx512_bf16; set any of them in the environment. Where other
# programs share the cores, THREADS=1 wastes less on waiting: 21 samples a second of CPU time at 16x16 latents instead of 9.
set -euo pipefail
workdir=$(realpath -m "${1:?usage: ./run.sh WORKDIR}")
cd "$(dirname "$0")"
. ./env.sh
python() { nice -n 19 "${PYTHON:-python3}" -u "$@" --workdir "$workdir"; }
threads=(--threads "${THREADS:-2}")

python data.py
python tokenizer.py
[ -e "$workdir/vae" ] || python autoencoder.py "${threads[@]}" --minutes "${AUTOENCODER:-33}"
python text.py "${threads[@]}" --minutes "${TEXT:-23}"
python latents.py "${threads[@]}" --size 256 --coloured 1
python train.py "${threads[@]}" --level 2 --batch 48 --minutes "${LEVEL2:-35}"
python train.py "${threads[@]}" --level 1 --batch 16 --minutes "${LEVEL1:-25}"
python latents.py "${threads[@]}" --size 512 --coloured 1
python train.py "${threads[@]}" --level 0 --batch 4 --inner 48 --merge 0.5 --rate 1.3e-3 --decay 0.66 --average 0.998 --minutes "${LEVEL0:-140}"
python export.py
python evaluate.py "${threads[@]}" --samples 48
