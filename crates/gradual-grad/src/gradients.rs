//! The gradients of a draw, held in factors.

use std::borrow::Cow;

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::GradError;
use crate::coverage::{Coverage, Covered};
use crate::factor::precision::{at_least_single, widest, widest_of};
use crate::factor::rescale::{exponent, power};
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
    /// Those of the uses, until they are summed.
    summands: Vec<Factor>,
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
            summands: Vec::new(),
            weight: None,
            uses: Vec::new(),
        }
    }

    /// Adds one more use of the parameter.
    pub(crate) fn add(&mut self, factor: Factor) {
        self.summands.push(factor);
    }

    /// Sums the uses, all at once.
    fn sum(&mut self) {
        let uses = std::mem::take(&mut self.summands);
        self.factor = Factor::merge(self.factor.take().into_iter().chain(uses).collect());
    }

    /// The factor in the precision that it is computed in.
    pub(crate) fn wide(&self) -> Option<Factor> {
        self.factor.as_ref().map(Factor::wide)
    }

    fn size(&self) -> usize {
        self.parameter.shape.iter().product()
    }
}

impl ExampleGradients {
    pub(crate) fn new(
        losses: &Tensor<1>,
        mut parameters: Vec<ParameterGradients>,
        left_out: Vec<String>,
    ) -> Self {
        parameters.iter_mut().for_each(ParameterGradients::sum);
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
    /// and the n per-example matrices, n d e (t + n). Only the upper triangle is computed. Of an
    /// embedding with many positions those of equal index meet, in about n t e memory: for that its
    /// indices are read from the device, once in a draw.
    ///
    /// Every parameter's part is computed in the parameter's own precision, half precision in single. The sum has the
    /// widest of these precisions, whatever that of the losses, as have norms, cosines, sketches and [`rows`](Self::rows).
    pub fn gram(&self) -> Tensor<2> {
        let n = self.examples();
        match self.products(self, Span::Upper, self.precision()) {
            Some(products) => products.full(),
            None => self.nothing([n, n]),
        }
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
        let precision = widest(self.precision(), other.precision());
        Ok(match self.products(other, Span::Full, precision) {
            Some(products) => products.full(),
            None => self.nothing([n, m]).cast(precision),
        })
    }

    /// Cosines of the angles between gradients, `[n, n]`. The cosine with a zero gradient is 0. Gradients of any size
    /// have them: they are [brought into range](Self::in_range) before anything is squared.
    pub fn cosine(&self) -> Tensor<2> {
        let n = self.examples();
        let (in_range, _) = self.in_range();
        let gram = in_range.gram();
        let norms = in_range.norms();
        let zero = norms.clone().equal_elem(0.0);
        let inverse = norms.recip().mask_fill(zero, 0.0);
        gram * inverse.clone().reshape([n, 1]) * inverse.reshape([1, n])
    }

    /// The Gram matrix of each parameter alone, with its path. They add up to
    /// [`gram`](Self::gram).
    pub fn per_parameter(&self) -> Vec<(String, Tensor<2>)> {
        let n = self.examples();
        let gram = |each: &ParameterGradients| match each.wide() {
            Some(factor) => {
                let products = factor.products(&factor, Span::Upper).full();
                products.cast(self.precision())
            }
            None => self.nothing([n, n]),
        };
        self.parameters
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
        for other in others {
            first.same_parameters("concat", other)?;
        }
        let mut all = first.clone();
        for (index, each) in all.parameters.iter_mut().enumerate() {
            let of = |draw: &Self| draw.parameters[index].factor.clone();
            let form = draws.iter().find_map(of);
            each.factor = form.and_then(|form| {
                let filled = |draw| of(draw).unwrap_or_else(|| form.zeros(draw.examples()));
                Factor::concat(draws.iter().map(filled).collect())
            });
        }
        let zeros: Vec<_> = draws.iter().map(|draw| draw.zeros.clone()).collect();
        let wide = widest_of(&zeros).unwrap_or(DType::F32);
        all.zeros = Tensor::cat(zeros.into_iter().map(|each| each.cast(wide)).collect(), 0);
        Ok(all)
    }

    /// Norms ‖∇ℓ_j‖, `[n]`, without the Gram matrix. Of squares: for norms out of their range see
    /// [`in_range`](Self::in_range).
    pub fn norms(&self) -> Tensor<1> {
        let precision = self.precision();
        let factors = self.parameters.iter().filter_map(ParameterGradients::wide);
        let norms = factors
            .map(|factor| factor.squared_norms().cast(precision))
            .reduce(|sum, norms| sum + norms);
        norms.map_or_else(|| self.nothing([self.examples()]), Tensor::sqrt)
    }

    /// The same gradients divided by one number, which comes with them, `[1]`: a power of two, 1 where the largest entry
    /// is about 2⁻¹⁶ to 2¹⁶.
    ///
    /// Single precision holds squares of 1e-19 to 1e19 alone, so gradients of 1e20 have infinite norms and a Gram matrix
    /// of infinities, and those of 1e-20 have zeros. Divided by a power of two they are the same but for their exponents,
    /// and as similar to each other. For similarities; an update should come of the gradients themselves.
    pub fn in_range(&self) -> (Self, Tensor<1>) {
        let precision = self.precision();
        let factors = self.parameters.iter().filter_map(ParameterGradients::wide);
        let largest = factors.map(|factor| factor.largest().cast(precision));
        let Some(largest) = largest.reduce(Tensor::max_pair) else {
            return (self.clone(), self.nothing([1]).add_scalar(1.0));
        };
        let by = exponent(largest);
        let mut scaled = self.clone();
        for each in &mut scaled.parameters {
            let factor = each.wide();
            let of_its_own = |factor: Factor| {
                let by = by.clone().cast(factor.dtype());
                factor.rescale(&by)
            };
            each.factor = factor.map(of_its_own);
            // The sides of a weight and those of its bias are divided by different numbers.
            each.weight = None;
        }
        (scaled, power(by))
    }

    /// The weighted sum Gᵀc = Σ_j c_j ∇ℓ_j, ready for an optimizer's `step`.
    ///
    /// With the coefficients c = ∂L/∂ℓ of a composition this is the gradient of its value L. Every parameter has its sum
    /// in its own precision, as an optimizer needs it; sums in half precision are accumulated in single. A parameter that
    /// no gradient has reached has none here either, so that an optimizer leaves it as it is.
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
        let coefficients = coefficients.clone().inner();
        let mut combined: Vec<_> = (0..m).map(|_| GradientsParams::new()).collect();
        for each in &self.parameters {
            let Parameter {
                id, shape, dtype, ..
            } = &each.parameter;
            let size = each.size();
            // As Burn's own backward pass has no gradient for what the losses do not depend on.
            let Some(factor) = each.wide() else { continue };
            let sums = factor.combine(&coefficients.clone().cast(factor.dtype()));
            let sums = sums.cast(*dtype);
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
    /// size. About 2 n t m d e operations to sum and 50 m `rank` d e for the pairs. The sum of an embedding
    /// that is only looked up is kept as it is. Sketches of the sums are not those of other draws.
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
        let mut condensed = self.clone();
        let coefficients = coefficients.clone().inner();
        condensed.zeros = Tensor::zeros([m], (&self.device(), self.zeros.dtype()));
        for each in &mut condensed.parameters {
            let sums = |factor: Factor| {
                let coefficients = coefficients.clone().cast(factor.dtype());
                factor.condense(&coefficients, rank.max(1))
            };
            each.factor = each.wide().map(sums);
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
        let precision = self.precision();
        let with_bias = self.biases(|factor| matches!(factor, Factor::Outer(_)));
        let sketches = self
            .parameters
            .iter()
            .enumerate()
            .filter(|(index, _)| !with_bias.contains(&Some(*index)))
            .filter_map(|(index, each)| {
                let factor = each.wide()?;
                let like = (factor.device(), factor.dtype());
                let mut projections = Projections::new(seed, &each.parameter.path, &like);
                let bias = with_bias[index].is_some();
                let mut project = |size, count| projections.next(size, count);
                Some(factor.sketch(dim, bias, &mut project).cast(precision))
            });
        let sum = sketches.reduce(|sum, part| sum + part);
        sum.unwrap_or_else(|| self.nothing([self.examples(), dim]))
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
        let precision = self.precision();
        let rows = self.parameters.iter().map(|each| match each.wide() {
            Some(factor) => factor.rows().cast(precision),
            None => self.nothing([n, each.size()]),
        });
        Tensor::cat(rows.collect(), 1)
    }

    /// The precision that sums over parameters are given in: the widest of their gradients', at least single.
    pub(crate) fn precision(&self) -> DType {
        let factors = self
            .parameters
            .iter()
            .filter_map(|each| each.factor.as_ref());
        let widest = factors.map(Factor::dtype).reduce(widest);
        at_least_single(widest.unwrap_or(self.zeros.dtype()))
    }

    /// Zeros in that precision.
    fn nothing<const D: usize>(&self, shape: [usize; D]) -> Tensor<D> {
        Tensor::zeros(shape, (&self.device(), self.precision()))
    }

    /// Inner products with another draw (or this one), summed over parameters.
    fn products(&self, other: &Self, span: Span, precision: DType) -> Option<Products> {
        let product = |factor: &Factor| factor.route() == Route::Product;
        let (mut with_bias, theirs) = (self.biases(product), other.biases(product));
        // Gradients that were changed since the trace have lost the bond of weight and bias.
        if with_bias != theirs {
            with_bias.fill(None);
        }
        // Of one parameter in both draws, in one precision.
        let both = |index: usize| {
            let (a, b) = (&self.parameters[index], &other.parameters[index]);
            match (a.wide()?, b.wide()?) {
                (a, b) if a.dtype() == b.dtype() => Some((a, b)),
                (a, b) => {
                    let wide = widest(a.dtype(), b.dtype());
                    Some((a.cast(wide), b.cast(wide)))
                }
            }
        };
        let alone = |index: usize| both(index).map(|(a, b)| a.products(&b, span).cast(precision));
        let fused = |index: usize| with_bias.contains(&Some(index));
        let grams = (0..self.parameters.len())
            .filter(|index| !fused(*index))
            .filter_map(|index| {
                let Some(bias) = with_bias[index] else {
                    return alone(index);
                };
                let (a, b) = both(index)?;
                if let Some(both) = a.products_with_bias(&b, span) {
                    return Some(both.cast(precision));
                }
                let weight = a.products(&b, span).cast(precision);
                Some(match alone(bias) {
                    Some(bias) => weight.add(bias),
                    None => weight,
                })
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
