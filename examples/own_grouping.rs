//! A grouping of one's own, which uses gradients, labels and state.
//!
//! Run it by `cargo run --release --example own_grouping -p gradual-group`.
//!
//! It splits each known group in two: examples with a gradient longer than the mean of their label so far, which the
//! model finds hard, and all others. A loss over these groups then pulls hard examples as much as easy ones, however
//! few of them there are.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use gradual_grad::host::read;
use gradual_grad::{Tap, trace};
use gradual_group::{Average, Draw, GroupError, Grouping, Groups, Needs, State};

/// Its name in messages and states.
const OPERATION: &str = "hard and easy";

/// Two groups for each label: label l is group 2l where the gradient is long, and 2l + 1 where it is not.
#[derive(Debug, Clone)]
pub struct HardAndEasy {
    /// For each label the sum of the norms seen so far, and their number.
    norms: Vec<(f64, u64)>,
}

impl HardAndEasy {
    /// For labels `0..labels`.
    pub fn new(labels: usize) -> Self {
        Self {
            norms: vec![(0.0, 0); labels],
        }
    }
}

impl Grouping for HardAndEasy {
    /// A step takes per-example gradients only for groupings that say so.
    fn needs(&self) -> Needs {
        Needs::GradientsAndLabels
    }

    /// Asked before a run starts.
    fn check(&self, _: usize) -> Result<(), GroupError> {
        match self.norms.is_empty() {
            true => Err(GroupError::NoGroups {
                operation: OPERATION,
            }),
            false => Ok(()),
        }
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.check(draw.num_examples())?;
        // Both say themselves what is wrong with a draw that lacks them.
        let gradients = draw.gradients(OPERATION)?;
        let labels = draw.labels(OPERATION)?;
        let norms: Vec<f64> =
            read(gradients.norms()).map_err(|problem| GroupError::other(OPERATION, problem))?;
        // Nothing is learned from a draw that is refused: the change is made to a copy.
        let mut seen = self.norms.clone();
        for (example, (norm, label)) in norms.iter().zip(labels).enumerate() {
            let Some(label) = *label else { continue };
            if !norm.is_finite() {
                return Err(GroupError::NotFinite {
                    operation: OPERATION,
                    example,
                });
            }
            let Some((sum, count)) = seen.get_mut(label) else {
                return Err(GroupError::LabelRange {
                    operation: OPERATION,
                    example,
                    label,
                    groups: self.norms.len(),
                });
            };
            *sum += norm;
            *count += 1;
        }
        let of = |(norm, label): (&f64, &Option<usize>)| {
            let label = (*label)?;
            let (sum, count) = seen[label];
            Some(2 * label + usize::from(*norm <= sum / count as f64))
        };
        let assignment = norms.iter().zip(labels).map(of).collect();
        let groups = Groups::hard(assignment, 2 * seen.len(), Average::Mean, draw.options())?;
        self.norms = seen;
        Ok(groups)
    }

    /// What a run that is resumed needs to go on as if it had never stopped.
    fn state(&self) -> Result<State, GroupError> {
        State::new(OPERATION, &self.norms)
    }

    fn restore(&mut self, state: &State, _: &Device) -> Result<(), GroupError> {
        let norms: Vec<(f64, u64)> = state.read(OPERATION)?;
        if norms.len() != self.norms.len() {
            let problem = format!("expected {} labels, got {}", self.norms.len(), norms.len());
            return Err(GroupError::other(OPERATION, problem));
        }
        self.norms = norms;
        Ok(())
    }
}

/// A model with one loss for each example.
#[derive(Module, Debug)]
struct Model {
    layer: Linear,
}

impl Model {
    fn losses(&self, x: &Tensor<2>, y: &Tensor<2>) -> Tensor<1> {
        let off = self.layer.tap(x.clone()) - y.clone();
        off.powi_scalar(2).sum_dim(1).squeeze_dim(1)
    }
}

/// Groups one draw.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let model = Model {
        layer: LinearConfig::new(2, 1).init(&device),
    };
    let x = Tensor::from_floats([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]], &device);
    let y = Tensor::from_floats([[0.0], [9.0], [0.0], [9.0]], &device);
    let labels = [Some(0), Some(0), Some(1), Some(1)];

    let traced = trace(&model, |m| m.losses(&x, &y))?;
    let draw = Draw::from(&traced).with_labels(&labels);
    let mut grouping = HardAndEasy::new(2);
    let groups = grouping.group(&draw)?;
    println!("groups of the examples: {:?}", groups.assignment());
    println!("group losses: {}", groups.losses(traced.losses.clone()));
    Ok(())
}
