//! Groups of gradients that were planted: everything in the registries of `gradual-group`.

use anyhow::ensure;
use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Device;
use gradual::grad::{Metric, Tap, Traced, trace};
use gradual::group::registry::{GROUPINGS, GroupingContext, WRAPPERS};
use gradual::group::{Draw, GroupError, Grouping};
use gradual::loss::{Composition, SumOfSquares};
use gradual_registry::Spec;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::numbers::{Numbers, host, tensor};
use crate::settings::specs;

/// What the suite sets in the place of defaults: groups as large as the planted ones, standing examples and sketches as
/// small as its draws, and every way of reading singular vectors.
const SETTINGS: [&str; 14] = [
    "merged-labels(k = 2)",
    "noisy-labels(share = 0.3)",
    "hdbscan(least_size = 4)",
    "singular-vectors",
    "singular-vectors(membership = absolute)",
    "singular-vectors(membership = squared)",
    "singular-vectors(membership = squared, leading = 4)",
    "singular-vectors(membership = squared, sketch = 64)",
    "landmarks(k = known, examples = 40)",
    "centroids(k = known, examples = 40, sketch = 64)",
    "centroids(k = known, examples = 40, sketch = 64, every = 2)",
    "diffusion(examples = 40, neighbours = 6)",
    "diffusion(examples = draw, neighbours = 6, time = 3)",
    "sparse-atoms(examples = 40)",
];
const WRAPPER_SETTINGS: [&str; 2] = ["priors(weights = [1, 2, 3, 4])", "after(draws = 1)"];
/// What is put into wrappers.
const WRAPPED: &str = "kmeans";
/// What is computed in a whitened metric as well; the metrics themselves are in the part `gram`.
const WHITENED: [&str; 2] = ["spectral", "landmarks(k = known, examples = 40)"];

pub(crate) const GROUPS: usize = 4;
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

/// Every grouping, and every wrapper around one, by name; for so many known groups.
pub(crate) fn all(num_groups: usize) -> anyhow::Result<Vec<(String, Box<dyn Grouping>)>> {
    let context = |metric| GroupingContext {
        num_groups,
        seed: 0,
        metric,
    };
    let mut all = Vec::new();
    for spec in specs(&GROUPINGS, &SETTINGS)? {
        all.push((spec.to_string(), GROUPINGS.build(&spec, context(None))?));
    }
    for text in WHITENED {
        let spec: Spec = text.parse()?;
        let whitened = context(Some(Metric::whitened()));
        all.push((
            format!("{spec}, whitened"),
            GROUPINGS.build(&spec, whitened)?,
        ));
    }
    for spec in specs(&WRAPPERS, &WRAPPER_SETTINGS)? {
        let inner = GROUPINGS.build(&WRAPPED.parse()?, context(None))?;
        let wrapped = WRAPPERS.build(&spec, (context(None), inner))?;
        all.push((format!("{spec} of {WRAPPED}"), wrapped));
    }
    Ok(all)
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
    let labels: Vec<Option<usize>> = (0..EXAMPLES).map(|at| Some(at % GROUPS)).collect();
    fn shown<'a>(traced: &'a Traced, labels: &'a [Option<usize>]) -> Draw<'a> {
        Draw::from(traced).with_labels(labels)
    }

    let mut numbers = Numbers::new();
    for (name, mut grouping) in all(GROUPS)? {
        while grouping.wants().is_some() {
            grouping.stand(&shown(&draws[0], &labels))?;
        }
        // Twice, so that what one draw teaches shows in the next.
        for (at, traced) in draws.iter().enumerate() {
            let groups = grouping.group(&shown(traced, &labels))?;
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
        if grouping.needs().gradients() {
            let named = match grouping.group(&shown(&broken, &labels)) {
                Err(GroupError::NotFinite { example, .. }) => example == BROKEN,
                // A metric names the parameter.
                Err(GroupError::Gradients { .. }) => true,
                _ => false,
            };
            // On the reference, too.
            ensure!(named, "{name} accepts a gradient that is not finite");
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
