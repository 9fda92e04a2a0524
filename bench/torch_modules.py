"""The models of `models.py` as PyTorch modules, forward from inputs to logits.

They are written as the peers ask for it: parents call their children and never touch the children's
parameters, and a parameter that belongs to no layer has a small module of its own.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import models


class Mlp(nn.Module):
    def __init__(self, model: models.Mlp):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in zip(model.widths, model.widths[1:]))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


class ConvNet(nn.Module):
    def __init__(self, model: models.ConvNet):
        super().__init__()
        first, second, third = model.channels
        self.conv1 = nn.Conv2d(first, second, 3, stride=model.strides[0], padding=1)
        self.conv2 = nn.Conv2d(second, third, 3, stride=model.strides[1], padding=1)
        self.readout = nn.Linear(model.features(), model.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        return self.readout(x.flatten(1))


class TiedEmbedding(nn.Module):
    """One weight, called twice: on tokens it embeds, on hidden states it reads out."""

    def __init__(self, vocabulary: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(vocabulary, width))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight) if x.is_floating_point() else F.embedding(x, self.weight)


class Positions(nn.Module):
    def __init__(self, length: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(length, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight[: x.shape[-2]]


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        query, key, value = (
            part(x).reshape(n, length, self.heads, width // self.heads).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(2, 3) / (width // self.heads) ** 0.5
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
        return self.output((weights @ value).transpose(1, 2).reshape(n, length, width))


class Block(nn.Module):
    def __init__(self, model: models.Decoder):
        super().__init__()
        self.norm1 = nn.LayerNorm(model.width, eps=model.EPSILON)
        self.attention = Attention(model.width, model.heads)
        self.norm2 = nn.LayerNorm(model.width, eps=model.EPSILON)
        self.up = nn.Linear(model.width, model.hidden)
        self.down = nn.Linear(model.hidden, model.width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.down(torch.relu(self.up(self.norm2(x))))


class Decoder(nn.Module):
    """With `tie_parameter` the read-out is a linear layer that holds the embedding's parameter."""

    def __init__(self, model: models.Decoder, tie_parameter: bool = False):
        super().__init__()
        if tie_parameter:
            self.embedding = nn.Embedding(model.vocabulary, model.width)
            self.readout = nn.Linear(model.width, model.vocabulary, bias=False)
            self.readout.weight = self.embedding.weight
        else:
            self.embedding = self.readout = TiedEmbedding(model.vocabulary, model.width)
        self.positions = Positions(model.length, model.width)
        self.blocks = nn.ModuleList(Block(model) for _ in range(model.layers))
        self.norm = nn.LayerNorm(model.width, eps=model.EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        x = self.positions(self.embedding(x))
        for block in self.blocks:
            x = block(x)
        return self.readout(self.norm(x))


def build(model: models.Model, weights: dict[str, np.ndarray], tie_parameter: bool = False) -> nn.Module:
    """The module of `model`, with these weights."""
    match model:
        case models.Mlp():
            module = Mlp(model)
        case models.ConvNet():
            module = ConvNet(model)
        case models.Decoder():
            module = Decoder(model, tie_parameter)
    with torch.no_grad():
        for name, parameter in named(module).items():
            parameter.copy_(torch.from_numpy(layout(name, weights[name])))
    return module


def named(module: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters by the names of `models.py`."""
    names = {}
    for name, parameter in module.named_parameters():
        if "norm" in name:
            name = name.replace(".weight", ".gamma").replace(".bias", ".beta")
        names["positions" if name == "positions.weight" else name] = parameter
    return names


def layout(name: str, array: np.ndarray) -> np.ndarray:
    """From the layout of `models.py` to PyTorch's, or back: linear weights are transposed."""
    is_linear = array.ndim == 2 and name not in ("embedding.weight", "positions")
    return np.ascontiguousarray(array.T) if is_linear else array


def losses(logits: Tensor, draw: dict[str, Tensor]) -> Tensor:
    """One loss for each example, `[n]`."""
    each = F.cross_entropy(logits.flatten(0, -2), draw["targets"].flatten(), reduction="none")
    if "mask" not in draw:
        return each
    mask = draw["mask"]
    return (each.reshape(mask.shape) * mask).sum(1) / mask.sum(1)
