"""A teacher to begin with: a trained policy that the loss draws the new one near to, less and less.

Schmitt et al. 2018, arXiv:1803.03835. The teacher's network may be of another size than the policy's.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from trainer import checkpoint
from trainer.agent import Policy
from trainer.config import AgentConfig
from trainer.errors import TrainerError
from trainer.schedule import linear_fade
from trainer.training import Training


def with_teacher(run: Training, step: int) -> Training:
    """The run with the teacher that its config names, unless it has none or has learnt from it for long enough.

    Raises `TrainerError` for a teacher that can't be read, or that sees or does other things than the policy.
    """
    uri = run.config.trainer.kickstart.teacher_uri
    if uri is None or coefficient(run, step) == 0.0:
        return run
    state = run.ranks.broadcast(checkpoint.checkpoint_at(uri) if run.ranks.is_first else None)
    try:
        agent = AgentConfig.from_dict(state["config"]["agent"])
        teacher = Policy(run.policy.observations, run.policy.actions, agent, run.config.trainer.precision)
        teacher.load_state_dict(state["policy"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainerError(f"the teacher at {uri} is of another environment or trainer\n{error}") from error
    if teacher.is_recurrent:
        raise TrainerError(f"the teacher at {uri} remembers; a teacher must be an agent that only sees")
    return replace(run, teacher=teacher.to(run.ranks.device).requires_grad_(False))


def coefficient(run: Training, step: int) -> float:
    """The weight of the teacher in the loss of the update after `step` samples."""
    config = run.config.trainer.kickstart
    return config.action_loss_coef * linear_fade(step, config.kickstart_steps or run.config.trainer.total_timesteps)


@torch.no_grad()
def teacher_logprobs(teacher: Policy, features_BF: Tensor, chunk: int) -> Tensor:
    """The teacher's log-probabilities (B, A) of all actions, computed for `chunk` samples at a time."""
    return torch.cat([log_softmax(teacher(part)[0], -1) for part in torch.split(features_BF, chunk)])
