//! The gradients of one parameter.

use std::borrow::Cow;

use burn::module::ParamId;

use super::factor::Factor;
use crate::parameters::Parameter;

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
    pub(super) fn sum(&mut self) {
        let uses = std::mem::take(&mut self.summands);
        self.factor = Factor::merge(self.factor.take().into_iter().chain(uses).collect());
    }

    /// The factor in the precision that it is computed in.
    pub(crate) fn wide(&self) -> Option<Factor> {
        self.factor.as_ref().map(Factor::wide)
    }

    pub(super) fn size(&self) -> usize {
        self.parameter.shape.iter().product()
    }
}
