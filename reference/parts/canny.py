"""Edges as OpenCV's Canny finds them, of the control images, in colour and grey."""

import cv2
import numpy as np
from PIL import Image

from parts.common import FIXTURES, write_json

FOLDER = FIXTURES / "canny"
CASES = [
    ("waves.png", "RGB", 100, 200), ("waves.png", "L", 60, 120), ("lines.png", "RGB", 30, 90), ("lines.png", "L", 10, 40),
    ("lines.png", "RGB", 0, 0), ("waves.png", "L", 150, 150),
]


def make() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (name, mode, low, high) in enumerate(CASES):
        image = np.asarray(Image.open(FIXTURES / "controlnet" / name).convert(mode))
        edges = cv2.Canny(image, low, high)
        file = f"{number}.png"
        Image.fromarray(edges).convert("1").save(FOLDER / file, optimize=True)
        rows.append({"image": name, "mode": mode, "low": low, "high": high, "edges": file, "count": int((edges > 0).sum())})
    write_json(FOLDER / "cases.json", {"opencv": cv2.__version__, "cases": rows})
