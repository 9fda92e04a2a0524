//! The gradients of a draw, held in factors.

use std::borrow::Cow;

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::GradError;
use crate::coverage::{Coverage, Covered};
use crate::factor::{Factor, Route};
use crate::parameters::{Parameter, glob};
use crate::products::{Products, Span};
use crate::sketch::Projections;

/// The gradients G `[n, p]` of a draw: row j is ∇ℓ_j over all trainable parameters.
///
/// G itself is never built (but by [`rows`](Self::rows)). Made by [`trace`](crate::trace()).
#[derive(Debug, Clone)]
pub struct ExampleGradients {
    pub(crate) zeros: Tensor<1>,
    pub(crate) parameters: Vec<ParameterGradients>,
    pub(crate) left_out: Vec<String>,
}

/// The gradients of one parameter.
#[derive(Debug, Clone)]
pub(crate) struct ParameterGradients {
    pub(crate) parameter: Parameter,
    /// None while no gradient has reached the parameter: all rows are zero.
    pub(crate) factor: Option<Factor>,
    /// The weight whose layer this bias belongs to, where their Gram matrices can share work.
    pub(crate) weight: Option<ParamId>,
    /// The layers that use the parameter, in order.
    pub(crate) uses: Vec<Cow<'static, str>>,
}

impl ParameterGradients {
    pub(crate) fn new(parameter: Parameter) -> Self {
        Self {
            parameter,
            factor: None,
            weight: None,
            uses: Vec::new(),
        }
    }

    /// Adds one more use of the parameter.
    pub(crate) fn add(&mut self, factor: Factor) {
        self.factor = Some(match self.factor.take() {
            None => factor,
            Some(before) => before.merge(factor),
        });
    }

    fn size(&self) -> usize {
        self.parameter.shape.iter().product()
    }
}

impl ExampleGradients {
    pub(crate) fn new(
        losses: &Tensor<1>,
        parameters: Vec<ParameterGradients>,
        left_out: Vec<String>,
    ) -> Self {
        Self {
            zeros: losses.clone().zeros_like(),
            parameters,
            left_out,
        }
    }

    /// Number of examples n.
    pub fn examples(&self) -> usize {
        self.zeros.dims()[0]
    }

