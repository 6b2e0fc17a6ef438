"""The scheduler configurations that samplers are compared on, and the model that drives them."""
import diffusers
import torch

CLASSES = {
    "ddim": diffusers.DDIMScheduler, "euler": diffusers.EulerDiscreteScheduler, "eulerAncestral": diffusers.EulerAncestralDiscreteScheduler,
    "dpm": diffusers.DPMSolverMultistepScheduler, "pndm": diffusers.PNDMScheduler,
}
SD = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1, skip_prk_steps=True,
          set_alpha_to_one=False)
CONFIGS = {
    "sd15": SD,
    "sd21-v": dict(SD, prediction_type="v_prediction"),
    "linear": dict(num_train_timesteps=1000, clip_sample=False, lambda_min_clipped=float("-inf")),
    "cosine": dict(beta_schedule="squaredcos_cap_v2", clip_sample=False, num_train_timesteps=500, lambda_min_clipped=-5.1),
    "leading": dict(SD, timestep_spacing="leading"),
    "trailing": dict(SD, timestep_spacing="trailing", prediction_type="v_prediction"),
    "linspace": dict(SD, timestep_spacing="linspace", set_alpha_to_one=True),
    "clipped": dict(SD, clip_sample=True, clip_sample_range=1.5, final_sigmas_type="sigma_min", solver_type="heun"),
    "zero-snr": dict(SD, rescale_betas_zero_snr=True, timestep_spacing="trailing", prediction_type="v_prediction"),
}


def make(kind: str, config: dict):
    """What the class makes of the file: options it does not have are ignored, missing ones take its default."""
    return CLASSES[kind].from_config(dict(config))


def toy_model(x: torch.Tensor, t: float, weight: torch.Tensor) -> torch.Tensor:
    """Depends on the sample, the timestep and the place, and computes the same everywhere."""
    return 0.4 * x * (0.2 + t / 1000) + 0.5 * weight - 0.1 * x * x / (1 + x * x)


def trajectory(kind: str, config: dict, steps: int, start: torch.Tensor, weight: torch.Tensor, noise: list[torch.Tensor], model=toy_model):
    """All samples of a run, the first one included, the timesteps, and the initial scale."""
    scheduler = make(kind, config)
    scheduler.set_timesteps(steps)
    queue = list(noise)
    torch_randn = lambda *a, **k: queue.pop(0)  # noqa: E731
    import diffusers.schedulers.scheduling_euler_ancestral_discrete as ancestral
    kept, ancestral.randn_tensor = ancestral.randn_tensor, torch_randn
    try:
        scale = float(scheduler.init_noise_sigma)
        x = start * scale
        samples = [x]
        for t in scheduler.timesteps:
            output = model(scheduler.scale_model_input(x, t), float(t), weight)
            x = scheduler.step(output, t, x, return_dict=False)[0]
            samples.append(x)
    finally:
        ancestral.randn_tensor = kept
    return torch.stack(samples), [float(t) for t in scheduler.timesteps], scale
