"""What the learner's settings refuse: values that contradict each other, or that would have no effect."""

import pytest
from pydantic import ValidationError

from trainer.config import (
    KickstartConfig,
    LRSchedulerConfig,
    PrioritizedExperienceReplayConfig,
    TorchProfilerConfig,
    TrainerConfig,
    VTraceConfig,
)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: LRSchedulerConfig(type="step"), "'constant', 'linear', 'cosine' or 'exponential'"),
        (lambda: LRSchedulerConfig(type="constant", min_lr_ratio=0.1), r"min_lr_ratio \(0.1\) has no effect"),
        (lambda: LRSchedulerConfig(type="exponential", min_lr_ratio=0.0), "give a min_lr_ratio above 0"),
        (
            lambda: TrainerConfig(total_timesteps=100, lr_scheduler=LRSchedulerConfig(warmup_steps=100)),
            r"warmup_steps \(100\) must be less than total_timesteps \(100\)",
        ),
        (lambda: VTraceConfig(rho_clip=1.0, c_clip=None), "both rho_clip and c_clip"),
        (lambda: VTraceConfig(rho_clip=1.0, c_clip=2.0), r"c_clip \(2.0\) must not be larger than rho_clip \(1.0\)"),
        (lambda: VTraceConfig(rho_clip=0.0, c_clip=0.0), "greater than 0"),
        (lambda: PrioritizedExperienceReplayConfig(prio_alpha=1.5), "less than or equal to 1"),
        (
            lambda: PrioritizedExperienceReplayConfig(prio_alpha=0.0, prio_beta0=0.4),
            r"prio_beta0 \(0.4\) without a prio_alpha above 0",
        ),
        (
            lambda: TrainerConfig(
                minibatch_size=100, horizon=64,
                prioritized_experience_replay=PrioritizedExperienceReplayConfig(prio_alpha=0.5),
            ),
            r"horizon \(64\) must divide minibatch_size \(100\)",
        ),
        (lambda: KickstartConfig(teacher_uri=None, kickstart_steps=5), "kickstart_steps without a teacher_uri"),
        (lambda: KickstartConfig(teacher_uri=None, action_loss_coef=2.0), "action_loss_coef without a teacher_uri"),
        (lambda: KickstartConfig(teacher_uri="s3://a/b"), "no policy can be read from s3://"),
        (lambda: TorchProfilerConfig(profile_dir=None, interval_epochs=5), "needs a profile_dir"),
        (lambda: TrainerConfig(precision="float16"), "'float32' or 'bfloat16'"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused(wrong, message: str):
    with pytest.raises(ValidationError, match=message):
        wrong()


def test_what_is_not_named_may_still_come_from_configs():
    assert LRSchedulerConfig(min_lr_ratio=0.1).min_lr_ratio == 0.1
    assert VTraceConfig(rho_clip=1.0).rho_clip == 1.0
    assert KickstartConfig(kickstart_steps=5).kickstart_steps == 5
    assert TorchProfilerConfig(interval_epochs=5).interval_epochs == 5


def test_segments_may_be_of_any_length_without_priorities():
    assert TrainerConfig(minibatch_size=100, horizon=64).horizon == 64
