//! The gradients of a draw, held in factors.

pub(crate) mod coverage;
pub(crate) mod factor;
pub(crate) mod parameter;
mod products;
mod random;
pub(crate) mod record;
mod similar;
mod sketch;
mod sums;

use burn::module::ParamId;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::error::GradError;
use crate::parameters::Parameter;
use crate::parameters::globs::glob;
use crate::precision::{at_least_single, widest, widest_of};
use coverage::{Coverage, Covered};
use factor::Factor;
use parameter::ParameterGradients;

/// Path of the parameter of gradients that are given as a matrix.
const ROWS: &str = "rows";

/// The gradients G `[n, p]` of a draw: row j is ∇ℓ_j over all trainable parameters.
///
/// G itself is never built, except by [`rows`](Self::rows). Made by [`trace`](crate::trace()).
#[derive(Debug, Clone)]
pub struct ExampleGradients {
    pub(crate) zeros: Tensor<1>,
    pub(crate) parameters: Vec<ParameterGradients>,
    pub(crate) left_out: Vec<String>,
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

    /// Gradients that are given as the matrix G `[n, p]` itself, a row for each example: those of another program. They
    /// are one parameter, whose path is `rows`; matrices of equally long rows are of the same parameters.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use gradual_grad::ExampleGradients;
    ///
    /// let rows = Tensor::<2>::from_floats([[3.0, 0.0], [0.0, 2.0], [1.0, 1.0]], &Device::flex());
    /// let gradients = ExampleGradients::from_rows(rows);
    /// assert_eq!((gradients.num_examples(), gradients.num_parameters()), (3, 2));
    /// let norms = gradients.norms().into_data();
    /// assert_eq!(norms.as_slice::<f32>().unwrap(), [3.0, 2.0, 2.0_f32.sqrt()]);
    /// ```
    pub fn from_rows(rows: Tensor<2>) -> Self {
        let rows = rows.inner();
        let [_, p] = rows.dims();
        let mut parameter = ParameterGradients::new(Parameter {
            id: ParamId::from(p as u64),
            path: String::from(ROWS),
            shape: vec![p],
            trainable: true,
            shared: Vec::new(),
            dtype: rows.dtype(),
        });
        let losses = rows.clone().sum_dim(1).flatten(0, 1);
        parameter.uses.push(ROWS.into());
        parameter.add(Factor::Rows(rows));
        Self::new(&losses, vec![parameter], Vec::new())
    }

    /// Number of examples n.
    pub fn num_examples(&self) -> usize {
        self.zeros.dims()[0]
    }

    /// The device that the gradients are on.
    pub fn device(&self) -> Device {
        self.zeros.device()
    }

    /// Number of trainable parameters p, counted by entry.
    pub fn num_parameters(&self) -> usize {
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
            .map(|each| Covered::new(self.num_examples(), each));
        Coverage::new(covered.collect(), self.left_out.clone())
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
    /// [`GradError::Example`] for an index out of range.
    pub fn choose(&self, examples: &[usize]) -> Result<Self, GradError> {
        let n = self.num_examples();
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
                let filled = |draw| of(draw).unwrap_or_else(|| form.zeros(draw.num_examples()));
                Factor::concat(draws.iter().map(filled).collect())
            });
        }
        let zeros: Vec<_> = draws.iter().map(|draw| draw.zeros.clone()).collect();
        let wide = widest_of(&zeros).unwrap_or(DType::F32);
        all.zeros = Tensor::cat(zeros.into_iter().map(|each| each.cast(wide)).collect(), 0);
        Ok(all)
    }

    /// The matrix G `[n, p]` itself: memory n·p, for tests and small models. Parameters stand in
    /// the order of [`paths`](Self::paths), each flattened in row-major order.
    pub fn rows(&self) -> Tensor<2> {
        let n = self.num_examples();
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
    pub(super) fn nothing<const D: usize>(&self, shape: [usize; D]) -> Tensor<D> {
        Tensor::zeros(shape, (&self.device(), self.precision()))
    }

    pub(super) fn same_parameters(
        &self,
        operation: &'static str,
        other: &Self,
    ) -> Result<(), GradError> {
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
