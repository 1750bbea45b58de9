#!/usr/bin/env bash
# From nothing to the shipped weights:  ./run.sh WORKDIR
# Every step goes on where it was stopped and does nothing once it is done, so run it again after an interruption.
# Budgets in minutes, for two CPU cores with avx512_bf16; set any of them in the environment.
set -euo pipefail
workdir=$(realpath -m "${1:?usage: ./run.sh WORKDIR}")
cd "$(dirname "$0")"
. ./env.sh
python() { nice -n 19 "${PYTHON:-python3}" -u "$@" --workdir "$workdir"; }

python data.py
python tokenizer.py
[ -e "$workdir/vae" ] || python autoencoder.py --minutes "${AUTOENCODER:-30}"
python latents.py --size 256 --coloured 2
python train.py --stage small --size 16 --batch 32 --minutes "${SMALL:-15}"
python train.py --stage middle --size 32 --batch 16 --minutes "${MIDDLE:-180}"
python latents.py --size 512 --coloured 1
python train.py --stage full --size 64 --batch 8 --merge 0.5 --rate 1e-3 --decay 0.5 --average 0.999 --minutes "${FULL:-240}"
python autoencoder.py --decoder --minutes "${DECODER:-30}"
python export.py
python evaluate.py --samples 200 --size 512 --steps 20
