//! LoRA adapters: a weight W + s A B whose gradient is wanted for A and B (Hu et al. 2021, arXiv 2106.09685).
//!
//! With X the inputs and Δ the output-gradients of the weight as a whole, both gradients are outer products again:
//! those of A are X ⊗ sΔBᵀ, those of B are sXA ⊗ Δ. Neither W's own gradient nor a `[d, e]` matrix per example is
//! needed.

use burn::module::{LoraAdapter, Param, ParamId};
use burn::tensor::{Int, Tensor};

use crate::gradients::factor::Factor;
use crate::gradients::factor::outer::Inputs;
use crate::taps::tap::constant;

/// The parameters behind the value of a weight: itself, and those of its adapter.
pub(super) fn parameters<const D: usize>(weight: &Param<Tensor<D>>) -> Vec<ParamId> {
    let own = std::iter::once(weight.id);
    let adapter = weight.adapter().into_iter();
    own.chain(adapter.flat_map(|adapter| [adapter.a.id, adapter.b.id]))
        .collect()
}

/// From the factors of a weight's value to those of the parameters behind it. Made during the forward pass, since the
/// weight may have moved on when the gradients are known.
pub(super) struct AdaptedWeight {
    weight: ParamId,
    adapter: Option<Adapter>,
}

struct Adapter {
    ids: [ParamId; 2],
    a: Tensor<2>,
    b: Tensor<2>,
    scale: f64,
}

impl Adapter {
    fn of(adapter: &LoraAdapter) -> Self {
        Self {
            ids: [adapter.a.id, adapter.b.id],
            a: constant(&adapter.a),
            b: constant(&adapter.b),
            scale: adapter.scale,
        }
    }

    /// s Y A, `[n, t, d]` → `[n, t, r]`.
    fn down(&self, y: &Tensor<3>) -> Tensor<3> {
        y.clone()
            .matmul(self.a.clone().unsqueeze::<3>())
            .mul_scalar(self.scale)
    }

    /// s Y Bᵀ, `[n, t, e]` → `[n, t, r]`.
    fn up(&self, y: &Tensor<3>) -> Tensor<3> {
        let b = self.b.clone().transpose().unsqueeze::<3>();
        y.clone().matmul(b).mul_scalar(self.scale)
    }
}

impl AdaptedWeight {
    pub(super) fn of<const D: usize>(weight: &Param<Tensor<D>>) -> Self {
        Self {
            weight: weight.id,
            adapter: weight.adapter().map(Adapter::of),
        }
    }

    /// Of a weight `[d, e]` with the gradients Σ_t left_jt ⊗ right_jt.
    pub(super) fn outer(
        self,
        left: Tensor<3>,
        right: Tensor<3>,
        inputs: Inputs,
    ) -> Vec<(ParamId, Factor)> {
        let mut factors = Vec::new();
        if let Some(adapter) = &self.adapter {
            let [a, b] = adapter.ids;
            let side = |left, right| Factor::of_sides(left, right, inputs);
            factors.push((a, side(left.clone(), adapter.up(&right))));
            factors.push((b, side(adapter.down(&left), right.clone())));
        }
        factors.push((self.weight, Factor::of_sides(left, right, inputs)));
        factors
    }

    /// Of a weight of which every example has a copy, with the copies' gradients `[n, …]`. Only a matrix has an
    /// adapter.
    pub(super) fn copied(self, deltas: Tensor<2>) -> Vec<(ParamId, Factor)> {
        let mut factors = Vec::new();
        if let Some(adapter) = &self.adapter {
            let [n, _] = deltas.dims();
            let ([d, rank], [_, e]) = (adapter.a.dims(), adapter.b.dims());
            let deltas = deltas.clone().reshape([n, d, e]);
            let [a, b] = adapter.ids;
            let of_a = adapter.up(&deltas).reshape([n, d * rank]);
            let of_b = adapter.down(&deltas.swap_dims(1, 2));
            let of_b = of_b.swap_dims(1, 2).reshape([n, rank * e]);
            factors.push((a, Factor::Rows(of_a)));
            factors.push((b, Factor::Rows(of_b)));
        }
        factors.push((self.weight, Factor::Rows(deltas)));
        factors
    }

    /// Of a weight `[v, d]` whose rows were looked up, with output-gradients `[n, t, d]`.
    pub(super) fn looked_up(
        self,
        indices: Tensor<2, Int>,
        deltas: Tensor<3>,
        rows: usize,
    ) -> Vec<(ParamId, Factor)> {
        let scatter = |indices, deltas| Factor::scatter(indices, deltas, rows);
        let mut factors = Vec::new();
        if let Some(adapter) = &self.adapter {
            let [n, t, _] = deltas.dims();
            let [a, b] = adapter.ids;
            let [_, rank] = adapter.a.dims();
            let taken = adapter
                .a
                .clone()
                .select(0, indices.clone().reshape([n * t]));
            let taken = taken.reshape([n, t, rank]).mul_scalar(adapter.scale);
            factors.push((a, scatter(indices.clone(), adapter.up(&deltas))));
            factors.push((b, Factor::outer(taken, deltas.clone())));
        }
        factors.push((self.weight, scatter(indices, deltas)));
        factors
    }
}
