"""Which schedulers, settings and step counts the scheduler fixtures cover."""

from dataclasses import dataclass, field
from typing import Any

import diffusers

CLASSES = {
    "pndm": diffusers.PNDMScheduler,
    "ddim": diffusers.DDIMScheduler,
    "euler": diffusers.EulerDiscreteScheduler,
    "euler_a": diffusers.EulerAncestralDiscreteScheduler,
    "dpmpp_2m": diffusers.DPMSolverMultistepScheduler,
    "dpmpp_2m_karras": diffusers.DPMSolverMultistepScheduler,
    "lms": diffusers.LMSDiscreteScheduler,
    "heun": diffusers.HeunDiscreteScheduler,
    "unipc": diffusers.UniPCMultistepScheduler,
    "lcm": diffusers.LCMScheduler,
    "dpmpp_2m_sde": diffusers.DPMSolverMultistepScheduler,
    "dpmpp_2m_sde_karras": diffusers.DPMSolverMultistepScheduler,
    "dpmpp_3m_sde": diffusers.DPMSolverMultistepScheduler,
    "dpmpp_sde": diffusers.DPMSolverSDEScheduler,
    "dpmpp_sde_karras": diffusers.DPMSolverSDEScheduler,
    "dpmpp_2s": diffusers.DPMSolverSinglestepScheduler,
    "dpm2": diffusers.KDPM2DiscreteScheduler,
    "dpm2_a": diffusers.KDPM2AncestralDiscreteScheduler,
    "deis": diffusers.DEISMultistepScheduler,
    "tcd": diffusers.TCDScheduler,
    "edm_euler": diffusers.EDMEulerScheduler,
    "edm_dpmpp_2m": diffusers.EDMDPMSolverMultistepScheduler,
}
SDE = {"algorithm_type": "sde-dpmsolver++"}
NAME_SETTINGS: dict[str, dict[str, Any]] = {
    "dpmpp_2m_karras": {"use_karras_sigmas": True},
    "dpmpp_2m_sde": SDE,
    "dpmpp_2m_sde_karras": SDE | {"use_karras_sigmas": True},
    "dpmpp_3m_sde": SDE | {"solver_order": 3},
    "dpmpp_sde_karras": {"use_karras_sigmas": True},
}

# The settings in SD 1.5's scheduler file, for whichever class takes them over.
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
SD_DDIM = SD | {"clip_sample": False, "set_alpha_to_one": False}
SD_PNDM = SD | {"skip_prk_steps": True, "set_alpha_to_one": False}
V = {"prediction_type": "v_prediction"}
X0 = {"prediction_type": "sample"}
LEADING, TRAILING, LINSPACE = ({"timestep_spacing": way} for way in ("leading", "trailing", "linspace"))
KARRAS = {"use_karras_sigmas": True}
EXPONENTIAL = {"use_exponential_sigmas": True}
BETA = {"use_beta_sigmas": True}
SIGMA_MIN = {"final_sigmas_type": "sigma_min"}
ORDER_3 = {"solver_order": 3}
PATH = {"noise_sampler_seed": 4321}
ZERO_SNR = {"rescale_betas_zero_snr": True}
THRESHOLD = {"thresholding": True, "dynamic_thresholding_ratio": 0.9, "sample_max_value": 1.5}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}


@dataclass(frozen=True)
class Case:
    name: str
    scheduler: str
    settings: dict[str, Any]
    steps: int
    step_options: dict[str, Any] = field(default_factory=dict)

    def build(self) -> diffusers.SchedulerMixin:
        settings = NAME_SETTINGS.get(self.scheduler, {}) | self.settings
        if self.scheduler == "dpmpp_2s":
            settings = {key: value for key, value in settings.items() if key != "steps_offset"}
        return CLASSES[self.scheduler](**settings)


def _family(scheduler: str, rows: list[tuple]) -> list[Case]:
    """Rows are (what is special, settings, steps) and, for some, options of step()."""
    return [
        Case(f"{scheduler}-{special}-{steps}", scheduler, settings, steps, *options)
        for special, settings, steps, *options in rows
    ]


