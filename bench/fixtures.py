"""Writes the fixtures that `gradual-grad`'s tests compare themselves with.

    python bench/fixtures.py            write crates/gradual-grad/tests/fixtures/*.safetensors
    python bench/fixtures.py --check    compute them again and compare with the files

Everything is computed in float64 with `torch.func` from the float32 weights and inputs that the file
holds, and rounded to float32 at the end. n is the number of examples.

| file | tensor | type | shape | meaning |
|---|---|---|---|---|
| all | NAME | f32 | as below | a parameter, by its path in the Burn module |
| all | `coefficients` | f32 | `[n]` | c, positive, of sum 1 |
| all | `losses` | f32 | `[n]` | ℓ |
| all | `gram` | f32 | `[n, n]` | K = G Gᵀ, over all parameters |
| all | `gram.NAME` | f32 | `[n, n]` | what the parameter NAME adds to K; all its uses are summed first |
| all | `norms` | f32 | `[n]` | ‖∇ℓ_j‖ |
| all | `update.NAME` | f32 | as NAME | Σ_j c_j ∇ℓ_j for the parameter NAME |
| mlp | `inputs` | f32 | `[8, 6]` | |
| mlp | `targets` | i64 | `[8]` | class of each example |
| mlp | `layers.{0,1,2}.weight` | f32 | `[6, 16]`, `[16, 12]`, `[12, 5]` | `[d_in, d_out]` |
| mlp | `layers.{0,1,2}.bias` | f32 | `[16]`, `[12]`, `[5]` | |
| convnet | `inputs` | f32 | `[6, 1, 12, 12]` | |
| convnet | `targets` | i64 | `[6]` | class of each example |
| convnet | `conv1.weight`, `conv1.bias` | f32 | `[4, 1, 3, 3]`, `[4]` | stride 1, padding 1 |
| convnet | `conv2.weight`, `conv2.bias` | f32 | `[6, 4, 3, 3]`, `[6]` | stride 2, padding 1 |
| convnet | `readout.weight`, `readout.bias` | f32 | `[216, 5]`, `[5]` | on `[channel, row, column]` flattened |
| decoder | `inputs`, `targets` | i64 | `[6, 10]` | tokens; targets are the inputs one step later |
| decoder | `mask` | f32 | `[6, 10]` | 1 where the position is scored; the first row has one such |
| decoder | `embedding.weight` | f32 | `[20, 16]` | also the read-out: logits = h · embeddingᵀ |
| decoder | `positions` | f32 | `[10, 16]` | added to the embedded tokens |
| decoder | `blocks.{0,1}.norm1.{gamma,beta}`, `….norm2.…` | f32 | `[16]` | epsilon 1e-5 |
| decoder | `blocks.{0,1}.attention.{query,key,value,output}.weight` | f32 | `[16, 16]` | 2 heads, head h has columns 8h to 8h+7 |
| decoder | `blocks.{0,1}.attention.{query,key,value,output}.bias` | f32 | `[16]` | |
| decoder | `blocks.{0,1}.up.{weight,bias}` | f32 | `[16, 32]`, `[32]` | followed by ReLU |
| decoder | `blocks.{0,1}.down.{weight,bias}` | f32 | `[32, 16]`, `[16]` | |
| decoder | `norm.{gamma,beta}` | f32 | `[16]` | before the read-out |

The softmax of attention does not see a shift of its scores, so the gradient of `attention.key.bias` is
zero but for rounding: compare it by an absolute tolerance.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch.func import grad_and_value, vmap
from torch.nn import functional as F

from models import SMALL, ConvNet, Decoder, Mlp, Model, coefficients, parameters

FOLDER = Path(__file__).resolve().parent.parent / "crates/gradual-grad/tests/fixtures"
EXAMPLES = {"mlp": 8, "convnet": 6, "decoder": 6}
SEED = 20220822

Tensors = dict[str, torch.Tensor]


def linear(p: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def norm(p: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scale = torch.rsqrt(centred.square().mean(-1, keepdim=True) + Decoder.EPSILON)
    return centred * scale * p[f"{name}.gamma"] + p[f"{name}.beta"]


def attention(p: Tensors, name: str, x: torch.Tensor, heads: int) -> torch.Tensor:
    length, width = x.shape
    query, key, value = (
        linear(p, f"{name}.{part}", x).reshape(length, heads, width // heads).transpose(0, 1)
        for part in ("query", "key", "value")
    )
    scores = query @ key.transpose(1, 2) / (width // heads) ** 0.5
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
    return linear(p, f"{name}.output", (weights @ value).transpose(0, 1).reshape(length, width))


def cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """`[…, classes]` and `[…]` to `[…]`."""
    logs = torch.log_softmax(logits, dim=-1)
    return -logs.gather(-1, target.unsqueeze(-1)).squeeze(-1)


def loss(model: Model, p: Tensors, example: Tensors) -> torch.Tensor:
    """The loss of one example, a scalar."""
    x, target = example["inputs"], example["targets"]
    match model:
        case Mlp():
            last = len(model.widths) - 2
            for i in range(last):
                x = torch.relu(linear(p, f"layers.{i}", x))
            return cross_entropy(linear(p, f"layers.{last}", x), target)
        case ConvNet():
            x = x.unsqueeze(0)
            for name, stride in zip(("conv1", "conv2"), model.strides):
                x = F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], stride=stride, padding=1)
                x = torch.relu(x)
            return cross_entropy(linear(p, "readout", x.flatten()), target)
        case Decoder():
            embedding = p["embedding.weight"]
            x = embedding[x] + p["positions"]
            for i in range(model.layers):
                block = f"blocks.{i}"
                h = norm(p, f"{block}.norm1", x)
                x = x + attention(p, f"{block}.attention", h, model.heads)
                h = torch.relu(linear(p, f"{block}.up", norm(p, f"{block}.norm2", x)))
                x = x + linear(p, f"{block}.down", h)
            each = cross_entropy(norm(p, "norm", x) @ embedding.T, target)
            return (each * example["mask"]).sum() / example["mask"].sum()


def fixture(name: str) -> dict[str, np.ndarray]:
    model, n = SMALL[name], EXAMPLES[name]
    rng = np.random.default_rng([SEED, n])
    weights = parameters(model, rng)
    draw = model.draw(n, rng)
    c = coefficients(n, rng)

    p, examples = double(weights), double(draw)
    step = vmap(grad_and_value(lambda p, example: loss(model, p, example)), in_dims=(None, 0))
    rows, losses = step(p, examples)
    against_a_plain_loop(model, p, examples, rows, losses)

    c64 = torch.from_numpy(c).double()
    results = {"losses": losses}
    gram = torch.zeros(n, n, dtype=torch.float64)
    for key, row in rows.items():
        flat = row.reshape(n, -1)
        part = flat @ flat.T
        gram += part
        results[f"gram.{key}"] = part
        results[f"update.{key}"] = (c64 @ flat).reshape(weights[key].shape)
    results["gram"] = gram
    results["norms"] = gram.diagonal().sqrt()
    rounded = {key: value.to(torch.float32).numpy() for key, value in results.items()}
    return weights | draw | {"coefficients": c} | rounded


def double(arrays: dict[str, np.ndarray]) -> Tensors:
    tensors = {key: torch.from_numpy(value) for key, value in arrays.items()}
    return {key: t.double() if t.is_floating_point() else t for key, t in tensors.items()}


def against_a_plain_loop(model: Model, p: Tensors, examples: Tensors, rows: Tensors, losses: torch.Tensor) -> None:
    """Stops unless plain autograd, one example at a time, gives the same losses and rows."""
    leaves = {key: value.clone().requires_grad_() for key, value in p.items()}
    for j in range(len(losses)):
        value = loss(model, leaves, {key: t[j] for key, t in examples.items()})
        torch.testing.assert_close(value.detach(), losses[j], rtol=1e-12, atol=1e-12)
        for (key, row), gradient in zip(rows.items(), torch.autograd.grad(value, list(leaves.values()))):
            torch.testing.assert_close(gradient, row[j], rtol=1e-10, atol=1e-12, msg=f"{key} of example {j}")


def differences(made: dict[str, np.ndarray], stored: dict[str, np.ndarray]) -> list[str]:
    """What is not equal but for the last bits of a float32."""
    found = [f"{key} stands on one side only" for key in sorted(made.keys() ^ stored.keys())]
    for key in sorted(made.keys() & stored.keys()):
        a, b = made[key], stored[key]
        if a.shape != b.shape or a.dtype != b.dtype:
            found.append(f"{key} is {a.dtype}{list(a.shape)}, the file has {b.dtype}{list(b.shape)}")
        elif not np.allclose(a, b, rtol=1e-5, atol=1e-7):
            found.append(f"{key} differs by {np.abs(a - b).max():.1e}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files, write nothing")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    failed = False
    for name in SMALL:
        made, path = fixture(name), FOLDER / f"{name}.safetensors"
        if check:
            found = differences(made, load_file(path)) if path.exists() else ["there is no such file"]
            print(f"{path.name}: {'; '.join(found) or 'equal'}")
            failed |= bool(found)
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            whole = path.with_suffix(".tmp")
            # One entry only: the order of several is not fixed, and equal fixtures should be equal files.
            save_file({key: np.ascontiguousarray(v) for key, v in made.items()}, whole, {"source": "bench/fixtures.py"})
            whole.replace(path)
            print(f"{path.name}: {len(made)} tensors, {path.stat().st_size} bytes")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
