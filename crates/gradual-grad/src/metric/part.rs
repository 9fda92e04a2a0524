//! Sides of a layer.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::gradients::factor::Factor;
use crate::gradients::factor::lookups::Lookups;
use crate::gradients::factor::outer::{Inputs, Outer};

/// Which side of a layer is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Part {
    /// The gradients: inputs times output-gradients.
    #[default]
    Gradients,
    /// The inputs alone, summed over positions. The control for what gradients add to them. Layers
    /// without inputs (biases, norms) are left out, weights tied to their transpose too.
    Inputs,
    /// The output-gradients alone, summed over positions.
    OutputGradients,
}

impl Factor {
    /// One side of the layer, summed over positions; none where there is no such side.
    pub(super) fn part(self, part: Part) -> Option<Self> {
        match (part, self) {
            (Part::Gradients, factor) => Some(factor),
            (_, Self::Outer(outer)) => Some(Self::sum(outer.side(part)?)),
            (Part::Inputs, Self::Scatter(lookups)) => Some(Self::Scatter(ones(&lookups))),
            (_, Self::Scatter(lookups)) => Some(Self::sum(lookups.deltas)),
            (_, Self::Tied(tied)) => {
                // The look-ups have their inputs left.
                let side = match tied.inputs() {
                    Inputs::Left => Self::sum(tied.outer.side(part)?),
                    _ => return None,
                };
                let looked = match part {
                    Part::Inputs => Self::Rows(Self::Scatter(ones(&tied.lookups)).rows()),
                    _ => Self::sum(tied.lookups.deltas),
                };
                Self::merge(vec![looked, side])
            }
            (_, Self::Stack(parts)) => {
                let parts: Option<Vec<_>> = parts.into_iter().map(|each| each.part(part)).collect();
                parts.map(Self::Stack)
            }
            (Part::Inputs, Self::Rows(_)) => None,
            (_, rows @ Self::Rows(_)) => Some(rows),
        }
    }
}

impl Outer {
    /// One side of the layer; none where sides are mixed.
    fn side(self, part: Part) -> Option<Tensor<3>> {
        match (part, self.inputs) {
            (_, Inputs::Mixed) => None,
            (Part::Inputs, Inputs::Left) | (Part::OutputGradients, Inputs::Right) => {
                Some(self.left)
            }
            _ => Some(self.right),
        }
    }
}

/// The one-hot inputs of look-ups, as look-ups of ones.
fn ones(lookups: &Lookups) -> Lookups {
    let [n, t, _] = lookups.deltas.dims();
    let like = (&lookups.deltas.device(), lookups.deltas.dtype());
    lookups.with_deltas(Tensor::ones([n, t, 1], like))
}