    /// The device that the gradients are on.
    pub fn device(&self) -> Device {
        self.zeros.device()
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

    /// What the trace covered, how its Gram matrix is computed and at what cost.
    pub fn coverage(&self) -> Coverage {
        let covered = self
            .parameters
            .iter()
            .map(|each| Covered::new(self.examples(), each));
        Coverage::new(covered.collect(), self.left_out.clone())
    }

    /// The Gram matrix K = G Gᵀ, `[n, n]`.
    ///
    /// Of a weight `[d, e]` used at one position per example: (X Xᵀ) ∘ (Δ Δᵀ), about n²(d + e)
    /// operations (Goodfellow 2015, arXiv 1510.01799, for its diagonal). At t positions: the cheaper
    /// by counted operations of the ghost product, n²t²(d + e) (Li et al. 2022, arXiv 2110.05679),
    /// and the n per-example matrices, n d e (t + n). Only the upper triangle is computed.
    ///
    /// Of gradients in half precision it is accumulated and given in single precision, as are
    /// norms, cosines and sketches.
    pub fn gram(&self) -> Tensor<2> {
        let n = self.examples();
        let wide = self.wide();
        let products = wide.products(&wide, Span::Upper);
        products.map_or_else(
            || wide.zeros.clone().reshape([n, 1]).expand([n, n]),
            Products::full,
        )
    }

    /// Inner products of the gradients of this draw with those of another under the same model,
    /// `[n, m]`.
    ///
    /// # Errors
    ///
    /// [`GradError::Parameters`] unless both draws have the same parameters.
    pub fn cross_gram(&self, other: &Self) -> Result<Tensor<2>, GradError> {
        self.same_parameters("cross_gram", other)?;
        let (n, m) = (self.examples(), other.examples());
        let wide = self.wide();
        let products = wide.products(&other.wide(), Span::Full);
        let zeros = || wide.zeros.clone().reshape([n, 1]).expand([n, m]);
        Ok(products.map_or_else(zeros, Products::full))
    }

    /// Cosines of the angles between gradients, `[n, n]`. The cosine with a zero gradient is 0.
    pub fn cosine(&self) -> Tensor<2> {
        let n = self.examples();
        let gram = self.gram();
        let norms = self.norms();
        let zero = norms.clone().equal_elem(0.0);
        let inverse = norms.recip().mask_fill(zero, 0.0);
        gram * inverse.clone().reshape([n, 1]) * inverse.reshape([1, n])
    }

    /// The Gram matrix of each parameter alone, with its path. They add up to
    /// [`gram`](Self::gram).
    pub fn per_parameter(&self) -> Vec<(String, Tensor<2>)> {
        let n = self.examples();
        let wide = self.wide();
        let gram = |each: &ParameterGradients| match &each.factor {
            Some(factor) => factor.products(factor, Span::Upper).full(),
            None => wide.zeros.clone().reshape([n, 1]).expand([n, n]),
        };
        wide.parameters
            .iter()
            .map(|each| (each.parameter.path.clone(), gram(each)))
            .collect()
    }

    /// The same gradients restricted to the parameters whose path matches a glob, such as
    /// `layers.0.*` or `*.weight`: for similarities that look at some layers only. An update should
    /// come from the unrestricted gradients.
    ///
    /// # Errors
    ///
    /// [`GradError::Glob`] when the glob is malformed or matches nothing.
    pub fn select(&self, pattern: &str) -> Result<Self, GradError> {
        let matcher = glob(pattern)?;
        let matches = |each: &&ParameterGradients| matcher.is_match(&each.parameter.path);
        let parameters: Vec<_> = self.parameters.iter().filter(matches).cloned().collect();
        if parameters.is_empty() {
            return Err(GradError::Glob {
                pattern: pattern.to_owned(),
                problem: format!(
                    "matches none of the parameters {}",
                    self.paths().collect::<Vec<_>>().join(", ")
                ),
            });
        }
        Ok(Self {
            parameters,
            ..self.clone()
        })
    }

    /// The gradients of some of the examples, `[m]` of them in the order of `examples`.
    ///
    /// # Errors
    ///
    /// [`GradError::Example`] for an index that is none.
    pub fn choose(&self, examples: &[usize]) -> Result<Self, GradError> {
        let n = self.examples();
        if let Some(&index) = examples.iter().find(|&&index| index >= n) {
            return Err(GradError::Example { index, examples: n });
        }
        let at: Vec<i64> = examples.iter().map(|&index| index as i64).collect();
        let at = Tensor::<1, Int>::from_data(
            TensorData::new(at, [examples.len()]),
            &self.zeros.device(),
        );
        let mut chosen = self.clone();
        chosen.zeros = chosen.zeros.select(0, at.clone());
        for each in &mut chosen.parameters {
            each.factor = each.factor.take().map(|factor| factor.choose(&at));
        }
        Ok(chosen)
    }

    /// The gradients of the examples of several draws under the same model, one draw after another:
    /// the Gram matrix of a large draw from several passes.
    ///
    /// # Errors
    ///
    /// [`GradError::EmptyDraw`] without draws, [`GradError::Parameters`] unless all have the same
    /// parameters.
    pub fn concat(draws: &[Self]) -> Result<Self, GradError> {
        let (first, others) = draws.split_first().ok_or(GradError::EmptyDraw)?;
        others.iter().try_fold(first.clone(), |mut sum, next| {
            sum.same_parameters("concat", next)?;
            let (n, m) = (sum.examples(), next.examples());
            let like = sum.zeros.clone();
            for (each, more) in sum.parameters.iter_mut().zip(&next.parameters) {
                let size = each.size();
                each.factor = match (each.factor.take(), &more.factor) {
                    (None, None) => None,
                    (Some(a), Some(b)) => Some(a.concat(b.clone())),
                    (Some(a), None) => Some(a.concat(Factor::zeros(m, size, &like))),
                    (None, Some(b)) => Some(Factor::zeros(n, size, &like).concat(b.clone())),
                };
            }
            sum.zeros = Tensor::cat(vec![sum.zeros, next.zeros.clone()], 0);
            Ok(sum)
        })
    }

    /// Norms ‖∇ℓ_j‖, `[n]`, without the Gram matrix.
    pub fn norms(&self) -> Tensor<1> {
        let wide = self.wide();
        let factors = wide
            .parameters
            .iter()
            .filter_map(|each| each.factor.as_ref());
        factors
            .map(Factor::squared_norms)
            .fold(wide.zeros.clone(), |sum, norms| sum + norms)
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
        let [n] = coefficients.dims();
        let one = self.combine_many(&coefficients.clone().reshape([1, n]))?;
        Ok(one.into_iter().next().unwrap_or_default())
    }

    /// One weighted sum for each row of `coefficients` `[m, n]`: the gradients of m groups at once.
    ///
    /// # Errors
    ///
    /// [`GradError::Coefficients`] unless every row has n entries.
    pub fn combine_many(
        &self,
        coefficients: &Tensor<2>,
    ) -> Result<Vec<GradientsParams>, GradError> {
        let [m, got] = coefficients.dims();
        if got != self.examples() {
            return Err(GradError::Coefficients {
                expected: self.examples(),
                got,
            });
        }
        let coefficients = coefficients.clone().inner().cast(self.zeros.dtype());
        let mut combined: Vec<_> = (0..m).map(|_| GradientsParams::new()).collect();
        for each in &self.parameters {
            let Parameter { id, shape, .. } = &each.parameter;
            let size = each.size();
            let sums = match &each.factor {
                Some(factor) => factor.combine(&coefficients),
                None => self
                    .zeros
                    .clone()
                    .narrow(0, 0, 1)
                    .reshape([1, 1])
                    .expand([m, size]),
            };
            for (row, sums_of_row) in combined.iter_mut().enumerate() {
                let sum = match m {
                    1 => sums.clone(),
                    _ => sums.clone().narrow(0, row, 1),
                };
                register(sums_of_row, *id, sum.reshape([size]), shape);
            }
        }
        Ok(combined)
    }

    /// Weighted sums of the gradients, one for each row of `coefficients` `[m, n]`, as the gradients
    /// of m examples that nobody drew: prototypes to compare others with.
    ///
    /// The sum of a weight `[d, e]` is kept as its `rank` leading singular pairs, so that inner
    /// products with n gradients take 2 n t m `rank` (d + e) operations and no array of parameter
    /// size. About 2 n t m d e operations to sum and 50 m `rank` d e for the pairs.
    ///
    /// # Errors
    ///
    /// [`GradError::Coefficients`] unless every row has n entries.
    pub fn condense(&self, coefficients: &Tensor<2>, rank: usize) -> Result<Self, GradError> {
        let [m, got] = coefficients.dims();
        if got != self.examples() {
            return Err(GradError::Coefficients {
                expected: self.examples(),
                got,
            });
        }
        let mut condensed = self.wide();
        let coefficients = coefficients.clone().inner().cast(condensed.zeros.dtype());
        condensed.zeros = Tensor::zeros([m], (&self.device(), condensed.zeros.dtype()));
        for each in &mut condensed.parameters {
            let sums = |factor: Factor| factor.condense(&coefficients, rank.max(1));
            each.factor = each.factor.take().map(sums);
            // Its products with other draws are no longer those of a single position.
            each.weight = None;
        }
        Ok(condensed)
    }

    /// A random projection S `[n, dim]` of the gradients: S Sᵀ is K in expectation over seeds.
    ///
    /// The projection is applied to the factors. An entry is uᵀ g_j v / √dim with random signs u and
    /// v and g_j the `[d, e]` gradient of a weight, summed over parameters. Entries come in fours,
    /// u and v each one of two, so that a side is multiplied by `dim`/2 vectors only: about
    /// n t (d + e) `dim` operations and no array of parameter size. Equal seeds give equal
    /// projections for equal paths, so sketches of different draws and steps can be compared.
    ///
    /// Error: for gradients g and h an inner product is off by at most about 4 ‖g‖‖h‖ / √dim in
    /// standard deviation, and by ‖g‖‖h‖ / √dim where both sides are orthogonal. (For one entry
    /// E(uᵀg v uᵀh v)² ≤ 9 ‖g‖²‖h‖², as E(uᵀa)⁴ ≤ 3 ‖a‖⁴ on either side; two entries of a four that
    /// share u or v have E ≤ 3 ‖g‖²‖h‖², two that share none (g·h)²; so the mean of a four has a
    /// variance of at most 15/4 ‖g‖²‖h‖².)
    pub fn sketch(&self, dim: usize, seed: u64) -> Tensor<2> {
        let n = self.examples();
        let wide = self.wide();
        let zeros = wide.zeros.clone().reshape([n, 1]).expand([n, dim]);
        let like = (wide.zeros.device(), wide.zeros.dtype());
        let with_bias = wide.biases(|factor| matches!(factor, Factor::Outer { .. }));
        wide.parameters
            .iter()
            .enumerate()
            .filter(|(index, _)| !with_bias.contains(&Some(*index)))
            .filter_map(|(index, each)| {
                let factor = each.factor.as_ref()?;
                let mut projections = Projections::new(seed, &each.parameter.path, &like);
                let bias = with_bias[index].is_some();
                Some(factor.sketch(dim, bias, &mut |size, count| projections.next(size, count)))
            })
            .fold(zeros, |sum, part| sum + part)
            .div_scalar((dim.max(1) as f64).sqrt())
    }

    /// The Gram matrix of a [`sketch`](Self::sketch), S Sᵀ `[n, n]`, which estimates
    /// [`gram`](Self::gram): n² `dim` operations on top of the sketch's.
    pub fn sketch_gram(&self, dim: usize, seed: u64) -> Tensor<2> {
        let sketch = self.sketch(dim, seed);
        Products::of(&sketch, &sketch, Span::Upper).full()
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

    /// The same gradients, in single precision where they are in half: sums of squares of half
    /// precision overflow at norms of 256.
    pub(crate) fn wide(&self) -> Self {
        let mut wide = self.clone();
        if matches!(self.zeros.dtype(), DType::F16 | DType::BF16) {
            wide.zeros = wide.zeros.cast(DType::F32);
            for each in &mut wide.parameters {
                each.factor = each.factor.take().map(|factor| factor.cast(DType::F32));
            }
        }
        wide
    }

    /// Inner products with another draw (or this one), summed over parameters.
    fn products(&self, other: &Self, span: Span) -> Option<Products> {
        let product = |factor: &Factor| factor.route() == Route::Product;
        let (mut with_bias, theirs) = (self.biases(product), other.biases(product));
        // Gradients that were changed since the trace have lost the bond of weight and bias.
        if with_bias != theirs {
            with_bias.fill(None);
        }
        let fused = |index: usize| with_bias.contains(&Some(index));
        let pairs = self.parameters.iter().zip(&other.parameters).enumerate();
        let grams = pairs
            .filter(|(index, _)| !fused(*index))
            .filter_map(|(index, (a, b))| {
                let (a, b) = (a.factor.as_ref()?, b.factor.as_ref()?);
                if let Some(bias) = with_bias[index] {
                    if let Some(both) = a.products_with_bias(b, span) {
                        return Some(both);
                    }
                    let own = |of: &Self| of.parameters[bias].factor.clone();
                    let alone = a.products(b, span);
                    return Some(match (own(self), own(other)) {
                        (Some(c), Some(d)) => alone.add(c.products(&d, span)),
                        _ => alone,
                    });
                }
                Some(a.products(b, span))
            });
        grams.reduce(Products::add)
    }

    /// For each parameter, the bias that is handled together with it: that of the same layer, where
    /// both were used just once and the weight's factor allows it.
    fn biases(&self, allowed: impl Fn(&Factor) -> bool) -> Vec<Option<usize>> {
        let mut together = vec![None; self.parameters.len()];
        for (index, bias) in self.parameters.iter().enumerate() {
            let weight = self.parameters.iter().position(|each| {
                bias.weight == Some(each.parameter.id)
                    && bias.uses.len() == 1
                    && each.uses.len() == 1
            });
            let Some(weight) = weight else { continue };
            let factor = self.parameters[weight].factor.as_ref();
            if factor.is_some_and(&allowed) && bias.factor.is_some() {
                together[weight] = Some(index);
            }
        }
        together
    }

    fn same_parameters(&self, operation: &'static str, other: &Self) -> Result<(), GradError> {
        let ids = |of: &Self| {
            of.parameters
                .iter()
                .map(|each| each.parameter.id)
                .collect::<Vec<_>>()
        };
        match ids(self) == ids(other) {
            true => Ok(()),
            false => Err(GradError::Parameters { operation }),
        }
    }
}

/// Registers a flat gradient under the parameter's own shape.
fn register(gradients: &mut GradientsParams, id: ParamId, flat: Tensor<1>, shape: &[usize]) {
    fn shaped<const D: usize>(flat: Tensor<1>, shape: &[usize]) -> Tensor<D> {
        let mut dims = [1; D];
        dims.copy_from_slice(shape);
        flat.reshape(dims)
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
