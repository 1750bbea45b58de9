"""Makes what retrieval looks motifs up in: thumbnails of all of them on white, their names and what to ask for.

    python motifs.py --workdir DIR --out FOLDER        writes FOLDER/motifs.png and FOLDER/motifs.json

The thumbnails are those that ``evaluate.py`` compares, 64x64, 40 in a row, in the order of the list.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

import data
from evaluate import THUMBNAIL, thumbnail

COLUMNS = 40


def atlas(renders):
    """All thumbnails in rows of ``COLUMNS``, uint8 [rows * 64, COLUMNS * 64, 3]; places without a motif are white."""
    rows = -(-len(renders) // COLUMNS)
    picture = np.full((rows * THUMBNAIL, COLUMNS * THUMBNAIL, 3), 255, np.uint8)
    for i, render in enumerate(renders):
        y, x = i // COLUMNS * THUMBNAIL, i % COLUMNS * THUMBNAIL
        picture[y:y + THUMBNAIL, x:x + THUMBNAIL] = thumbnail(data.on_background(render, "white"))
    return picture


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    motifs, renders = data.load(args.workdir)
    rows = [json.dumps({"id": m["id"], "name": m["name"], "prompt": data.with_article(m["name"])}) for m in motifs]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "motifs.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")
    Image.fromarray(atlas(renders)).save(args.out / "motifs.png", optimize=True)
    print(f"{len(motifs)} motifs, {(args.out / 'motifs.png').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