CASES: list[Case] = [
    *_family("pndm", [
        ("sd", SD_PNDM, 20),
        ("sd", SD_PNDM, 5),
        ("sd", SD_PNDM, 2),
        ("v", SD_PNDM | V, 7),
        ("trailing", SD_PNDM | TRAILING | {"steps_offset": 0}, 9),
        ("linspace", SD_PNDM | LINSPACE, 6),
        ("alpha_one", SD_PNDM | {"set_alpha_to_one": True}, 5),
        ("prk", SD | {"skip_prk_steps": False}, 7),
        ("plain", {"skip_prk_steps": True}, 6),
        ("cosine", SD_PNDM | COSINE, 6),
    ]),
    *_family("ddim", [
        ("sd", SD_DDIM, 20),
        ("sd", SD_DDIM, 5),
        ("sd", SD_DDIM, 1),
        ("v", SD_DDIM | V, 7),
        ("x0", SD_DDIM | X0, 5),
        ("trailing", SD_DDIM | TRAILING | {"steps_offset": 0}, 9),
        ("linspace", SD_DDIM | LINSPACE, 6),
        ("alpha_one", SD_DDIM | {"set_alpha_to_one": True, "steps_offset": 0}, 5),
        ("plain", {}, 6),
        ("clip_range", SD_DDIM | {"clip_sample": True, "clip_sample_range": 1.5}, 5),
        ("threshold", SD_DDIM | THRESHOLD, 5),
        ("cosine", SD_DDIM | COSINE, 5),
        ("zero_snr", SD_DDIM | V | ZERO_SNR | TRAILING, 6),
        ("eta", SD_DDIM, 6, {"eta": 1.0}),
        ("eta_half", SD_DDIM | V, 5, {"eta": 0.5}),
    ]),
    *_family("euler", [
        ("sd", SD, 20),
        ("sd", SD, 5),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 7),
        ("trailing", SD | TRAILING | {"steps_offset": 0}, 9),
        ("v", SD | V | LEADING, 6),
        ("x0", SD | X0, 5),
        ("karras", SD | KARRAS, 7),
        ("exponential", SD | {"use_exponential_sigmas": True}, 6),
        ("log_linear", SD | {"interpolation_type": "log_linear"}, 6),
        ("sigma_min", SD | {"final_sigmas_type": "sigma_min"}, 5),
        ("zero_snr", SD | V | ZERO_SNR | TRAILING, 6),
        ("plain", {}, 5),
        ("cosine", SD | COSINE, 5),
    ]),
    *_family("euler_a", [
        ("sd", SD, 20),
        ("sd", SD, 5),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 7),
        ("trailing", SD | TRAILING, 6),
        ("v", SD | V, 6),
        ("zero_snr", SD | V | ZERO_SNR | TRAILING, 5),
        ("cosine", SD | COSINE, 5),
    ]),
    *_family("dpmpp_2m", [
        ("sd", SD, 20),
        ("sd", SD, 16),
        ("sd", SD, 5),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 7),
        ("trailing", SD | TRAILING | {"steps_offset": 0}, 9),
        ("v", SD | V, 6),
        ("x0", SD | X0, 5),
        ("order1", SD | {"solver_order": 1}, 6),
        ("order3", SD | {"solver_order": 3}, 17),
        ("order3", SD | {"solver_order": 3}, 6),
        ("heun_solver", SD | {"solver_type": "heun"}, 6),
        ("euler_at_final", SD | {"euler_at_final": True}, 6),
        ("no_lower_order", SD | {"lower_order_final": False, "final_sigmas_type": "sigma_min"}, 6),
        ("sigma_min", SD | {"final_sigmas_type": "sigma_min"}, 6),
        ("threshold", SD | THRESHOLD, 5),
        ("zero_snr", SD | V | ZERO_SNR | TRAILING, 6),
        ("cosine_clipped", SD | COSINE | {"lambda_min_clipped": -5.1}, 6),
        ("plain", {}, 5),
    ]),
    *_family("dpmpp_2m_karras", [
        ("sd", SD, 20),
        ("sd", SD, 5),
        ("leading", SD | LEADING, 7),
        ("v", SD | V, 6),
        ("order3", SD | {"solver_order": 3}, 9),
        ("sigma_min", SD | {"final_sigmas_type": "sigma_min"}, 5),
    ]),
    *_family("lms", [
        ("sd", SD, 20),
        ("sd", SD, 5),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 7),
        ("trailing", SD | TRAILING, 6),
        ("v", SD | V, 6),
        ("x0", SD | X0, 5),
        ("karras", SD | KARRAS, 9),
    ]),
    *_family("heun", [
        ("sd", SD, 12),
        ("sd", SD, 5),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 6),
        ("trailing", SD | TRAILING, 5),
        ("v", SD | V, 5),
        ("x0", SD | X0, 4),
        ("karras", SD | KARRAS, 7),
        ("clip", SD | {"clip_sample": True}, 4),
    ]),
    *_family("unipc", [
        ("sd", SD, 20),
        ("sd", SD, 5),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 7),
        ("trailing", SD | TRAILING | {"steps_offset": 0}, 9),
        ("v", SD | V, 6),
        ("x0", SD | X0, 5),
        ("order1", SD | {"solver_order": 1}, 5),
        ("order3", SD | {"solver_order": 3}, 9),
        ("bh1", SD | {"solver_type": "bh1", "final_sigmas_type": "sigma_min"}, 6),
        ("karras", SD | KARRAS, 7),
        ("predict_noise", SD | {"predict_x0": False, "final_sigmas_type": "sigma_min"}, 6),
        ("no_corrector", SD | {"disable_corrector": [0, 2]}, 6),
        ("no_lower_order", SD | {"lower_order_final": False, "final_sigmas_type": "sigma_min"}, 6),
        ("sigma_min", SD | {"final_sigmas_type": "sigma_min"}, 6),
        ("threshold", SD | THRESHOLD, 5),
    ]),
    *_family("lcm", [
        ("sd", SD_DDIM, 4),
        ("sd", SD_DDIM, 8),
        ("sd", SD_DDIM, 1),
        ("odd", SD_DDIM, 7),
        ("v", SD_DDIM | V, 4),
        ("x0", SD_DDIM | X0, 3),
        ("alpha_one", SD_DDIM | {"set_alpha_to_one": True, "steps_offset": 0}, 5),
        ("clip", SD_DDIM | {"clip_sample": True}, 4),
        ("original_20", SD_DDIM | {"original_inference_steps": 20}, 6),
        ("scaling_1", SD_DDIM | {"timestep_scaling": 1.0}, 4),
        ("zero_snr", SD_DDIM | V | ZERO_SNR, 4),
    ]),
    *_family("dpmpp_2m_sde", [
        ("sd", SD, 20),
        ("sd", SD, 6),
        ("sd", SD, 1),
        ("leading", SD | LEADING | V, 7),
        ("heun_solver", SD | {"solver_type": "heun"}, 6),
        ("sigma_min", SD | SIGMA_MIN, 6),
    ]),
    *_family("dpmpp_2m_sde_karras", [("sd", SD, 16)]),
    *_family("dpmpp_3m_sde", [("sd", SD, 17), ("sd", SD, 6)]),
    *_family("dpmpp_sde", [
        ("sd", SD | PATH, 12),
        ("sd", SD | PATH, 1),
        ("unseeded", SD, 5),
        ("leading", SD | PATH | LEADING, 6),
        ("trailing", SD | PATH | TRAILING, 5),
        ("v", SD | PATH | V, 5),
        ("exponential", SD | PATH | EXPONENTIAL, 4),
        ("beta", SD | PATH | BETA, 6),
        ("cosine", SD | COSINE | {"noise_sampler_seed": 0}, 5),
    ]),
    *_family("dpmpp_sde_karras", [("sd", SD | PATH, 10)]),
    *_family("dpmpp_2s", [  # always linspace, so without an offset
        ("sd", SD, 20),
        ("sd", SD, 7),
        ("sd", SD, 2),
        ("sd", SD, 1),
        ("v", SD | V, 6),
        ("x0", SD | X0, 5),
        ("order1", SD | {"solver_order": 1}, 5),
        ("order3", SD | ORDER_3, 9),
        ("order3", SD | ORDER_3, 10),
        ("order3", SD | ORDER_3, 11),
        ("order3", SD | ORDER_3, 2),
        ("order3_even", SD | ORDER_3 | SIGMA_MIN, 6),
        ("even", SD | SIGMA_MIN, 6),
        ("odd", SD | SIGMA_MIN, 5),
        ("lower", SD | SIGMA_MIN | {"lower_order_final": True}, 6),
        ("heun_solver", SD | {"solver_type": "heun"}, 6),
        ("heun_order3", SD | {"solver_type": "heun"} | ORDER_3, 7),
        ("sde", SD | SDE, 6),
        ("sde_order3", SD | SDE | ORDER_3 | SIGMA_MIN, 6),
        ("sde_heun3", SD | SDE | ORDER_3 | {"solver_type": "heun"}, 8),
        ("karras", SD | KARRAS, 7),
        ("exponential", SD | EXPONENTIAL, 6),
        ("beta", SD | BETA, 6),
        ("threshold", SD | THRESHOLD, 5),
        ("cosine_clipped", SD | COSINE | {"lambda_min_clipped": -5.1}, 6),
    ]),
    *_family("dpm2", [
        ("sd", SD, 12),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 6),
        ("trailing", SD | TRAILING, 5),
        ("v", SD | V, 5),
        ("karras", SD | KARRAS, 7),
        ("exponential", SD | EXPONENTIAL, 5),
        ("beta", SD | BETA, 5),
        ("plain", {}, 4),
    ]),
    *_family("dpm2_a", [
        ("sd", SD, 12),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 6),
        ("v", SD | V | TRAILING, 5),
        ("karras", SD | KARRAS, 7),
        ("beta", SD | BETA, 5),
    ]),
    *_family("deis", [
        ("sd", SD, 20),
        ("sd", SD, 5),
        ("sd", SD, 1),
        ("leading", SD | LEADING, 7),
        ("trailing", SD | TRAILING, 9),
        ("v", SD | V, 6),
        ("x0", SD | X0, 5),
        ("order1", SD | {"solver_order": 1}, 5),
        ("order3", SD | ORDER_3, 16),
        ("order3", SD | ORDER_3, 7),
        ("no_lower_order", SD | ORDER_3 | {"lower_order_final": False}, 6),
        ("karras", SD | KARRAS, 16),
        ("exponential", SD | EXPONENTIAL, 6),
        ("beta", SD | BETA, 6),
        ("threshold", SD | THRESHOLD, 5),
    ]),
    *_family("tcd", [
        ("sd", SD_DDIM, 4, {"eta": 0.0}),
        ("sd", SD_DDIM, 1, {"eta": 0.3}),
        ("eta_third", SD_DDIM, 8, {"eta": 0.3}),
        ("eta_half", SD_DDIM, 7, {"eta": 0.5}),
        ("eta_one", SD_DDIM, 4, {"eta": 1.0}),
        ("v", SD_DDIM | V, 4, {"eta": 0.3}),
        ("x0", SD_DDIM | X0, 3, {"eta": 0.3}),
        ("original_20", SD_DDIM | {"original_inference_steps": 20}, 6, {"eta": 0.2}),
        ("zero_snr", SD_DDIM | V | ZERO_SNR, 4, {"eta": 0.3}),
    ]),
    *_family("edm_euler", [
        ("plain", {}, 10),
        ("plain", {}, 1),
        ("exponential", {"sigma_schedule": "exponential", "final_sigmas_type": "sigma_min"}, 5),
        ("v", V | {"sigma_data": 1.0, "sigma_max": 120.0, "rho": 5.0}, 6),
    ]),
    *_family("edm_dpmpp_2m", [
        ("plain", {}, 20),
        ("plain", {}, 5),
        ("order3", ORDER_3 | {"sigma_schedule": "exponential"}, 8),
        ("sde", SDE | {"solver_type": "heun"}, 6),
        ("v", V | SIGMA_MIN | {"sigma_data": 1.0}, 16),
    ]),
    *_family("euler", [("beta", SD | BETA, 8), ("beta", SD | BETA | SIGMA_MIN | LEADING, 3)]),
    *_family("dpmpp_2m", [("beta", SD | BETA, 9), ("exponential", SD | EXPONENTIAL, 8)]),
    *_family("unipc", [("beta", SD | BETA, 7), ("exponential", SD | EXPONENTIAL | SIGMA_MIN, 7)]),
    *_family("heun", [("beta", SD | BETA, 5), ("exponential", SD | EXPONENTIAL, 5)]),
    *_family("lms", [("beta", SD | BETA, 5), ("exponential", SD | EXPONENTIAL, 5)]),
]
