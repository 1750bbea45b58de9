#!/usr/bin/env bash
# Makes images by 20 command lines with the ./tome of a checkout, to compare two checkouts byte for byte:
#
#   cli/src/test/same-images.sh BEFORE_CHECKOUT before && cli/src/test/same-images.sh . after && diff -r before after
#
# The text that an image carries is part of the comparison. --seed is everywhere, and tomesd's mode only without random
# draws: before merging was a value of the request, it drew from a generator that nothing seeded.
set -euo pipefail

[ $# = 2 ] || { echo "usage: $0 CHECKOUT FOLDER" >&2; exit 2; }
checkout=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
tiny1=$checkout/reference/fixtures/tiny-sd1
tiny2=$checkout/reference/fixtures/tiny-sd2

number=0
draw() {
    number=$((number + 1))
    "$checkout/tome" generate "$@" --out "$out/$(printf %02d "$number").png" >/dev/null 2>"$out/log" \
        || { cat "$out/log" >&2; exit 1; }
}

draw "a red apple" --seed 42
draw "a red apple" --seed 42 --ratio 0 --steps 4
draw "a goat on a blue background" --seed 1 --steps 4 --ratio 0.75 --method todo
draw "a clock" --seed 2 --steps 4 --method query --merge-mlp
draw "a clock" --seed 2 --steps 4 --size-weighted --negative "blurry" --guidance 4
draw "a cat" --seed 3 --steps 4 --match-per block --ratio 0.6
draw "a cat" --seed 3 --steps 4 --match-every 2 --match-together
draw "a cat" --seed 3 --steps 4 --match-precision bf16 --count 2
draw "a boat" --seed 4 --steps 3 --merge-crossattn --merge-mlp --max-downsample 8 --dtype fp32
draw "a boat" --seed 4 --steps 3 --sx 4 --sy 3 --no-rand --width 320 --height 256
draw "a boat" --seed 4 --steps 3 --merging auto --attention naive --width 256 --height 256
draw "a boat" --seed 4 --steps 3 --tomesd --no-rand --ratio 0.9
draw "a photo, of: \"an astronaut\"" --model "$tiny1" --seed 5 --steps 5 --scheduler euler_a
draw "a photo" --model "$tiny1" --seed 5 --steps 5 --scheduler dpmpp_2m_karras --max-downsample 2 --width 136 --height 104
draw "a photo" --model "$tiny1" --seed 5 --steps 5 --scheduler heun --guidance 1
draw "a photo" --model "$tiny1" --seed 5 --steps 5 --scheduler unipc --no-merge-attn --merge-mlp
draw "a photo" --model "$tiny1" --seed -7 --steps 6 --scheduler pndm
draw "a photo" --model "$tiny1" --seed 5 --steps 4 --scheduler lcm --merging off
draw "a photo" --model "$tiny2" --seed 6 --steps 5 --ratio 0.3
draw "a photo" --model "$tiny2" --seed 6 --steps 5 --scheduler lms --dtype bf16 --latents "$out/20.safetensors"
rm "$out/log"
