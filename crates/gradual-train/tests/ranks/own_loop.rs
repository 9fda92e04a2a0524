//! A loop of one's own over any number of ranks: losses, groups, coefficients and weights of every step.

use burn::module::Module as _;
use burn::optim::{ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor};
use gradual_train::{
    Drawn, LabelSet, Objective, Ranks, Stepper, Task as _, TrainError, step_in_parts,
};

use crate::close::near_to;
use crate::common::products::{Products, stream, weights};

pub(crate) const PARTS: usize = 4;
const PART: usize = 8;
pub(crate) const STEPS: usize = 200;

type Batch = (Tensor<2>, Tensor<1>);

/// What every step came to.
#[derive(Default, PartialEq, Debug)]
pub(crate) struct Steps {
    pub(crate) losses: Vec<Vec<f32>>,
    pub(crate) coefficients: Vec<Vec<f32>>,
    /// None where groups are soft.
    pub(crate) groups: Vec<Option<Vec<Option<usize>>>>,
    pub(crate) weights: Vec<Vec<f32>>,
}

impl Steps {
    /// The first step in which another run differs by more than a share, and in what.
    pub(crate) fn difference(&self, share: f32, other: &Self) -> Option<String> {
        let near = |one: &[f32], other: &[f32]| near_to(share, one, other);
        (0..STEPS).find_map(|step| {
            let what = match () {
                () if !near(&self.losses[step], &other.losses[step]) => "losses",
                () if self.groups[step] != other.groups[step] => "groups",
                () if !near(&self.coefficients[step], &other.coefficients[step]) => "coefficients",
                () if !near(&self.weights[step], &other.weights[step]) => "weights",
                () => return None,
            };
            Some(format!("{what} of step {}", step + 1))
        })
    }
}

/// Steps on one rank, without any other.
pub(crate) fn alone(objective: Objective) -> Steps {
    steps(None, objective).unwrap()
}

/// The same on this rank among others.
pub(crate) fn together(ranks: &Ranks, objective: Objective) -> Result<Steps, TrainError> {
    steps(Some(ranks), objective)
}

fn steps(ranks: Option<&Ranks>, mut objective: Objective) -> Result<Steps, TrainError> {
    let device = Device::flex();
    let task = Products::new(0.0);
    let model = task.model(&mut stream(3, 0), &device.clone().autodiff());
    let mut model = match ranks {
        Some(ranks) => ranks.start(model)?,
        None => model,
    };
    let mut optimizer: ModuleOptimizer = SgdConfig::new().init();
    let (mut draws, mut others) = (stream(3, 1), stream(3, 2));
    let mut standing: Option<Drawn<Batch>> = None;
    let mut steps = Steps::default();
    for _ in 0..STEPS {
        while let Some(wish) = objective.wants() {
            if let gradual_group::Standing::Fresh(n) = wish {
                standing = Some(task.draw(n, &mut others, &device)?);
            }
            let batch = &standing.as_ref().unwrap().batch;
            let losses = |m: &_| task.losses(m, batch);
            match ranks {
                Some(ranks) => ranks.stand(Stepper::default(), &model, &mut objective, losses)?,
                None => gradual_train::stand(&model, &mut objective, losses)?,
            }
        }
        let drawn: Vec<_> = (0..PARTS)
            .map(|_| task.draw(PART, &mut draws, &device))
            .collect::<Result<_, _>>()?;
        let labels: Vec<_> = drawn.iter().flat_map(|part| part.labels.clone()).collect();
        let losses = |m: &_, part: &Drawn<Batch>| task.losses(m, &part.batch);
        let stepped = match ranks {
            Some(ranks) => {
                let own = &drawn[ranks.share(PARTS)?];
                let labels = LabelSet::new(&labels);
                ranks.step(
                    Stepper::default(),
                    &model,
                    &mut objective,
                    labels,
                    own,
                    losses,
                )?
            }
            None => step_in_parts(&model, &mut objective, Some(&labels), &drawn, losses)?,
        };
        steps.losses.push(stepped.losses);
        steps.coefficients.push(stepped.coefficients);
        let groups = stepped.groups.assignment();
        steps.groups.push(groups.map(<[_]>::to_vec));
        model = optimizer.step(0.01, model, stepped.update);
        steps.weights.push(weights(&model.valid()));
    }
    Ok(steps)
}
