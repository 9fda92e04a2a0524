"""One step with per-example gradients in PyTorch, the ways that its users have.

Every method leaves the Gram matrix in `gram` and the weighted gradient in the parameters' `.grad`; the
Gram matrix is summed over the parameters, which saves a copy of all rows. The optimizer is the same.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

import models
import torch_modules


class Method:
    """What the methods share: the weights, the draw and the optimizer."""

    tie_parameter = False

    def __init__(self, model: models.Model, weights: dict, draw: dict, c: np.ndarray, device: str):
        self.device = torch.device(device)
        self.module: nn.Module = torch_modules.build(model, weights, self.tie_parameter).to(self.device)
        self.parameters = torch_modules.named(self.module)
        self.draw = {key: torch.from_numpy(value).to(self.device) for key, value in draw.items()}
        self.c = torch.from_numpy(c).to(self.device)
        self.optimizer = torch.optim.Adam(self.parameters.values(), lr=1e-4, fused=True)
        self.gram: Tensor | None = None

    def compute(self) -> None:
        raise NotImplementedError

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.compute()
        self.optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def results(self) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """The Gram matrix (none for `ordinary`) and the weighted gradient by name."""
        self.compute()
        update = {key: torch_modules.layout(key, p.grad.cpu().numpy()) for key, p in self.parameters.items()}
        return None if self.gram is None else self.gram.cpu().numpy(), update

    def losses(self) -> Tensor:
        return torch_modules.losses(self.module(self.draw["inputs"]), self.draw)

    def from_rows(self, rows: dict[str, Tensor]) -> None:
        """Gram matrix and weighted gradient from the gradients `[n, …]` of each parameter."""
        n = len(self.c)
        gram = torch.zeros(n, n, device=self.device)
        for key, row in rows.items():
            flat = row.reshape(n, -1)
            gram.addmm_(flat, flat.T)
            parameter = self.parameters[key]
            parameter.grad = (self.c @ flat).reshape(parameter.shape)
        self.gram = gram


class Ordinary(Method):
    """A step as everyone takes it: one weighted sum of losses, no Gram matrix."""

    def compute(self) -> None:
        self.optimizer.zero_grad()
        (self.losses() @ self.c).backward()


class Vmap(Method):
    """`vmap(grad(loss))`."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        own_names = {id(p): name for name, p in self.module.named_parameters()}
        self.own_names = {key: own_names[id(p)] for key, p in self.parameters.items()}

        def loss(parameters: dict[str, Tensor], example: dict[str, Tensor]) -> Tensor:
            one = {key: value.unsqueeze(0) for key, value in example.items()}
            logits = functional_call(self.module, parameters, (one["inputs"],))
            return torch_modules.losses(logits, one).squeeze(0)

        self.gradients = vmap(grad(loss), in_dims=(None, 0))

    def compute(self) -> None:
        parameters = {own: self.parameters[key].detach() for key, own in self.own_names.items()}
        rows = self.gradients(parameters, self.draw)
        self.from_rows({key: rows[own] for key, own in self.own_names.items()})


class Opacus(Method):
    """Opacus' hooks fill `grad_sample` during an ordinary backward pass."""

    # It has its own fast rules for nn.Embedding and nn.Linear, and adds up the uses of one parameter.
    tie_parameter = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        from opacus.grad_sample import GradSampleModule

        self.module = GradSampleModule(self.module, loss_reduction="sum")

    def compute(self) -> None:
        self.losses().sum().backward()
        self.from_rows({key: p.grad_sample for key, p in self.parameters.items()})
        for parameter in self.parameters.values():
            parameter.grad_sample = None


class TorchJd(Method):
    """torchjd's autogram engine as its documentation shows it, with fixed weights."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        from torchjd.aggregation import ConstantWeighting
        from torchjd.autogram import Engine

        self.engine = Engine(self.module, batch_dim=0)
        self.weighting = ConstantWeighting(self.c)

    def compute(self) -> None:
        self.optimizer.zero_grad()
        losses = self.losses()
        self.gram = self.engine.compute_gramian(losses)
        losses.backward(self.weighting(self.gram))


class Ghost(Method):
    """By hand, for the MLP: one pass keeps inputs X and output-gradients Δ of every layer."""

    def compute(self) -> None:
        layers = self.module.layers
        inputs, outputs = [], []
        x = self.draw["inputs"]
        for i, layer in enumerate(layers):
            inputs.append(x.detach())
            # Gradients are asked for outputs alone: the products for the weights are left out.
            out = torch.addmm(layer.bias.detach(), x, layer.weight.detach().T)
            outputs.append(out if out.requires_grad else out.requires_grad_())
            x = torch.relu(out)
        losses = torch_modules.losses(outputs[-1], self.draw)
        deltas = torch.autograd.grad(losses.sum(), outputs)
        n = len(self.c)
        gram = torch.zeros(n, n, device=self.device)
        for layer, x, delta in zip(layers, inputs, deltas):
            products = torch.addmm(torch.ones(n, n, device=self.device), x, x.T)  # the 1 is the bias
            gram.addcmul_(products, delta @ delta.T)
            weighted = delta * self.c.unsqueeze(1)
            layer.weight.grad = weighted.T @ x
            layer.bias.grad = weighted.sum(0)
        self.gram = gram


METHODS = {"ordinary": Ordinary, "vmap": Vmap, "opacus": Opacus, "torchjd": TorchJd, "ghost": Ghost}


def prepare(
    name: str, model: models.Model, weights: dict, draw: dict, c: np.ndarray, threads: int, device: str
) -> Method:
    torch.set_num_threads(threads)
    if torch.get_num_interop_threads() != 1:  # it can be set only once
        torch.set_num_interop_threads(1)
    return METHODS[name](model, weights, draw, c, device)
