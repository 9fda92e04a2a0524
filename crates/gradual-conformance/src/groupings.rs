//! Groups of gradients that were planted.

use anyhow::ensure;
use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Device;
use gradual::grad::{Metric, Tap, Traced, trace};
use gradual::group::{
    Centroids, Draw, EachExample, GroupError, Grouping, Hdbscan, InMetric, KMeans, Landmarks,
    Needs, OneGroup, RandomGroups, SingularVectors, Spectral, SphericalKMeans, Tracked,
};
use gradual::loss::{Composition, SumOfSquares};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::numbers::Numbers;
use crate::numbers::{host, tensor};

const GROUPS: usize = 4;
const EXAMPLES: usize = 40;
/// Entries of a gradient.
const WIDTH: usize = 16;
/// The example whose gradient is no number, where there is one.
const BROKEN: usize = 5;

/// A layer whose loss for example j is x_j·w, so that its gradient is x_j itself.
#[derive(Module, Debug)]
struct Itself {
    layer: Linear,
}

/// Gradients that lie along one of [`GROUPS`] axes each, with lengths of their own and noise.
fn planted(seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = Vec::new();
    for example in 0..EXAMPLES {
        // No two axes equally long, so that singular vectors are determined.
        let length = 1.0 + 0.5 * (example % GROUPS) as f32 + random.random_range(0.0..0.2);
        rows.extend((0..WIDTH).map(|at| {
            let along = if at == example % GROUPS { length } else { 0.0 };
            along + random.random_range(-0.05..0.05)
        }));
    }
    rows
}

/// A draw with these gradients.
fn draw(model: &Itself, rows: Vec<f32>, device: &Device) -> anyhow::Result<Traced> {
    let losses = (0..EXAMPLES).map(|example| 0.1 + 0.3 * (example % 7) as f32);
    let losses = tensor(losses.collect(), [EXAMPLES], device);
    let inputs = tensor(rows, [EXAMPLES, WIDTH], device);
    Ok(trace(model, |m| {
        m.layer.tap(inputs).reshape([EXAMPLES]) + losses
    })?)
}

/// Of every grouping: which examples are together, its spectrum, and the coefficients that follow.
pub(crate) fn groupings(device: &Device) -> anyhow::Result<Numbers> {
    let mut layer = LinearConfig::new(WIDTH, 1)
        .with_bias(false)
        .init(&device.clone().autodiff());
    layer.weight = Param::from_tensor(layer.weight.val().zeros_like().inner().autodiff())
        .set_require_grad(true);
    let model = Itself { layer };
    let draws = [1, 2].map(|seed| draw(&model, planted(seed), device));
    let draws = draws.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let mut broken = planted(3);
    broken[BROKEN * WIDTH] = f32::NAN;
    let broken = draw(&model, broken, device)?;

    let whitened = Metric::whitened;
    let all: Vec<(&str, Box<dyn Grouping>)> = vec![
        ("one group", Box::new(OneGroup)),
        ("each example", Box::new(EachExample)),
        ("random", Box::new(RandomGroups::new(3, 0))),
        ("k-means", Box::new(KMeans::new(GROUPS, 0))),
        ("spherical", Box::new(SphericalKMeans::new(GROUPS, 0))),
        ("spectral", Box::new(Spectral::new(GROUPS, 0))),
        (
            "spectral, whitened",
            Box::new(InMetric::new(whitened(), Spectral::new(GROUPS, 0))),
        ),
        ("hdbscan", Box::new(Hdbscan::new(4)?)),
        ("singular vectors", Box::new(SingularVectors::default())),
        (
            "singular vectors, squared",
            Box::new(SingularVectors::squared()),
        ),
        (
            "singular vectors, leading",
            Box::new(SingularVectors::squared().with_leading(GROUPS)?),
        ),
        (
            "singular vectors, sketch",
            Box::new(SingularVectors::squared().with_sketch(64, 0)?),
        ),
        (
            "tracked k-means",
            Box::new(Tracked::new(KMeans::new(GROUPS, 0))),
        ),
        (
            "landmarks",
            Box::new(Landmarks::new(GROUPS, whitened(), 0).with_examples(EXAMPLES)?),
        ),
        (
            "centroids",
            Box::new(
                Centroids::new(GROUPS, Metric::euclidean(), 0)
                    .with_examples(EXAMPLES)?
                    .with_sketch(64, 0)?,
            ),
        ),
    ];
    let mut numbers = Numbers::new();
    for (name, mut grouping) in all {
        while grouping.wants().is_some() {
            grouping.stand(&Draw::from(&draws[0]))?;
        }
        // Twice, so that what one draw teaches shows in the next.
        for (at, traced) in draws.iter().enumerate() {
            let groups = grouping.group(&Draw::from(traced))?;
            let composed = SumOfSquares.compose(&traced.losses, &groups)?;
            let mut add =
                |what: &str, values| numbers.insert(format!("{name}, draw {at}: {what}"), values);
            add("coefficients", host(composed.coefficients)?);
            // Singular values are roots of what is computed, and small ones hold half of its digits.
            add(
                "squared spectrum",
                groups
                    .spectrum()
                    .iter()
                    .map(|value| value * value)
                    .collect(),
            );
            if let Some(assignment) = groups.assignment() {
                add("together", together(assignment));
            }
        }
        if grouping.needs() == Needs::Gradients {
            let named = match grouping.group(&Draw::from(&broken)) {
                Err(GroupError::NotFinite { example, .. }) => example == BROKEN,
                // A metric names the parameter.
                Err(GroupError::Gradients { .. }) => true,
                _ => false,
            };
            // On the reference, too.
            ensure!(named, "{name} takes what is no number");
        }
    }
    Ok(numbers)
}

/// The first example that each one is with: the same whatever groups are called. −1 for no group.
fn together(assignment: &[Option<usize>]) -> Vec<f64> {
    let first = |group: &Option<usize>| {
        let group = group.as_ref()?;
        assignment
            .iter()
            .position(|other| other.as_ref() == Some(group))
    };
    let firsts = assignment.iter().map(first);
    firsts
        .map(|first| first.map_or(-1.0, |at| at as f64))
        .collect()
}
