"""Whole training steps in PyTorch and JAX: draw in, loss out, the weights updated by Adam.

A learner has `step(draw)`, `evaluate(held_out)` for the loss of every held-out example and whether it is right, and
`save(path)` for weights and moments. `groups` is none for the mean loss, or their number for the sum of the squares of
their mean losses.
"""

import numpy as np

import models


class Torch:
    """Eager, or through `torch.compile`."""

    def __init__(self, model: models.Model, weights: dict, groups: int | None, rate: float, threads: int, compiled: bool):
        import torch

        import torch_modules

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.torch, self.groups = torch, groups
        self.crops = not compiled
        module = torch_modules.build(model, weights)
        self.module = module
        self.optimizer = torch.optim.Adam(module.parameters(), lr=rate, fused=True)

        def losses(draw):
            logits = module(draw["inputs"])
            if "signs" in draw:
                return torch.nn.functional.softplus(-logits.squeeze(-1) * draw["signs"])
            return torch_modules.losses(logits, draw)

        def value(draw):
            each = losses(draw)
            if groups is None:
                return each.mean()
            sums = torch.zeros(groups).index_add(0, draw["labels"], each)
            counts = torch.zeros(groups).index_add(0, draw["labels"], torch.ones_like(each))
            return (sums / counts.clamp(min=1)).square().sum()

        def judged(draw):
            logits = module(draw["inputs"])
            if "signs" in draw:
                margins = logits.squeeze(-1) * draw["signs"]
                return torch.nn.functional.softplus(-margins), margins > 0
            right = logits.argmax(-1) == draw["targets"]
            if "mask" in draw:
                right = (right | (draw["mask"] == 0)).all(-1)
            return torch_modules.losses(logits, draw), right

        # Draws of one length, so that nothing is compiled twice.
        self.value = torch.compile(value) if compiled else value
        self.judged = judged

    def tensors(self, draw: dict[str, np.ndarray]) -> dict:
        if self.crops and "mask" in draw:
            end = int(draw["mask"].any(0).nonzero()[0].max()) + 1
            draw = {key: value if key == "labels" else value[:, :end] for key, value in draw.items()}
        return {key: self.torch.from_numpy(np.ascontiguousarray(value)) for key, value in draw.items()}

    def step(self, draw: dict[str, np.ndarray]) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        value = self.value(self.tensors(draw))
        value.backward()
        self.optimizer.step()
        return value.item()

    def evaluate(self, held_out: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        with self.torch.no_grad():
            losses, right = self.judged(self.tensors(held_out))
        return losses.numpy(), right.numpy()

    def save(self, path: str) -> None:
        self.torch.save({"module": self.module.state_dict(), "optimizer": self.optimizer.state_dict()}, path)


class Jax:
    """Every step one compiled function whose buffers are used again."""

    def __init__(self, model: models.Model, weights: dict, groups: int | None, rate: float):
        import jax
        from jax import numpy as jnp

        import jax_peer

        self.jax = jax
        logits_of = jax.vmap(jax_peer.logits_of(model), in_axes=(None, 0))
        each_of = jax.vmap(jax_peer.loss_of)

        def losses(p, draw):
            logits = logits_of(p, draw["inputs"])
            if "signs" in draw:
                return jax.nn.softplus(-logits[:, 0] * draw["signs"])
            return each_of(logits, {key: draw[key] for key in ("targets", "mask") if key in draw})

        def value(p, draw):
            each = losses(p, draw)
            if groups is None:
                return each.mean()
            sums = jnp.zeros(groups).at[draw["labels"]].add(each)
            counts = jnp.zeros(groups).at[draw["labels"]].add(1.0)
            return jnp.square(sums / jnp.maximum(counts, 1.0)).sum()

        def step(p, first, second, t, draw):
            loss, update = jax.value_and_grad(value)(p, draw)
            t = t + 1
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, update)
            second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, update)
            size = rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            p = jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v) + 1e-8), p, first, second)
            return p, first, second, t, loss

        def judged(p, draw):
            logits = logits_of(p, draw["inputs"])
            if "signs" in draw:
                right = logits[:, 0] * draw["signs"] > 0
            else:
                right = logits.argmax(-1) == draw["targets"]
                if "mask" in draw:
                    right = (right | (draw["mask"] == 0)).all(-1)
            return losses(p, draw), right

        p = jax.tree.map(jnp.asarray, weights)
        zeros = [jax.tree.map(jnp.zeros_like, p) for _ in range(2)]
        self.state = (p, *zeros, jnp.float32(0))
        self.compiled = jax.jit(step, donate_argnums=(0, 1, 2))
        self.judged = jax.jit(judged)

    def step(self, draw: dict[str, np.ndarray]) -> float:
        *self.state, loss = self.compiled(*self.state, draw)
        return float(loss)

    def evaluate(self, held_out: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        losses, right = self.judged(self.state[0], held_out)
        return np.asarray(losses), np.asarray(right)

    def save(self, path: str) -> None:
        arrays = self.jax.tree.leaves(self.state)
        with open(path, "wb") as file:
            np.savez(file, *[np.asarray(array) for array in arrays])
