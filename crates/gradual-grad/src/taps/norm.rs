//! Normalisations within an example: gradients Σ_t δ_jt ∘ x̂_jt of the scale and Σ_t δ_jt of the shift.

use burn::module::{Param, ParamId};
use burn::nn::norm::{InstanceNorm, Normalization};
use burn::nn::{GroupNorm, LayerNorm, RmsNorm};
use burn::tensor::{DType, Tensor};
use gradual_ops::layer_norm;

use crate::gradients::factor::Factor;
use crate::taps::tap::Tap;
use crate::taps::tap::{constant, leaf, traced_on};
use crate::trace::tape::{self, Use};

/// Scales and shifts normalised inputs x̂ `[n, t, d]`, seen by the trace.
fn affine(
    layer: &'static str,
    normalised: Tensor<3>,
    gamma: &Param<Tensor<1>>,
    beta: Option<&Param<Tensor<1>>>,
) -> Tensor<3> {
    let [n, t, d] = normalised.dims();
    let scale = constant(gamma);
    let leaf = leaf(beta.map(constant), n * t, &scale);
    let kept = normalised.clone().inner();
    let (gamma_id, beta_id): (ParamId, Option<ParamId>) = (gamma.id, beta.map(|beta| beta.id));
    tape::record(Use {
        layer,
        examples: n,
        parameters: std::iter::once(gamma_id).chain(beta_id).collect(),
        pair: None,
        leaf: leaf.clone(),
        resolve: Box::new(move |deltas| {
            let deltas = deltas.reshape([n, t, d]);
            let shift = beta_id.map(|id| (id, Factor::sum(deltas.clone())));
            std::iter::once((gamma_id, Factor::sum(deltas * kept)))
                .chain(shift)
                .collect()
        }),
    });
    normalised * scale.reshape([1, 1, d]) + leaf.reshape([n, t, d])
}

/// `[n, …, d]` as `[n, t, d]`.
fn positions<const D: usize>(input: Tensor<D>) -> Tensor<3> {
    let dims = input.dims();
    let t = dims[1..D - 1].iter().product::<usize>();
    input.reshape([dims[0], t, dims[D - 1]])
}

/// The layer's ε. Burn keeps it to itself, but shows it.
fn epsilon(layer: &LayerNorm) -> Option<f64> {
    let shown = layer.to_string();
    let (_, rest) = shown.split_once("epsilon: ")?;
    rest.split([',', '}', '\n']).next()?.trim().parse().ok()
}

/// `[n, …, d]` → `[n, …, d]`.
impl<const D: usize> Tap<Tensor<D>> for LayerNorm {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        let dims = input.dims();
        let (gamma, beta) = (self.gamma.val(), self.beta.as_ref().map(Param::val));
        // What Burn's own refuses, it refuses in its own words.
        let is_usual = gamma.dims() == [dims[D - 1]] && input.dtype() == DType::F32;
        let epsilon = epsilon(self).filter(|_| is_usual);
        if !traced_on(self, &input.device()) || D < 2 || dims.contains(&0) {
            return match epsilon {
                Some(epsilon) => layer_norm(input, gamma, beta, epsilon),
                None => self.forward(input),
            };
        }
        let ones = constant(&self.gamma).ones_like();
        let normalised = match epsilon {
            Some(epsilon) => layer_norm(input, ones, None, epsilon),
            None => {
                let mut plain = self.clone();
                plain.gamma = Param::initialized(ParamId::new(), ones);
                plain.beta = None;
                plain.forward(input)
            }
        };
        let normalised = positions(normalised);
        affine("layer norm", normalised, &self.gamma, self.beta.as_ref()).reshape(dims)
    }
}

/// `[n, …, d]` → `[n, …, d]`.
impl<const D: usize> Tap<Tensor<D>> for RmsNorm {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        let dims = input.dims();
        if !traced_on(self, &input.device()) || D < 2 || dims.contains(&0) {
            return self.forward(input);
        }
        let mut plain = self.clone();
        plain.gamma = Param::initialized(ParamId::new(), constant(&self.gamma).ones_like());
        let normalised = positions(plain.forward(input));
        affine("RMS norm", normalised, &self.gamma, None).reshape(dims)
    }
}

/// Scales and shifts normalised inputs x̂ `[n, channels, …]`, seen by the trace.
pub(super) fn channels<const D: usize>(
    layer: &'static str,
    normalised: Tensor<D>,
    gamma: &Param<Tensor<1>>,
    beta: &Param<Tensor<1>>,
) -> Tensor<D> {
    let dims = normalised.dims();
    let positions = dims[2..].iter().product::<usize>();
    let normalised = normalised.reshape([dims[0], dims[1], positions]);
    let output = affine(layer, normalised.swap_dims(1, 2), gamma, Some(beta));
    output.swap_dims(1, 2).reshape(dims)
}

/// A tap for a norm of channels, which may have neither scale nor shift.
macro_rules! tap {
    ($layer:ident, $name:literal) => {
        /// `[n, channels, …]` → `[n, channels, …]`.
        impl<const D: usize> Tap<Tensor<D>> for $layer {
            type Output = Tensor<D>;

            fn tap(&self, input: Tensor<D>) -> Tensor<D> {
                let (Some(gamma), Some(beta), true) = (&self.gamma, &self.beta, self.affine) else {
                    return self.forward(input);
                };
                if !traced_on(self, &input.device()) || D < 2 || input.dims().contains(&0) {
                    return self.forward(input);
                }
                let plain = Self {
                    gamma: None,
                    beta: None,
                    affine: false,
                    ..self.clone()
                };
                channels($name, plain.forward(input), gamma, beta)
            }
        }
    };
}

tap!(GroupNorm, "group norm");
tap!(InstanceNorm, "instance norm");

/// What the norm that it holds takes.
impl<const D: usize> Tap<Tensor<D>> for Normalization {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Batch(norm) => norm.tap(input),
            Self::Group(norm) => norm.tap(input),
            Self::Instance(norm) => norm.tap(input),
            Self::Layer(norm) => norm.tap(input),
            Self::Rms(norm) => norm.tap(input),
            without_parameters => without_parameters.forward(input),
        }
    }
}
