"""The models' sizes, parameters and draws, as plain NumPy arrays.

Names and layouts are those of the Burn modules: a linear weight is `[d_in, d_out]`, a convolution's is
`[out, in, kh, kw]`. Every framework reads its weights from here, so that all of them do the same work on
the same numbers. Only NumPy is imported: a process that times JAX must not load PyTorch.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mlp:
    """Linear layers with ReLU between them; one cross-entropy for each example."""

    widths: tuple[int, ...]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = {}
        for i, (d_in, d_out) in enumerate(zip(self.widths, self.widths[1:])):
            shapes |= _linear(f"layers.{i}", d_in, d_out)
        return shapes

    def draw(self, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {
            "inputs": rng.standard_normal((n, self.widths[0])).astype(np.float32),
            "targets": rng.integers(self.widths[-1], size=n),
        }


@dataclass(frozen=True)
class ConvNet:
    """Two 3×3 convolutions of padding 1, each followed by ReLU, and a linear read-out."""

    side: int
    channels: tuple[int, int, int]
    strides: tuple[int, int]
    classes: int

    def features(self) -> int:
        side = self.side
        for stride in self.strides:
            side = (side - 1) // stride + 1
        return self.channels[-1] * side * side

    def shapes(self) -> dict[str, tuple[int, ...]]:
        first, second, third = self.channels
        return {
            "conv1.weight": (second, first, 3, 3),
            "conv1.bias": (second,),
            "conv2.weight": (third, second, 3, 3),
            "conv2.bias": (third,),
        } | _linear("readout", self.features(), self.classes)

    def draw(self, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        shape = (n, self.channels[0], self.side, self.side)
        return {
            "inputs": rng.standard_normal(shape).astype(np.float32),
            "targets": rng.integers(self.classes, size=n),
        }


@dataclass(frozen=True)
class Decoder:
    """A pre-norm character-level decoder whose read-out is its embedding, transposed.

    The loss of an example is the mean cross-entropy over its scored positions (mask 1).
    """

    width: int
    heads: int
    layers: int
    length: int
    vocabulary: int
    hidden: int

    EPSILON = 1e-5

    def shapes(self) -> dict[str, tuple[int, ...]]:
        d = self.width
        shapes = {"embedding.weight": (self.vocabulary, d), "positions": (self.length, d)}
        for i in range(self.layers):
            block = f"blocks.{i}"
            shapes |= _norm(f"{block}.norm1", d)
            for part in ("query", "key", "value", "output"):
                shapes |= _linear(f"{block}.attention.{part}", d, d)
            shapes |= _norm(f"{block}.norm2", d)
            shapes |= _linear(f"{block}.up", d, self.hidden)
            shapes |= _linear(f"{block}.down", self.hidden, d)
        return shapes | _norm("norm", d)

    def draw(self, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        tokens = rng.integers(self.vocabulary, size=(n, self.length + 1))
        mask = (rng.random((n, self.length)) < 0.6).astype(np.float32)
        # The first example has one scored position, and no example has none.
        mask[0] = 0.0
        mask[np.arange(n), rng.integers(self.length, size=n)] = 1.0
        return {"inputs": tokens[:, :-1].copy(), "targets": tokens[:, 1:].copy(), "mask": mask}


Model = Mlp | ConvNet | Decoder

#: What the fixtures hold: each file stays far below 1 MB.
SMALL: dict[str, Model] = {
    "mlp": Mlp((6, 16, 12, 5)),
    "convnet": ConvNet(side=12, channels=(1, 4, 6), strides=(1, 2), classes=5),
    "decoder": Decoder(width=16, heads=2, layers=2, length=10, vocabulary=20, hidden=32),
}

#: What is timed.
TIMED: dict[str, Model] = {
    "mlp": Mlp((64, 512, 512, 32)),
    "convnet": ConvNet(side=28, channels=(1, 16, 32), strides=(2, 2), classes=10),
    "decoder": Decoder(width=128, heads=4, layers=2, length=64, vocabulary=256, hidden=512),
}

#: What is timed when it is asked for, the second on a GPU.
LARGE: dict[str, Model] = {
    "decoder-50257": Decoder(width=128, heads=4, layers=2, length=64, vocabulary=50257, hidden=512),
    "decoder-100m": Decoder(width=768, heads=12, layers=12, length=256, vocabulary=16384, hidden=3072),
}


def timed(name: str) -> Model:
    """One of `TIMED` or `LARGE`, or `mlp-W`: the MLP with hidden layers of width W. A KeyError for another name."""
    family, _, width = name.partition("-")
    if family == "mlp" and width.isdecimal() and int(width) > 0:
        first, *_, last = TIMED["mlp"].widths
        return Mlp((first, int(width), int(width), last))
    return (TIMED | LARGE)[name]


def parameters(model: Model, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random parameters, none of them at a special value: scales are not 1 and shifts not 0."""
    values = {}
    for name, shape in model.shapes().items():
        noise = rng.standard_normal(shape)
        if name.endswith("gamma"):
            value = 1.0 + 0.1 * noise
        elif len(shape) == 1:
            value = 0.1 * noise
        elif name in ("embedding.weight", "positions"):
            value = noise / np.sqrt(shape[1])
        else:
            fan_in = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
            value = noise / np.sqrt(fan_in)
        values[name] = value.astype(np.float32)
    return values


def coefficients(n: int, rng: np.random.Generator) -> np.ndarray:
    """Positive, of sum 1, no two alike."""
    raw = rng.random(n) + 0.1
    return (raw / raw.sum()).astype(np.float32)


def _linear(name: str, d_in: int, d_out: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (d_in, d_out), f"{name}.bias": (d_out,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.gamma": (width,), f"{name}.beta": (width,)}
