"""A memory for agents: an LSTM that forgets where an episode ends.

Hochreiter & Schmidhuber 1997. Computes in float32. Rows B = T × N are T steps of N agents, in the order t × N + n.
"""

import torch
from torch import Tensor, nn


class Lstm(nn.Module):
    """As wide as what it reads. What an agent remembers is one row: the hidden state, then the cell."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.state_size = 2 * size
        self.cell = nn.LSTMCell(size, size)
        for name, parameter in self.cell.named_parameters():
            if name.startswith("weight"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)

    def forward(self, input_BH: Tensor, state_NS: Tensor, done_B: Tensor | None) -> tuple[Tensor, Tensor]:
        """The outputs (B, H) over all steps, and what is remembered after the last (N, S).

        What is remembered is forgotten after each step that `done_B` marks.
        """
        agents = len(state_NS)
        outputs: list[Tensor] = []
        for t, input_NH in enumerate(torch.split(input_BH, agents)):
            hidden_NH, cell_NH = self.cell(input_NH, tuple(state_NS.chunk(2, -1)))
            outputs.append(hidden_NH)
            state_NS = torch.cat((hidden_NH, cell_NH), -1)
            if done_B is not None:
                state_NS = forget(state_NS, done_B[t * agents : (t + 1) * agents])
        return torch.cat(outputs), state_NS


def forget(state_NS: Tensor, done_N: Tensor) -> Tensor:
    """What is remembered (N, S) when the episodes that `done_N` marks have ended: of them, nothing."""
    return state_NS.masked_fill(done_N.unsqueeze(-1), 0.0)
