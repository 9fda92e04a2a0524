//! Two classes with a majority in several places, a minority on the other side, and outliers: the synthetic set on which
//! clustering of gradients was proposed.
//!
//! Zeng et al. (2022, arXiv 2210.06759, "GRASP") cluster the gradients of examples to find minority groups among outliers. On
//! this set inputs mislead: what lies close together belongs to different groups, and a majority lies in places far apart. The
//! places and the variance are those of the program that its authors published (`yzeng58/private_demographics`).

pub(crate) mod config;
#[cfg(test)]
mod tests;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::likelihood;
use crate::mlp::Mlp;
use crate::setting::SettingError;
use config::SubpopulationsConfig;

/// What messages call an evaluation.
const OPERATION: &str = "subpopulations: evaluation";
const CLASSES: usize = 2;
/// Subpopulations: the majorities of both classes, and then the minorities.
const GROUPS: usize = 2 * CLASSES;
/// Heights of the places of a majority, and of the one of a minority.
const MAJORITY: [f64; 4] = [5.0, 3.0, 2.0, 1.0];
const MINORITY: f64 = 4.0;

/// Two classes of points in the plane, each with a majority and a minority; each of the four is a capability.
///
/// The majority of class c lies around (c, 5), (c, 3), (c, 2) and (c, 1), its minority around (1 − c, 4), on the side of the
/// other class. Every place is a normal distribution with the standard deviation
/// [`deviation`](SubpopulationsConfig::deviation). Of the examples that are trained on, a share of
/// [`outliers`](SubpopulationsConfig::outliers) has the other class's label; they belong to no subpopulation, and none is held
/// out. The model is a perceptron with at most one hidden layer, without one logistic regression, which can learn the
/// majorities alone. The loss is the cross-entropy of the two classes, and chance is one half.
#[derive(Debug, Clone)]
pub struct Subpopulations {
    config: SubpopulationsConfig,
    capabilities: Vec<Capability>,
    held_out: Vec<Point>,
}

/// A point, the class that it is said to be of, and its subpopulation if it is no outlier.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    at: [f32; 2],
    class: usize,
    group: Option<usize>,
}

impl Subpopulations {
    /// The held-out points of one seed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a setting that makes no sense.
    pub fn new(config: &SubpopulationsConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let share = |group: usize| match group < CLASSES {
            true => 1.0 - config.minority,
            false => config.minority,
        };
        let capability = |group: usize| {
            let kind = if group < CLASSES {
                "majority"
            } else {
                "minority"
            };
            let name = format!("{kind} of class {}", group % CLASSES);
            Capability::new(name, 1.0 / CLASSES as f64, share(group) / CLASSES as f64)
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let each = (0..GROUPS).flat_map(|group| std::iter::repeat_n(group, config.held_out));
        Ok(Self {
            config: config.clone(),
            capabilities: (0..GROUPS).map(capability).collect(),
            held_out: each
                .map(|group| point(config, group, &mut random))
                .collect(),
        })
    }
}

/// A point of a subpopulation.
fn point(config: &SubpopulationsConfig, group: usize, random: &mut ChaCha8Rng) -> Point {
    let class = group % CLASSES;
    let (side, height) = match group < CLASSES {
        true => (class, MAJORITY[random.random_range(0..MAJORITY.len())]),
        false => (1 - class, MINORITY),
    };
    let mut around = |place: f64| {
        let off: f64 = StandardNormal.sample(random);
        (place + config.deviation * off) as f32
    };
    Point {
        at: [around(side as f64), around(height)],
        class,
        group: Some(group),
    }
}

fn batch(points: Vec<Point>, device: &Device) -> SubpopulationsBatch {
    let n = points.len();
    let at: Vec<f32> = points.iter().flat_map(|point| point.at).collect();
    let classes: Vec<i32> = points.iter().map(|point| point.class as i32).collect();
    SubpopulationsBatch {
        at: Tensor::from_data(TensorData::new(at, [n, 2]), device),
        classes: Tensor::from_data(TensorData::new(classes, [n]), device),
        points,
    }
}

fn drawn(points: Vec<Point>, device: &Device) -> Drawn<SubpopulationsBatch> {
    let labels = points.iter().map(|point| point.group).collect();
    Drawn::new(batch(points, device), labels)
}

/// One draw: points `[n, 2]`, and the class that each is said to be of `[n]`.
#[derive(Debug, Clone)]
pub struct SubpopulationsBatch {
    points: Vec<Point>,
    at: Tensor<2>,
    classes: Tensor<1, Int>,
}

impl Task for Subpopulations {
    type Model = Mlp;
    type Batch = SubpopulationsBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Mlp {
        match self.config.hidden {
            0 => Mlp::new(&[2, CLASSES], random, device),
            hidden => Mlp::new(&[2, hidden, CLASSES], random, device),
        }
    }

    /// Outliers have no label.
    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<SubpopulationsBatch>, TrainError> {
        let one = |_| {
            let minority = random.random_bool(self.config.minority);
            let class = random.random_range(0..CLASSES);
            let group = class + if minority { CLASSES } else { 0 };
            let mut point = point(&self.config, group, random);
            if random.random_bool(self.config.outliers) {
                point.class = 1 - point.class;
                point.group = None;
            }
            point
        };
        Ok(drawn((0..n).map(one).collect(), device))
    }

    /// Without outliers, which belong to no capability.
    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<SubpopulationsBatch>, TrainError> {
        let points = capabilities
            .iter()
            .map(|&group| point(&self.config, group, random));
        Ok(drawn(points.collect(), device))
    }

    /// Where it is, and its class: `(0.98, 4.03), class 0`.
    fn describe(&self, batch: &SubpopulationsBatch, example: usize) -> Option<String> {
        let Point {
            at: [x, y], class, ..
        } = batch.points.get(example)?;
        Some(format!("({x:.2}, {y:.2}), class {class}"))
    }

    fn losses(&self, model: &Mlp, batch: &SubpopulationsBatch) -> Tensor<1> {
        let logits = model.forward(batch.at.clone());
        likelihood::of_classes(logits, batch.classes.clone()).neg()
    }

    fn evaluate(&self, model: &Mlp, device: &Device) -> Result<Vec<Score>, TrainError> {
        let groups = self.held_out.chunks(self.config.held_out);
        let score = |points: &[Point]| {
            let batch = batch(points.to_vec(), device);
            likelihood::score(model.forward(batch.at), batch.classes, OPERATION)
        };
        groups.map(score).collect()
    }
}
