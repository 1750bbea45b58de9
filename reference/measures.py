"""Makes the golden fixtures of the measures: python reference/measures.py. Needs requirements-measures.txt, too."""

import shutil
from importlib.metadata import version

import numpy as np
import torch
from parts.common import FIXTURES, generator, prepare_torch, write_json, write_tensors
from PIL import Image, ImageDraw, ImageFilter
from pytorch_fid.fid_score import calculate_frechet_distance
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import nn
from torchmetrics.functional.multimodal import clip_score
from torchmetrics.image import MultiScaleStructuralSimilarityIndexMeasure
from transformers import CLIPConfig, CLIPModel, CLIPProcessor, CLIPTokenizer
from transformers.models.clip.image_processing_clip import CLIPImageProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

OUT = FIXTURES / "measures"
SIZES = {"odd": (47, 33), "square": (64, 64), "plain": (64, 64), "narrow": (11, 90), "large": (176, 201), "wide": (333, 180)}
PROMPTS = {
    "odd": "a red apple",
    "square": "a cat",
    "large": "a yellow star and a blue car on the moon, " * 12,  # longer than the model takes
    "narrow": "",
}
SET = 9  # pictures in a set: more than features


class TinyPerceptual(nn.Module):
    """LPIPS in small: features of two layers, unit length at each place, weighted squares, mean over places."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 12, 3, 2, 1)])
        self.weights = nn.ParameterList([torch.rand(1, 8, 1, 1), torch.rand(1, 12, 1, 1)])

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        distance = torch.zeros(a.shape[0], 1, 1, 1)
        for layer, weight in zip(self.layers, self.weights):
            a, b = layer(a).relu(), layer(b).relu()
            unit_a = a / (a.norm(2.0, 1, True) + 1e-10)
            unit_b = b / (b.norm(2.0, 1, True) + 1e-10)
            distance = distance + ((unit_a - unit_b) ** 2 * weight).sum(1, keepdim=True).mean((2, 3), keepdim=True)
        return distance


class TinyFeatures(nn.Module):
    """Features of pictures of any size; pooled to [N, 6], or left as [N, 6, 1, 1]."""

    def __init__(self, pooled: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 6, 3, 2), nn.ReLU())
        self.pooled = pooled

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = 40 * self.layers(x).mean((2, 3), keepdim=True)
        return pooled[:, :, 0, 0] if self.pooled else pooled


def draw(size: tuple[int, int], seed: int) -> Image.Image:
    """Shapes on a gradient, a little blurred: what natural pictures and PNG both like."""
    rng = np.random.default_rng(seed)
    width, height = size
    picture = Image.linear_gradient("L").resize(size).convert("RGB").point(lambda level: level // 16 * 12)
    pen = ImageDraw.Draw(picture)
    for _ in range(9):
        x, y, side = rng.integers(0, width), rng.integers(0, height), rng.integers(4, max(5, min(size) // 2))
        shape = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        shape([int(x), int(y), int(x + side), int(y + side)], fill=tuple(int(c) for c in rng.integers(0, 256, 3)))
    return picture.filter(ImageFilter.GaussianBlur(0.6))


def changed(picture: Image.Image, seed: int) -> Image.Image:
    """What merging does to a picture, roughly: some of it smoother, some of it moved."""
    rng = np.random.default_rng(seed)
    moved = np.roll(np.asarray(picture.filter(ImageFilter.GaussianBlur(1.1))), (1, -1), (0, 1)).astype(int)
    moved[: moved.shape[0] // 2] += rng.integers(-6, 7, moved[: moved.shape[0] // 2].shape)
    return Image.fromarray(moved.clip(0, 255).astype(np.uint8))


def pictures() -> dict[str, tuple[Image.Image, Image.Image]]:
    pairs = {}
    for seed, (name, size) in enumerate(SIZES.items()):
        first = draw(size, seed) if name != "plain" else Image.new("RGB", size, (120, 40, 200))
        second = changed(first, 100 + seed) if name != "plain" else Image.new("RGB", size, (121, 40, 197))
        pairs[name] = first, second
        first.save(OUT / f"{name}-a.png", optimize=True)
        second.save(OUT / f"{name}-b.png", optimize=True)
    return pairs


def levels(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]


def pair_values(a: Image.Image, b: Image.Image, perceptual: nn.Module) -> dict[str, float]:
    x, y = np.array(a), np.array(b)
    values = {
        "psnr": float(peak_signal_noise_ratio(x, y, data_range=255)),
        "ssim": float(
            structural_similarity(
                x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1, data_range=255
            )
        ),
        "lpips": float(perceptual(levels(a) / 127.5 - 1, levels(b) / 127.5 - 1)),
    }
    if min(a.size) >= 176:
        measure = MultiScaleStructuralSimilarityIndexMeasure(data_range=255.0).set_dtype(torch.float64)
        values["ms_ssim"] = float(measure(levels(a).double(), levels(b).double()))
    return values


def statistics(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return features.mean(axis=0), np.cov(features, rowvar=False)


def frechet(a: torch.Tensor, b: torch.Tensor) -> float:
    (mean_a, cov_a), (mean_b, cov_b) = statistics(a.double().numpy()), statistics(b.double().numpy())
    return float(calculate_frechet_distance(mean_a, cov_a, mean_b, cov_b))


def frechet_of_few(a: torch.Tensor, b: torch.Tensor) -> float:
    """Without square roots of matrices, which are inexact for fewer pictures than features: trace(sqrt(A'A B'B)) is the
    sum of the singular values of A B'."""
    a, b = a.double(), b.double()
    centred = [(x - x.mean(0)) / (len(x) - 1) ** 0.5 for x in (a, b)]
    traces = sum(float((x**2).sum()) for x in centred)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum()) + traces - 2 * float(
        torch.linalg.svdvals(centred[0] @ centred[1].T).sum()
    )


