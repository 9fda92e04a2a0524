"""One step with per-example gradients in JAX: `vmap(grad(loss))`, the whole step compiled.

The process must be started with the environment of `environment`: JAX reads it when it is imported.
"""

import numpy as np

import models


def environment(threads: int) -> dict[str, str]:
    """What holds JAX to the processor and to so many threads."""
    flags = "" if threads > 1 else "--xla_cpu_multi_thread_eigen=false"
    return {"JAX_PLATFORMS": "cpu", "NPROC": str(threads), "XLA_FLAGS": flags}


def logits_of(model: models.Model):
    """The logits of one example as a function of the parameters and the example's inputs."""
    import jax
    from jax import lax
    from jax import numpy as jnp

    def linear(p, name, x):
        return x @ p[f"{name}.weight"] + p[f"{name}.bias"]

    def norm(p, name, x):
        centred = x - x.mean(-1, keepdims=True)
        scale = lax.rsqrt((centred * centred).mean(-1, keepdims=True) + model.EPSILON)
        return centred * scale * p[f"{name}.gamma"] + p[f"{name}.beta"]

    def mlp(p, x):
        last = len(model.widths) - 2
        for i in range(last):
            x = jax.nn.relu(linear(p, f"layers.{i}", x))
        return linear(p, f"layers.{last}", x)

    def convnet(p, x):
        x = x[None]
        for name, stride in zip(("conv1", "conv2"), model.strides):
            x = lax.conv_general_dilated(x, p[f"{name}.weight"], (stride, stride), ((1, 1), (1, 1)))
            x = jax.nn.relu(x + p[f"{name}.bias"][:, None, None])
        return linear(p, "readout", x.reshape(-1))

    def attention(p, name, x):
        length, width = x.shape
        query, key, value = (
            linear(p, f"{name}.{part}", x).reshape(length, model.heads, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / (width // model.heads) ** 0.5
        past = jnp.tril(jnp.ones((length, length), bool))
        weights = jax.nn.softmax(jnp.where(past, scores, -jnp.inf), axis=-1)
        return linear(p, f"{name}.output", (weights @ value).swapaxes(0, 1).reshape(length, width))

    def decoder(p, tokens):
        embedding = p["embedding.weight"]
        x = embedding[tokens] + p["positions"]
        for i in range(model.layers):
            block = f"blocks.{i}"
            x = x + attention(p, f"{block}.attention", norm(p, f"{block}.norm1", x))
            h = jax.nn.relu(linear(p, f"{block}.up", norm(p, f"{block}.norm2", x)))
            x = x + linear(p, f"{block}.down", h)
        return norm(p, "norm", x) @ embedding.T

    return {models.Mlp: mlp, models.ConvNet: convnet, models.Decoder: decoder}[type(model)]


def loss_of(logits, example):
    """The loss of one example with these logits: over its scored positions where it has several."""
    import jax
    from jax import numpy as jnp

    logs = jax.nn.log_softmax(logits, axis=-1)
    each = -jnp.take_along_axis(logs, example["targets"][..., None], axis=-1)[..., 0]
    return (each * example["mask"]).sum() / example["mask"].sum() if "mask" in example else each


class Jax:
    def __init__(self, model: models.Model, weights: dict, draw: dict, c: np.ndarray):
        import jax
        from jax import numpy as jnp

        self.jax = jax
        logits = logits_of(model)

        def loss(p, example):
            return loss_of(logits(p, example["inputs"]), example)

        rows_of = jax.vmap(jax.grad(loss), in_axes=(None, 0))
        n = len(c)

        def compute(p, draw, c):
            rows = {key: row.reshape(n, -1) for key, row in rows_of(p, draw).items()}
            gram = sum(flat @ flat.T for flat in rows.values())
            return gram, {key: (c @ flat).reshape(p[key].shape) for key, flat in rows.items()}

        def step(p, first, second, t, draw, c):
            gram, update = compute(p, draw, c)
            t = t + 1
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, update)
            second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, update)
            rate = 1e-4 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), p, first, second)
            return p, first, second, t, gram

        p = jax.tree.map(jnp.asarray, weights)
        zeros = [jax.tree.map(jnp.zeros_like, p) for _ in range(2)]
        self.state = (p, *zeros, jnp.float32(0))
        self.draw = jax.tree.map(jnp.asarray, draw)
        self.c = jnp.asarray(c)
        self.compute = jax.jit(compute)
        # Compiled here, so that no step's time holds the compiler's.
        compiled = jax.jit(step, donate_argnums=(0, 1, 2)).lower(*self.state, self.draw, self.c)
        self.compiled_step = compiled.compile()

    def step(self) -> None:
        *self.state, gram = self.compiled_step(*self.state, self.draw, self.c)
        self.jax.block_until_ready((self.state, gram))

    def results(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        gram, update = self.compute(self.state[0], self.draw, self.c)
        return np.asarray(gram), {key: np.asarray(value) for key, value in update.items()}
