"""The text encoder, the UNet and the noise schedule: Stable Diffusion 1.x's architecture, narrow."""
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import common

TEXT_WIDTH = 256


def text_encoder(tokenizer):
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=TEXT_WIDTH, intermediate_size=3 * TEXT_WIDTH, projection_dim=TEXT_WIDTH,
        num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=tokenizer.model_max_length, hidden_act="quick_gelu",
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id))


def text_modules(tokenizer):
    """The text encoder and the linear map that its training reads coarse pictures with."""
    return torch.nn.ModuleDict(dict(text_encoder=text_encoder(tokenizer), head=torch.nn.Linear(TEXT_WIDTH, 192)))


def trained_text_encoder(tokenizer, checkpoint):
    """The text encoder with the averaged weights of text.py's checkpoint."""
    modules = text_modules(tokenizer)
    average = common.MovingAverage([modules], 0)
    average.load_state_dict(checkpoint["average"])
    average.swap()
    return modules["text_encoder"].eval().requires_grad_(False)


def unet():
    """Transformer blocks at the first three levels: 4,096 tokens at the top level for a 512x512 picture."""
    return UNet2DConditionModel(
        sample_size=64, in_channels=4, out_channels=4, block_out_channels=(64, 80, 128, 128), layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        attention_head_dim=(2, 2, 4, 4),  # the number of heads, whatever its name
        cross_attention_dim=TEXT_WIDTH, norm_num_groups=16)


def scheduler():
    """Stable Diffusion's betas rescaled so that the last step is pure noise (arXiv:2305.08891), predicting v.

    Without that no plain white background comes out: the model never sees a picture without a trace of its mean brightness.
    """
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, prediction_type="v_prediction",
        rescale_betas_zero_snr=True, timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True, steps_offset=1)
