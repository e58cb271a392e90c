"""A transformer over the tokens that an agent observes: Vaswani et al. 2017, arXiv:1706.03762; normalised first.

K tokens of (place, feature, value), each a byte. Their order does not matter.
"""

import torch
from torch import Tensor, nn

BYTE = 256
EMPTY = 255


class TokenAttention(nn.Module):
    """Each token is embedded and attends to all others; what a token of its own learns of them is the output."""

    def __init__(self, *, size: int, layers: int, heads: int) -> None:
        super().__init__()
        self.size = size
        self.place, self.feature = nn.Embedding(BYTE, size), nn.Embedding(BYTE, size)
        self.value = nn.Embedding(BYTE, size)
        self.summary = nn.Parameter(torch.zeros(size))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(size, heads, 2 * size, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(size)

    @property
    def hidden_layers(self) -> list[nn.Module]:
        """The layers with weight matrices, but for embeddings and attention's own."""
        return [module for module in self.layers.modules() if type(module) is nn.Linear]

    def forward(self, token_BK3: Tensor) -> Tensor:
        """Features (B, H)."""
        place_BK, feature_BK, value_BK = token_BK3.int().unbind(-1)
        token_BKH = self.place(place_BK) + self.feature(feature_BK) + self.value(value_BK)
        all_BKH = torch.cat((self.summary.expand(len(token_BKH), 1, -1), token_BKH), 1)
        is_empty_BK = torch.nn.functional.pad(place_BK == EMPTY, (1, 0))  # the summary never is
        for layer in self.layers:
            all_BKH = layer(all_BKH, src_key_padding_mask=is_empty_BK)
        summary_BH: Tensor = self.norm(all_BKH[:, 0])
        return summary_BH
