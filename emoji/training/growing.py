"""The UNet from the inside out: its inner levels are trained first, on averaged latents, and the outer ones put around them.

Level 0 is the whole UNet on 64x64 latents. Level 1 leaves out the outermost blocks and works on 32x32, level 2 on 16x16.
An inner level sees what it will see later inside the whole: the same place of the picture at the same size, and noise that
the average over 4 or 16 latents has made weaker. Two thin layers, thrown away later, stand for the outer levels.
"""
import torch
from torch import nn
from torch.nn import functional as F


class Growing(nn.Module):
    """A UNet and the layers that let its inner levels work alone."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet
        widths, groups = unet.config.block_out_channels, unet.config.norm_num_groups
        self.enter = nn.ModuleList([nn.Conv2d(4, widths[k - 1], 1) for k in (1, 2)])
        self.leave = nn.ModuleList([nn.Sequential(nn.GroupNorm(groups, widths[k]), nn.SiLU(), nn.Conv2d(widths[k], 4, 3, padding=1)) for k in (1, 2)])

    def forward(self, x, t, states, level):
        """Latents [B, 4, H, W] at the level's size, timesteps [B], hidden states [B, 77, width]: v of x's shape."""
        unet = self.unet
        if level == 0:
            return unet(x, t, states).sample
        time = unet.time_embedding(unet.time_proj(t).to(x.dtype))
        x = self.enter[level - 1](x)
        skips = (x,)
        for block in unet.down_blocks[level:]:
            x, more = block(x, time, **text_for(block, states))
            skips += more
        x = unet.mid_block(x, time, encoder_hidden_states=states)
        ups = unet.up_blocks[:len(unet.up_blocks) - level]
        for block in ups:
            count = len(block.resnets)
            here, skips = skips[-count:], skips[:-count]
            upsamplers, last = block.upsamplers, block is ups[-1]
            if last:
                block.upsamplers = None
            x = block(x, here, time, **text_for(block, states))
            if last:
                block.upsamplers = upsamplers
        return self.leave[level - 1](x)

    @torch.no_grad()
    def grow(self, level):
        """Sets up the layers around level ``level + 1`` so that it sees at first what its entrance gave it."""
        unet, inner = self.unet, self.enter[level]
        enter = unet.conv_in if level == 0 else self.enter[level - 1]
        down = unet.down_blocks[level]
        resnet, sampler = down.resnets[0], down.downsamplers[0].conv
        for module in (*down.resnets, *unet.up_blocks[-1 - level].resnets):
            nn.init.zeros_(module.conv2.weight), nn.init.zeros_(module.conv2.bias)
        for module in (*down.attentions, *unet.up_blocks[-1 - level].attentions):
            nn.init.zeros_(module.proj_out.weight), nn.init.zeros_(module.proj_out.bias)
        through = torch.eye(sampler.in_channels) if resnet.conv_shortcut is None else resnet.conv_shortcut.weight[:, :, 0, 0]
        straight = enter.weight[:, :, 1, 1] if level == 0 else enter.weight[:, :, 0, 0]
        for module in (enter, resnet.conv_shortcut):
            if module is not None:
                nn.init.zeros_(module.bias)
        if level == 0:
            straight = torch.randn_like(straight) * 0.5
            enter.weight.mul_(0.2)[:, :, 1, 1] = straight
        else:
            enter.weight.copy_((torch.randn_like(straight) * 0.5)[:, :, None, None])
            straight = enter.weight[:, :, 0, 0]
        pooled = inner.weight[:, :, 0, 0] @ torch.linalg.pinv(through @ straight)
        sampler.weight.mul_(0.2)[:, :, 1:, 1:] += pooled[:, :, None, None] / 4
        sampler.bias.copy_(inner.bias)
        up = unet.up_blocks[-2 - level].upsamplers[0].conv
        up.weight.mul_(0.2)[:, :, 1, 1] += torch.eye(up.out_channels)

    @torch.no_grad()
    def fit_entrances(self, x, t, states):
        """Brings the inner levels' entrances as near as a 1x1 convolution can come to what the outer levels make of noisy latents [B, 4, 64, 64]."""
        unet = self.unet
        time, h = unet.time_embedding(unet.time_proj(t).to(x.dtype)), unet.conv_in(x)
        for level, block in zip((1, 2), unet.down_blocks):
            h, _ = block(h, time, **text_for(block, states))
            given = F.pad(pooled(x, level), (0, 0, 0, 0, 0, 1), value=1.0)
            found = torch.linalg.lstsq(*(y.float().permute(0, 2, 3, 1).flatten(0, 2) for y in (given, h))).solution  # [5, width]
            self.enter[level - 1].weight.copy_(found[:4].T[..., None, None])
            self.enter[level - 1].bias.copy_(found[4])


def pooled(x, level):
    """Latents [B, 4, H, H] of any level further out, averaged to the level's size."""
    return F.avg_pool2d(x, x.shape[-1] * 2 ** level // 64) if x.shape[-1] * 2 ** level > 64 else x


def text_for(block, states):
    return {"encoder_hidden_states": states} if hasattr(block, "attentions") else {}
