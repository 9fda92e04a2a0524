//! Stands in for the registries of the crates below until they have them.
#![allow(missing_docs, unreachable_pub)]
use burn::optim::{AdamConfig, ModuleOptimizer};
use gradual::grad::{Metric, Part, Whitening};
use gradual::train::{Curriculum, Mixture, Sampler, Stratified, TaskMixture};
use gradual_registry::{Arguments, BuildError, Entry, Parameter, Registry};

fn part(a: &Arguments) -> Result<Part, BuildError> {
    Ok(match a.word("part")? {
        "inputs" => Part::Inputs,
        "output-gradients" => Part::OutputGradients,
        _ => Part::Gradients,
    })
}
const PART: Parameter = Parameter::choice(
    "part",
    "what is compared",
    &["gradients", "inputs", "output-gradients"],
);
fn globs(g: &[String]) -> Vec<&str> {
    g.iter().map(String::as_str).collect()
}
static EUCLIDEAN: Entry<Vec<String>, Metric> = Entry {
    name: "euclidean",
    about: "…",
    facts: &[],
    parameters: &[PART],
    build: |a, g| {
        Ok(Metric::euclidean()
            .with_part(part(a)?)
            .with_layers(&globs(&g))?)
    },
};
static WHITENED: Entry<Vec<String>, Metric> = Entry {
    name: "whitened",
    about: "…",
    facts: &[],
    parameters: &[PART],
    build: |a, g| {
        Ok(Metric::whitened()
            .with_part(part(a)?)
            .with_layers(&globs(&g))?)
    },
};
static KRONECKER: Entry<Vec<String>, Metric> = Entry {
    name: "kronecker",
    about: "…",
    facts: &[],
    parameters: &[PART, Parameter::number("damping", "d", 0.1)],
    build: |a, g| {
        Ok(Metric::whitened()
            .with_whitening(Whitening::Kronecker {
                damping: a.number("damping")?,
            })
            .with_part(part(a)?)
            .with_layers(&globs(&g))?)
    },
};
pub static METRICS: Registry<Vec<String>, Metric> =
    Registry::new("metric", &[&EUCLIDEAN, &WHITENED, &KRONECKER]);

#[derive(Debug, Clone)]
pub struct SamplerContext {
    pub frequencies: Vec<f64>,
    pub steps: u64,
}
fn balanced(c: &SamplerContext) -> Result<Mixture, BuildError> {
    let equal: Vec<f64> = c
        .frequencies
        .iter()
        .map(|&f| f64::from(u8::from(f > 0.0)))
        .collect();
    Ok(Mixture::new(&equal)?)
}
type S = Entry<SamplerContext, Box<dyn Sampler>>;
static TASK: S = Entry {
    name: "task",
    about: "…",
    facts: &[],
    parameters: &[],
    build: |_, _| Ok(Box::new(TaskMixture)),
};
static BALANCED: S = Entry {
    name: "balanced",
    about: "…",
    facts: &[],
    parameters: &[],
    build: |_, c| Ok(Box::new(balanced(&c)?)),
};
static CURRICULUM: S = Entry {
    name: "curriculum",
    about: "…",
    facts: &[],
    parameters: &[Parameter::number("until", "share of the steps", 0.5)],
    build: |a, c| {
        let until = (c.steps as f64 * a.number("until")?) as u64;
        let phases = vec![
            (1, balanced(&c)?),
            (until + 1, Mixture::new(&c.frequencies)?),
        ];
        Ok(Box::new(Curriculum::new(phases)?.linear()))
    },
};
static STRATIFIED: S = Entry {
    name: "stratified",
    about: "…",
    facts: &[],
    parameters: &[],
    build: |_, c| {
        let trained: Vec<usize> = (0..c.frequencies.len())
            .filter(|&at| c.frequencies[at] > 0.0)
            .collect();
        let all = trained.len();
        Ok(Box::new(Stratified::new(trained, all)?))
    },
};
pub static SAMPLERS: Registry<SamplerContext, Box<dyn Sampler>> =
    Registry::new("sampler", &[&TASK, &BALANCED, &CURRICULUM, &STRATIFIED]);
static ADAM: Entry<(), ModuleOptimizer> = Entry {
    name: "adam",
    about: "…",
    facts: &[],
    parameters: &[],
    build: |_, ()| Ok(AdamConfig::new().with_epsilon(1e-8).init()),
};
pub static OPTIMIZERS: Registry<(), ModuleOptimizer> = Registry::new("optimizer", &[&ADAM]);
