"""What PIL makes of small images: resized by each filter, blurred, as grey, and read from files of many kinds."""

import base64
import io
import shutil

import numpy as np
from PIL import Image, ImageCms, ImageFilter, ImageOps

from parts.common import FIXTURES, write_json_lines

FILTERS = {name: getattr(Image.Resampling, name) for name in ("NEAREST", "BOX", "BILINEAR", "BICUBIC", "LANCZOS")}
SIZES = [(37, 29), (19, 44), (5, 3), (23, 17), (1, 1), (23, 40), (40, 8), (22, 2), (20, 11), (21, 12)]
RADII = [0.3, 1.0, 2.5, 4.0, 9.0, 33.0]


def noisy(width: int, height: int, seed: int) -> Image.Image:
    """Gradients, hard edges and noise: what tells filters apart."""
    numbers = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    levels = np.stack([255 * x / max(1, width - 1), 255 * y / max(1, height - 1), 255 * ((x // 3 + y // 4) % 2)], -1)
    return Image.fromarray(np.clip(levels + numbers.normal(0, 25, levels.shape), 0, 255).astype(np.uint8))


def raw(image: Image.Image) -> str:
    return base64.b64encode(image.tobytes()).decode("ascii")


def described(image: Image.Image) -> dict:
    return {"width": image.width, "height": image.height, "bands": len(image.getbands()), "values": raw(image)}


def arithmetic() -> None:
    image = noisy(23, 17, 1)
    rows = [{"what": "image"} | described(image), {"what": "grey"} | described(image.convert("L"))]
    for name, way in FILTERS.items():
        for size in SIZES:
            rows.append({"what": "resize", "filter": name} | described(image.resize(size, way)))
    rows.append({"what": "resize", "filter": "LANCZOS"} | described(image.convert("L").resize((40, 8), Image.Resampling.LANCZOS)))
    for radius in RADII:
        rows.append({"what": "blur", "radius": radius} | described(image.filter(ImageFilter.GaussianBlur(radius))))
    mask = noisy(23, 17, 2).convert("L")
    pasted = image.copy()
    pasted.paste(noisy(23, 17, 3), (0, 0), mask)
    rows.append({"what": "mask"} | described(mask))
    rows.append({"what": "other"} | described(noisy(23, 17, 3)))
    rows.append({"what": "pasted"} | described(pasted))
    write_json_lines(FIXTURES / "pixels" / "arithmetic.json", {}, "cases", rows)


def files() -> dict[str, tuple[bytes, dict]]:
    image = noisy(21, 15, 4)
    alpha = noisy(21, 15, 5).convert("L")
    made: dict[str, bytes] = {}

    def save(name: str, picture: Image.Image, **settings) -> None:
        out = io.BytesIO()
        picture.save(out, name.rsplit(".", 1)[1].replace("jpg", "jpeg"), **settings)
        made[name] = out.getvalue()

    save("rgb.png", image)
    save("one-pixel.png", image.crop((0, 0, 1, 1)))
    save("alpha.png", Image.merge("RGBA", (*image.split(), alpha)))
    save("grey.png", image.convert("L"))
    save("grey-alpha.png", Image.merge("LA", (image.convert("L"), alpha)))
    save("palette.png", image.quantize(13))
    save("palette-transparent.png", image.quantize(200), transparency=bytes(range(200)))
    save("two-levels.png", image.convert("1"))
    save("profile.png", image, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    exif = Image.Exif()
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        save(f"turned-{orientation}.jpg", image, exif=exif, quality=90)
    exif[0x0112] = 6
    save("turned-6.png", image, exif=exif)
    save("full.jpg", image, quality=95, subsampling=0)
    save("wide.jpg", image, quality=80, subsampling=1)
    save("progressive.jpg", image, quality=70, progressive=True)
    save("grey.jpg", image.convert("L"), quality=85)
    save("cmyk.jpg", image.convert("CMYK"), quality=90)
    save("rgb-kept.jpg", image, quality=90, keep_rgb=True)
    save("lossless.webp", image, lossless=True)
    save("lossy.webp", image.resize((64, 48), Image.Resampling.BICUBIC), quality=90)
    save("alpha.webp", Image.merge("RGBA", (*image.split(), alpha)), lossless=True)
    return made


def sixteen_bits(color_type: int, samples: np.ndarray) -> bytes:
    """A PNG of 16 bits a sample, which PIL does not write in colour."""
    import struct
    import zlib

    height, width = samples.shape[:2]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make() -> None:
    folder = FIXTURES / "pixels"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    arithmetic()
    made = files()
    numbers = np.random.default_rng(7)
    made["rgb16.png"] = sixteen_bits(2, numbers.integers(0, 65536, (9, 11, 3)))
    made["alpha16.png"] = sixteen_bits(6, numbers.integers(0, 65536, (9, 11, 4)))
    made["grey-alpha16.png"] = sixteen_bits(4, numbers.integers(0, 65536, (9, 11, 2)))
    rows = []
    for name, data in made.items():
        (folder / name).write_bytes(data)
        read = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        rows.append({"file": name} | described(read))
    write_json_lines(folder / "files.json", {}, "cases", rows)
