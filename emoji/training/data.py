"""Makes the data set: motifs, captions and pictures, from two MIT-licensed npm packages.

Motifs are the icons of ``@iconify-json/fluent-emoji-flat`` without the skin-tone variants. Every motif has one
canonical caption that no other motif shares ("a red apple"), plus CLDR keywords from ``emojibase-data``.
Pictures are rendered from the vectors at 512x512 as RGBA, so that any background can be put under them later.

    python data.py --workdir DIR        writes DIR/motifs.json and DIR/renders.npy (uint8 [N, 512, 512, 4], premultiplied)
"""
import argparse
import io
import json
import re
import subprocess
import tarfile
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch

ICONS = "@iconify-json/fluent-emoji-flat@1.2.6"
KEYWORDS = "emojibase-data@17.0.0"
SKIN_TONE = re.compile(r"-(medium-light|medium-dark|light|medium|dark)$")
SIZE = 512

# Backgrounds that captions name. White is the canonical one.
COLOURS = {
    "white": (255, 255, 255), "black": (20, 20, 24), "grey": (150, 150, 155), "red": (214, 60, 60),
    "orange": (245, 150, 60), "yellow": (250, 215, 90), "green": (90, 175, 95), "teal": (50, 150, 150),
    "blue": (75, 130, 220), "light blue": (165, 210, 245), "purple": (140, 95, 190), "pink": (245, 170, 200),
    "brown": (130, 90, 65), "beige": (240, 226, 200),
}
TEMPLATES = ("{a}",) * 9 + ("{name}",) * 3 + ("{a} on a white background",) * 3 + (
    "{name} on a white background", "{a} on white", "an emoji of {a}", "a drawing of {a}", "a picture of {a}", "{name} emoji",
    "a flat icon of {a}", "{a}, {tag}", "{name}, {tag}, {tag2}",
)
TEMPLATES_COLOURED = (
    "{a} on a {colour} background", "{a} on a {colour} background", "{a} on {colour}", "{name} on a {colour} background",
    "an emoji of {a} on a {colour} background", "a drawing of {a} on a {colour} background",
)


def with_article(name):
    """'red apple' -> 'a red apple', 'orange' -> 'an orange'; plurals and numbers are left to the model's indulgence."""
    vowel = name[0] in "aeio" or (name[0] == "u" and not re.match(r"u(ni|s|k)", name))
    return ("an " if vowel else "a ") + name


def caption(motif, rng, colour="white"):
    """One caption of a motif, its wording drawn with ``rng``; always holds the motif's full name."""
    template = str(rng.choice(TEMPLATES if colour == "white" else TEMPLATES_COLOURED))
    tags = motif["tags"] or [motif["name"]]
    tag, tag2 = (str(rng.choice(tags)) for _ in range(2))
    return template.format(a=with_article(motif["name"]), name=motif["name"], tag=tag, tag2=tag2, colour=colour)


def npm_file(package, member, workdir):
    """Reads one file of an npm package, downloading its archive into ``workdir`` the first time."""
    archive = workdir / (package.lstrip("@").replace("/", "-").replace("@", "-") + ".tgz")
    if not archive.exists():
        packed = subprocess.run(["npm", "pack", "--silent", package], cwd=workdir, check=True, capture_output=True, text=True)
        (workdir / packed.stdout.split()[-1]).rename(archive)
    with tarfile.open(archive) as tar:
        return json.load(tar.extractfile("package/" + member))


def motifs(workdir):
    """The list of ``{"id", "name", "tags", "svg"}``, sorted by id."""
    icons = npm_file(ICONS, "icons.json", workdir)
    codes = {name: code for code, name in npm_file(ICONS, "chars.json", workdir).items()}
    tags = {plain_code(e["hexcode"]): e.get("tags", []) for e in npm_file(KEYWORDS, "en/data.json", workdir)}
    found = []
    for key, icon in sorted(icons["icons"].items()):
        if icon.get("hidden") or (SKIN_TONE.search(key) and SKIN_TONE.sub("", key) in icons["icons"]):
            continue
        name = key.replace("-oclock", " o'clock").replace("-", " ")
        width, height = icon.get("width", icons["width"]), icon.get("height", icons["height"])
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
        found.append({"id": key, "name": name, "tags": [t for t in tags.get(plain_code(codes.get(key, "")), []) if t != name],
                      "svg": svg})
    names = [m["name"] for m in found]
    assert len(set(names)) == len(names), "two motifs share a name"
    return found


def plain_code(code):
    """Code points without variation selectors, the form both packages can be matched in."""
    return "-".join(p for p in code.upper().split("-") if p != "FE0F")


def render(svg):
    """RGBA, premultiplied, uint8 [512, 512, 4], antialiased."""
    import resvg_py
    from PIL import Image
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg))
    rgba = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), dtype=np.uint16)
    alpha = rgba[..., 3:]
    return np.concatenate([(rgba[..., :3] * alpha + 127) // 255, alpha], -1).astype(np.uint8)


def on_background(rgba, colour):
    """Lays a premultiplied picture on a plain colour: uint8 [..., H, W, 3]."""
    alpha = rgba[..., 3:].astype(np.uint16)
    return (rgba[..., :3] + (np.array(COLOURS[colour], np.uint16) * (255 - alpha) + 127) // 255).clip(0, 255).astype(np.uint8)


def laid_on(rgba, colours):
    """The same for many on any device: premultiplied uint8 [B, H, W, 4] on the B colours' indices in COLOURS, as float [B, 3, H, W] in -1..1."""
    grounds = torch.tensor(list(COLOURS.values()), dtype=torch.float32, device=rgba.device)[colours][:, None, None]
    rgba = rgba.float()
    return ((rgba[..., :3] + grounds * (1 - rgba[..., 3:] / 255)) / 127.5 - 1).permute(0, 3, 1, 2)


def load(workdir):
    """What ``main`` made: the motifs and the pictures (mapped, not read; what is written to them goes nowhere)."""
    workdir = Path(workdir)
    return json.loads((workdir / "motifs.json").read_text()), np.load(workdir / "renders.npy", mmap_mode="c")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    workdir = parser.parse_args().workdir
    if (workdir / "motifs.json").exists():
        return
    workdir.mkdir(parents=True, exist_ok=True)
    kept, pictures, seen = [], [], {}
    drawn = motifs(workdir)
    with Pool() as pool:
        rendered = pool.map(render, [motif.pop("svg") for motif in drawn], chunksize=16)
    for motif, picture in zip(drawn, rendered):
        twin = seen.setdefault(picture.tobytes(), motif["id"])
        if twin != motif["id"]:
            print(f"left out {motif['id']}: the same picture as {twin}")
            continue
        kept.append(motif)
        pictures.append(picture)
        assert picture.shape == (SIZE, SIZE, 4), motif["id"]
    np.save(workdir / "renders.npy", np.stack(pictures))
    (workdir / "motifs.json").write_text(json.dumps(kept, indent=1))
    print(f"{len(kept)} motifs")


if __name__ == "__main__":
    main()