def networks() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(7)
    perceptual, features, unpooled = TinyPerceptual().eval(), TinyFeatures(True).eval(), TinyFeatures(False).eval()
    for name, network in {"lpips": perceptual, "features": features, "features-unpooled": unpooled}.items():
        torch.jit.script(network).save(str(OUT / f"{name}.pt"))
    return perceptual, features


def clip() -> tuple[CLIPModel, CLIPTokenizer]:
    """The layout that openai/clip-vit-* has on the hub, with the little vocabulary of tiny-sd1."""
    folder = OUT / "tiny-clip"
    layers = {"num_hidden_layers": 2, "num_attention_heads": 4}
    text = {"vocab_size": 994, "hidden_size": 32, "intermediate_size": 64, "bos_token_id": 0, "eos_token_id": 2}
    vision = {"hidden_size": 48, "intermediate_size": 80, "image_size": 32, "patch_size": 8}
    torch.manual_seed(11)
    config = CLIPConfig(text_config={**text, **layers}, vision_config={**vision, **layers}, projection_dim=6)
    model = CLIPModel(config).eval()
    for name, tensor in model.named_parameters():  # far enough from where all prompts and pictures look alike
        if tensor.dim() > 1:
            tensor.mul_(4)
        elif name.endswith("bias"):
            tensor.copy_(torch.randn(tensor.shape) * 0.1)
    model.save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    for file in (FIXTURES / "tiny-sd1" / "tokenizer").iterdir():
        shutil.copy(file, folder / file.name)
    return model, CLIPTokenizer.from_pretrained(folder)


def main() -> None:
    prepare_torch()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    pairs = pictures()
    perceptual, features = networks()
    tensors, cases = {}, {"pairs": {name: pair_values(*pair, perceptual) for name, pair in pairs.items()}}

    sets = [torch.cat([levels(pair[side]) for pair in set_pairs()]) for side in (0, 1)]
    tensors |= {"set.a": sets[0], "set.b": sets[1]}
    wide = [torch.randn(40, 12, generator=generator(1)), torch.randn(50, 12, generator=generator(2)) * 1.5 + 0.3]
    few = [torch.randn(5, 12, generator=generator(3)) * 10, torch.randn(6, 12, generator=generator(4)) * 9 + 2]
    tensors |= {"wide.a": wide[0], "wide.b": wide[1], "few.a": few[0], "few.b": few[1]}
    set_features = [features(pictures / 255.0) for pictures in sets]
    cases["frechet"] = {"wide": frechet(*wide), "few": frechet(*few), "few_exact": frechet_of_few(*few), "set": frechet(*set_features)}

    model, tokenizer = clip()
    processors = {
        "torchvision": CLIPImageProcessor.from_pretrained(OUT / "tiny-clip"),
        "pil": CLIPImageProcessorPil.from_pretrained(OUT / "tiny-clip"),
    }
    processor = CLIPProcessor(image_processor=processors["torchvision"], tokenizer=tokenizer)
    cases["clip"] = {}
    for name, (picture, _) in pairs.items():
        for backend, image_processor in processors.items():
            tensors[f"{backend}.{name}"] = image_processor(picture, return_tensors="pt")["pixel_values"]
        tensors[f"image_embeds.{name}"] = model.get_image_features(tensors[f"torchvision.{name}"]).pooler_output
    for name, prompt in PROMPTS.items():
        ids = tokenizer(prompt, truncation=True, max_length=77, return_tensors="pt")
        tensors[f"text_embeds.{name}"] = model.get_text_features(**ids).pooler_output
        cosine = torch.cosine_similarity(tensors[f"text_embeds.{name}"], tensors[f"image_embeds.{name}"])
        case = {"prompt": prompt, "cosine": float(cosine)}
        if ids["input_ids"].shape[1] < 77:  # torchmetrics cuts the end marker off
            case["score"] = torchmetrics_score(pairs[name][0], prompt, model, processor)
        cases["clip"][name] = case
    clip_features = [
        model.get_image_features(processors["torchvision"](list(pictures), return_tensors="pt")["pixel_values"])
        for pictures in sets
    ]
    cases["frechet"]["clip"] = frechet(*[result.pooler_output for result in clip_features])
    write_tensors(OUT / "tensors.safetensors", tensors)
    packages = ("torch", "torchvision", "torchmetrics", "scikit-image", "pytorch-fid", "transformers", "scipy", "pillow")
    write_json(OUT / "cases.json", {"versions": {name: version(name) for name in packages}, **cases})


def set_pairs() -> list[tuple[Image.Image, Image.Image]]:
    firsts = [draw((40, 36), 200 + seed) for seed in range(SET)]
    return [(first, changed(first, 300 + seed)) for seed, first in enumerate(firsts)]


def torchmetrics_score(picture: Image.Image, prompt: str, model: CLIPModel, processor: CLIPProcessor) -> float:
    return float(clip_score(levels(picture)[0], prompt, lambda: (FeatureTensors(model), processor)))


class FeatureTensors:
    """A CLIPModel whose features are tensors, as they were in the transformers that torchmetrics 1.9 was written for."""

    def __init__(self, model: CLIPModel) -> None:
        self.model, self.config = model, model.config

    def to(self, device: torch.device) -> "FeatureTensors":
        return self

    def get_image_features(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.model.get_image_features(pixels).pooler_output

    def get_text_features(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.model.get_text_features(ids, mask).pooler_output


if __name__ == "__main__":
    main()
