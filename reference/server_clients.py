"""Real clients against a running server.

    ./tome serve --model reference/fixtures/tiny-sd1 --dtype fp32 --port 7861 --controlnet-dir reference/fixtures/controlnet
    python reference/server_clients.py http://127.0.0.1:7861

Needs webuiapi and openai as in requirements-server.txt. Prints what each did, and ends with status 1 where one failed.
"""

import base64
import io
import sys
from urllib.parse import urlparse

import openai
import webuiapi
from PIL import Image, ImageChops


def pixels(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def same(a, b):
    return a.size == b.size and ImageChops.difference(a, b).getbbox() is None


def web_ui(host, port):
    api = webuiapi.WebUIApi(host=host, port=port, sampler="Euler a", steps=3)
    result = api.txt2img(prompt="a red apple", seed=42, width=64, height=64, cfg_scale=6)
    assert result.image.size == (64, 64) and result.info["all_seeds"] == [42], result.info
    several = api.txt2img(prompt="x", seed=7, width=64, height=64, batch_size=2)
    assert len(several.images) == 2 and several.info["all_seeds"] == [7, 8], several.info
    options = api.get_options()
    api.set_options({"token_merging_ratio": 0.25})
    assert api.get_options()["token_merging_ratio"] == 0.25
    api.set_options({"token_merging_ratio": options["token_merging_ratio"]})
    for ask in ("get_samplers", "get_schedulers", "get_upscalers", "get_sd_models", "get_sd_vae", "get_loras",
                "get_hypernetworks", "get_face_restorers", "get_realesrgan_models", "get_prompt_styles",
                "get_embeddings", "get_progress", "get_cmd_flags", "get_memory", "get_scripts"):
        if hasattr(api, ask):
            getattr(api, ask)()
    assert api.util_get_current_model() == options["sd_model_checkpoint"]
    api.util_set_model(api.util_get_model_names()[0])
    api.refresh_checkpoints()
    api.interrupt()
    return api, result.image


def open_ai(url):
    client = openai.OpenAI(base_url=url + "/v1", api_key="any")
    ours = {"seed": 42, "num_inference_steps": 3, "guidance_scale": 6, "scheduler": "euler_a"}
    answer = client.images.generate(model="gpt-image-1", prompt="a red apple", size="64x64", n=1, extra_body=ours)
    image = pixels(base64.b64decode(answer.data[0].b64_json))
    events = list(client.images.generate(
        model="gpt-image-1", prompt="a red apple", size="64x64", stream=True, partial_images=2, extra_body=ours))
    kinds = [event.type for event in events]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"], kinds
    assert same(pixels(base64.b64decode(events[-1].b64_json)), image)
    names = [model.id for model in client.models.list()]
    assert client.models.retrieve(names[0]).id == names[0]
    try:
        client.images.generate(model="nonsense", prompt="x")
        raise AssertionError("an unknown model was taken")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error
    try:
        client.images.generate(model="gpt-image-1", prompt="x", size="63x64")
        raise AssertionError("an impossible size was taken")
    except openai.BadRequestError as error:
        assert error.param == "size", error
    return client, image


def controlled(api):
    """ControlNet's extension, where the server has a folder of nets."""
    assert api.controlnet_version() >= 2
    assert "canny" in api.controlnet_module_list()
    lines, _ = drawn()
    found = api.controlnet_detect([lines], module="canny", processor_res=64, threshold_a=50, threshold_b=150)
    assert found.image.size == (64, 64), found.image.size
    if "sd1" not in api.controlnet_model_list():
        print("controlnet: no net called sd1 there, left out")
        return
    plain = api.txt2img(prompt="x", seed=7, width=64, height=64).image
    unit = webuiapi.ControlNetUnit(image=lines, module="canny", model="sd1", weight=0.8, guidance_end=0.9)
    steered = api.txt2img(prompt="x", seed=7, width=64, height=64, controlnet_units=[unit])
    assert not same(plain.convert("RGB"), steered.image.convert("RGB"))
    assert "ControlNet 0" in steered.info["infotexts"][0], steered.info


def drawn():
    """An image, and a mask whose right half is white."""
    image = Image.new("RGB", (64, 64))
    image.putdata([(x * 4, y * 4, (x ^ y) * 4) for y in range(64) for x in range(64)])
    mask = Image.new("L", (64, 64))
    mask.paste(255, (32, 0, 64, 64))
    return image, mask


def png(image, name):
    out = io.BytesIO()
    image.save(out, "PNG")
    return name, out.getvalue(), "image/png"


def edits(api, client):
    """The same part of the same image, painted anew by both: white is painted there, and what is transparent here."""
    image, mask = drawn()
    hole = image.copy()
    hole.putalpha(ImageChops.invert(mask))
    settings = {"prompt": "a red apple", "seed": 42}
    by_web_ui = api.img2img(
        images=[image], mask_image=mask, mask_blur=0, inpaint_full_res=False, denoising_strength=0.75, cfg_scale=6, width=64,
        height=64, steps=4, override_settings={"token_merging_ratio": 0.25}, **settings)
    ours = {"seed": 42, "num_inference_steps": 4, "guidance_scale": 6, "scheduler": "euler_a", "strength": 0.75,
            "token_merging": {"ratio": 0.25}}
    arguments = dict(model="gpt-image-1", prompt="a red apple", size="64x64", image=png(image, "a.png"),
                     mask=png(hole, "mask.png"), extra_body=ours)
    answer = client.images.edit(**arguments)
    by_open_ai = pixels(base64.b64decode(answer.data[0].b64_json))
    assert same(by_web_ui.image.convert("RGB"), by_open_ai), "the same part painted anew gave other pixels"
    assert same(by_open_ai.crop((0, 0, 24, 64)), image.crop((0, 0, 24, 64))), "what was to stay has changed"
    assert not same(by_open_ai.crop((40, 0, 64, 64)), image.crop((40, 0, 64, 64)))
    events = list(client.images.edit(stream=True, partial_images=1, **arguments))
    kinds = [event.type for event in events]
    assert kinds == ["image_edit.partial_image", "image_edit.completed"], kinds
    assert same(pixels(base64.b64decode(events[-1].b64_json)), by_open_ai)
    arguments["image"] = [png(image, "a.png")]
    assert same(pixels(base64.b64decode(client.images.edit(**arguments).data[0].b64_json)), by_open_ai)
    arguments["image"] = [png(image, "a.png"), png(image, "b.png")]
    try:
        client.images.edit(**arguments)
        raise AssertionError("two images were taken for one")
    except openai.BadRequestError as error:
        assert error.param == "image", error
    merged = api.img2img(images=[image], steps=4, width=64, height=64, denoising_strength=0.75, **settings)
    assert "Denoising strength" in merged.info["infotexts"][0], merged.info


def main():
    url = sys.argv[1].rstrip("/")
    address = urlparse(url)
    api, first = web_ui(address.hostname, address.port)
    print("webuiapi", webuiapi.__version__ if hasattr(webuiapi, "__version__") else "", "fine")
    client, second = open_ai(url)
    print("openai", openai.__version__, "fine")
    assert same(first.convert("RGB"), second), "the same seed gave other pixels"
    print("the same seed gives the same pixels")
    edits(api, client)
    print("edits: the same pixels, and only where they are asked for")
    controlled(api)
    print("ControlNet fine")


main()
