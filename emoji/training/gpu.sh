#!/usr/bin/env bash
# From the shipped weights (or those in WORKDIR) to sharper ones on a GPU, in a quarter of an hour on an H100:  ./gpu.sh WORKDIR
# Every step goes on where it was stopped and does nothing once it is done, so run it again after an interruption.
set -euo pipefail
workdir=$(realpath -m "${1:?usage: ./gpu.sh WORKDIR}")
cd "$(dirname "$0")"
python() { "${PYTHON:-python3}" -u "$@" --workdir "$workdir"; }

python data.py
[ -e "$workdir/unet.pt" ] || python resume.py
python autoencoder.py --further --minutes "${AUTOENCODER:-2.2}" --batch 64 --rate 1e-3
python text.py --minutes "${TEXT:-2}" --batch 96 --rate 1e-3
python latents.py --size 512 --coloured 3
python joint.py --minutes "${JOINT:-9.3}" --batch 64 --rate 1.5e-3 --merge 0.5 --decay 0.4
python export.py
python evaluate.py --samples 96 --batch 48 --guidance 1 2.5
