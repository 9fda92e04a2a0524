//! The gradients of a draw, held in factors.

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::GradError;
use crate::factor::Factor;
use crate::lower::Lower;
use crate::parameters::Parameter;

/// The gradients G `[n, p]` of a draw: row j is ∇ℓ_j over all trainable parameters.
///
/// G itself is never built (but for [`rows`](Self::rows)). Made by [`trace`](crate::trace()).
#[derive(Debug, Clone)]
pub struct ExampleGradients {
    zeros: Tensor<1>,
    parameters: Vec<ParameterGradients>,
}

/// The gradients of one parameter.
#[derive(Debug, Clone)]
pub(crate) struct ParameterGradients {
    parameter: Parameter,
    /// None while no gradient has reached the parameter: all rows are zero.
    factor: Option<Factor>,
    /// The weight whose layer this bias belongs to, where their Gram matrices can share work.
    weight: Option<usize>,
    uses: usize,
}

impl ParameterGradients {
    pub(crate) fn new(parameter: Parameter) -> Self {
        Self {
            parameter,
            factor: None,
            weight: None,
            uses: 0,
        }
    }

    /// Adds one more use of the parameter.
    pub(crate) fn add(&mut self, factor: Factor) {
        self.uses += 1;
        self.factor = Some(match self.factor.take() {
            None => factor,
            Some(before) => before.merge(factor),
        });
    }

    /// Says that this is the bias of the layer of parameter `weight`.
    pub(crate) fn beside(&mut self, weight: Option<usize>) {
        self.weight = weight;
    }

    fn size(&self) -> usize {
        self.parameter.shape.iter().product()
    }
}

impl ExampleGradients {
    pub(crate) fn new(losses: &Tensor<1>, parameters: Vec<ParameterGradients>) -> Self {
        Self {
            zeros: losses.clone().zeros_like(),
            parameters,
        }
    }

    /// Number of examples n.
    pub fn examples(&self) -> usize {
        self.zeros.dims()[0]
    }

    /// Number of trainable parameters p, counted by entry.
    pub fn parameters(&self) -> usize {
        self.parameters.iter().map(ParameterGradients::size).sum()
    }

    /// Paths of the trainable parameters in the model, in the order of [`rows`](Self::rows).
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.parameters
            .iter()
            .map(|each| each.parameter.path.as_str())
    }

    /// The Gram matrix K = G Gᵀ, `[n, n]`.
    ///
    /// Of a weight `[d, e]` used at one position per example: (X Xᵀ) ∘ (Δ Δᵀ), about n²(d + e)
    /// operations. At t positions: the cheaper by counted operations of the ghost product
    /// (n²t²(d + e)) and the n per-example matrices (n d e (t + n)). Only the lower triangle is
    /// computed.
    pub fn gram(&self) -> Tensor<2> {
        let with_bias = self.weights_with_bias();
        let mut total: Option<Lower> = None;
        for (index, each) in self.parameters.iter().enumerate() {
            let fused = each
                .weight
                .is_some_and(|weight| with_bias[weight] == Some(index));
            let Some(factor) = each.factor.as_ref().filter(|_| !fused) else {
                continue;
            };
            let gram = with_bias[index].and_then(|_| factor.gram_with_bias());
            let gram = gram.unwrap_or_else(|| factor.gram());
            total = Some(match total {
                None => gram,
                Some(sum) => sum.add(gram),
            });
        }
        let n = self.examples();
        total.map_or_else(
            || self.zeros.clone().reshape([n, 1]).expand([n, n]),
            Lower::full,
        )
    }

    /// For each parameter, the bias whose Gram matrix is taken together with its own: that of the
    /// same layer, where both were used just once, at one position.
    fn weights_with_bias(&self) -> Vec<Option<usize>> {
        let mut fused = vec![None; self.parameters.len()];
        for (index, bias) in self.parameters.iter().enumerate() {
            let Some(weight) = bias.weight.filter(|_| bias.uses == 1) else {
                continue;
            };
            let Some(Factor::Outer { left, .. }) = &self.parameters[weight].factor else {
                continue;
            };
            if left.dims()[1] == 1 {
                fused[weight] = Some(index);
            }
        }
        fused
    }

    /// Norms ‖∇ℓ_j‖, `[n]`, without the Gram matrix.
    pub fn norms(&self) -> Tensor<1> {
        let factors = self
            .parameters
            .iter()
            .filter_map(|each| each.factor.as_ref());
        factors
            .map(Factor::squared_norms)
            .fold(self.zeros.clone(), |sum, norms| sum + norms)
            .sqrt()
    }

    /// The weighted sum Gᵀc = Σ_j c_j ∇ℓ_j, ready for an optimizer's `step`.
    ///
    /// With the coefficients c = ∂L/∂ℓ of a composition this is the gradient of its value L.
    ///
    /// # Errors
    ///
    /// [`GradError::Coefficients`] unless `coefficients` is `[n]`.
    pub fn combine(&self, coefficients: &Tensor<1>) -> Result<GradientsParams, GradError> {
        let [got] = coefficients.dims();
        if got != self.examples() {
            return Err(GradError::Coefficients {
                expected: self.examples(),
                got,
            });
        }
        let coefficients = coefficients.clone().inner();
        let mut combined = GradientsParams::new();
        for each in &self.parameters {
            let Parameter { id, shape, .. } = &each.parameter;
            let sum = match &each.factor {
                Some(factor) => factor.combine(&coefficients),
                None => self.zeros.clone().slice([0..1]).expand([each.size()]),
            };
            register(&mut combined, *id, sum, shape);
        }
        Ok(combined)
    }

    /// The matrix G `[n, p]` itself: memory n·p, for tests and small models. Parameters stand in
    /// the order of [`paths`](Self::paths), each flattened in row-major order.
    pub fn rows(&self) -> Tensor<2> {
        let n = self.examples();
        let rows = self.parameters.iter().map(|each| match &each.factor {
            Some(factor) => factor.rows(),
            None => self.zeros.clone().reshape([n, 1]).expand([n, each.size()]),
        });
        Tensor::cat(rows.collect(), 1)
    }
}

/// Registers a flat gradient under the parameter's own shape.
fn register(gradients: &mut GradientsParams, id: ParamId, flat: Tensor<1>, shape: &[usize]) {
    fn shaped<const D: usize>(flat: Tensor<1>, shape: &[usize]) -> Tensor<D> {
        flat.reshape(<[usize; D]>::try_from(shape).expect("the rank was matched"))
    }
    match shape.len() {
        1 => gradients.register(id, shaped::<1>(flat, shape)),
        2 => gradients.register(id, shaped::<2>(flat, shape)),
        3 => gradients.register(id, shaped::<3>(flat, shape)),
        4 => gradients.register(id, shaped::<4>(flat, shape)),
        5 => gradients.register(id, shaped::<5>(flat, shape)),
        _ => gradients.register(id, shaped::<6>(flat, shape)),
    }
}
