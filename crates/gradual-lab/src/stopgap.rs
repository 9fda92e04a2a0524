//! Stands in for the registries of the crates below until they have them.
#![allow(missing_docs, unreachable_pub)]
use burn::optim::{AdamConfig, ModuleOptimizer};
use gradual::grad::{Metric, Part, Whitening};
use gradual::group::*;
use gradual::loss::*;
use gradual::train::{Curriculum, Mixture, Sampler, Stratified, TaskMixture};
use gradual_registry::{Arguments, BuildError, Entry, Parameter, Registry, Value};

#[derive(Debug, Clone)]
pub struct GroupingContext {
    pub num_groups: usize,
    pub seed: u64,
    pub metric: Option<Metric>,
}
type G = Box<dyn Grouping>;
struct B(G);
impl Grouping for B {
    fn needs(&self) -> Needs {
        self.0.needs()
    }
    fn check(&self, n: usize) -> Result<(), GroupError> {
        self.0.check(n)
    }
    fn wants(&self) -> Option<Standing> {
        self.0.wants()
    }
    fn stand(&mut self, d: &Draw<'_>) -> Result<(), GroupError> {
        self.0.stand(d)
    }
    fn group(&mut self, d: &Draw<'_>) -> Result<Groups, GroupError> {
        self.0.group(d)
    }
    fn group_ahead(&mut self, d: &Draw<'_>) -> Result<Groups, GroupError> {
        self.0.group_ahead(d)
    }
    fn state(&self) -> Result<State, GroupError> {
        self.0.state()
    }
    fn restore(&mut self, s: &State, d: &burn::tensor::Device) -> Result<(), GroupError> {
        self.0.restore(s, d)
    }
}
struct BC(Box<dyn Composition>);
impl Composition for BC {
    fn value(&self, l: burn::tensor::Tensor<1>, g: &Groups) -> burn::tensor::Tensor<1> {
        self.0.value(l, g)
    }
    fn value_of_draw(
        &self,
        l: burn::tensor::Tensor<1>,
        g: &Groups,
        f: f64,
    ) -> burn::tensor::Tensor<1> {
        self.0.value_of_draw(l, g, f)
    }
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn least(&self, g: &Groups) -> Option<f64> {
        self.0.least(g)
    }
    fn takes_signed(&self) -> bool {
        self.0.takes_signed()
    }
    fn check(&self, g: &Groups) -> Result<(), LossError> {
        self.0.check(g)
    }
    fn observe_draw(&mut self, l: &burn::tensor::Tensor<1>, g: &Groups) -> Result<(), LossError> {
        self.0.observe_draw(l, g)
    }
    fn keeps_state(&self) -> bool {
        self.0.keeps_state()
    }
    fn observe(&mut self, l: &[f64], w: &[f64]) -> Result<(), LossError> {
        self.0.observe(l, w)
    }
    fn state(&self) -> Vec<f64> {
        self.0.state()
    }
    fn restore(&mut self, s: &[f64]) -> Result<(), LossError> {
        self.0.restore(s)
    }
}
struct BR(Box<dyn GramComposition>);
impl GramComposition for BR {
    fn weights(&mut self, g: &GroupGram) -> Result<Vec<f64>, LossError> {
        self.0.weights(g)
    }
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn state(&self) -> Vec<f64> {
        self.0.state()
    }
    fn restore(&mut self, s: &[f64]) -> Result<(), LossError> {
        self.0.restore(s)
    }
}
pub fn objective(g: G, c: Box<dyn Composition>) -> gradual::train::Objective {
    gradual::train::Objective::new(B(g), BC(c))
}
pub fn on_gradients(g: G, c: Box<dyn GramComposition>) -> gradual::train::Objective {
    gradual::train::Objective::on_gradients(B(g), BR(c))
}
fn k(a: &Arguments, c: &GroupingContext) -> Result<HowMany, BuildError> {
    Ok(match a.value("k")? {
        Value::Count(k) => HowMany::Fixed(*k as usize),
        Value::Word(w) if w == "known" => HowMany::Fixed(c.num_groups),
        _ => HowMany::Eigengap,
    })
}
fn inm(c: &GroupingContext, g: impl Grouping + 'static) -> G {
    match &c.metric {
        Some(m) => Box::new(InMetric::new(m.clone(), g)),
        None => Box::new(g),
    }
}
const K: Parameter = Parameter::count("k", "number of groups", 1)
    .at_least(1.0)
    .or_words(&["known", "eigengap"])
    .word_by_default("known");
const E: Parameter = K.word_by_default("eigengap");
macro_rules! g {
    ($id:ident, $name:literal, $p:expr, $f:expr) => {
        static $id: Entry<GroupingContext, G> = Entry {
            name: $name,
            about: "…",
            parameters: $p,
            build: $f,
        };
    };
}
g!(ONE, "one-group", &[], |_, _| Ok(Box::new(OneGroup)));
g!(EACH, "each-example", &[], |_, _| Ok(Box::new(EachExample)));
g!(LABELS, "labels", &[], |_, c| Ok(Box::new(Labels::new(
    c.num_groups
))));
g!(
    NOISY,
    "noisy-labels",
    &[Parameter::number("share", "share of random labels", 0.3)
        .at_least(0.0)
        .at_most(1.0)],
    |a, c| Ok(Box::new(NoisyLabels::new(
        c.num_groups,
        a.number("share")?,
        c.seed
    )?))
);
g!(RANDOM, "random", &[K], |_, c| Ok(Box::new(
    RandomGroups::new(c.num_groups, c.seed)
)));
g!(KMEANS, "kmeans", &[K], |a, c| Ok(inm(
    &c,
    KMeans::new(k(a, &c)?, c.seed)
)));
g!(SPHERICAL, "spherical", &[K], |a, c| Ok(inm(
    &c,
    SphericalKMeans::new(k(a, &c)?, c.seed)
)));
g!(
    SPECTRAL,
    "spectral",
    &[K, Parameter::count("restarts", "runs", 10).at_least(1.0)],
    |a, c| Ok(inm(
        &c,
        Spectral::new(k(a, &c)?, c.seed).with_restarts(a.count("restarts")?)
    ))
);
g!(
    SVD,
    "singular-vectors",
    &[
        Parameter::choice("membership", "which", &["signed", "absolute", "squared"]),
        Parameter::count("power", "q", 2)
    ],
    |a, c| {
        let s = match a.word("membership")? {
            "squared" => SingularVectors::squared(),
            _ => SingularVectors::default(),
        };
        Ok(inm(&c, s))
    }
);
g!(
    LANDMARKS,
    "landmarks",
    &[
        E,
        Parameter::count("examples", "standing", 0),
        Parameter::count("every", "draws", 0)
    ],
    |a, c| {
        let mut l = Landmarks::new(
            k(a, &c)?,
            c.metric.clone().unwrap_or_else(Metric::euclidean),
            c.seed,
        );
        if a.count("examples")? > 0 {
            l = l.with_examples(a.count("examples")?)
        }
        if a.count("every")? > 0 {
            l = l.with_every(a.count("every")?)
        }
        Ok(Box::new(l))
    }
);
g!(
    CENTROIDS,
    "centroids",
    &[
        E,
        Parameter::choice("clusters", "how", &["kmeans", "spectral"]),
        Parameter::count("examples", "standing", 0),
        Parameter::count("every", "draws", 0)
    ],
    |a, c| {
        let mut l = Centroids::new(
            k(a, &c)?,
            c.metric.clone().unwrap_or_else(Metric::euclidean),
            c.seed,
        );
        if a.word("clusters")? == "spectral" {
            l = l.spectral()
        }
        if a.count("examples")? > 0 {
            l = l.with_examples(a.count("examples")?)
        }
        if a.count("every")? > 0 {
            l = l.with_every(a.count("every")?)
        }
        Ok(Box::new(l))
    }
);
pub static GROUPINGS: Registry<GroupingContext, G> = Registry::new(
    "grouping",
    &[
        &ONE, &EACH, &LABELS, &NOISY, &RANDOM, &KMEANS, &SPHERICAL, &SPECTRAL, &SVD, &LANDMARKS,
        &CENTROIDS,
    ],
);
static DAMPED: Entry<(GroupingContext, G), G> = Entry {
    name: "damped",
    about: "…",
    parameters: &[],
    build: |_, (_, g)| Ok(Box::new(Damped::new(B(g)))),
};
static AFTER: Entry<(GroupingContext, G), G> = Entry {
    name: "after",
    about: "…",
    parameters: &[Parameter::count("draws", "draws", 100)],
    build: |a, (_, g)| Ok(Box::new(After::new(a.count("draws")? as u64, B(g)))),
};
pub static WRAPPERS: Registry<(GroupingContext, G), G> =
    Registry::new("wrapper", &[&DAMPED, &AFTER]);

macro_rules! c {
    ($id:ident, $name:literal, $p:expr, $f:expr) => {
        static $id: Entry<(), Box<dyn Composition>> = Entry {
            name: $name,
            about: "…",
            parameters: $p,
            build: $f,
        };
    };
}
c!(MEAN, "mean", &[], |_, ()| Ok(Box::new(Mean)));
c!(SQUARES, "squares", &[], |_, ()| Ok(Box::new(SumOfSquares)));
c!(
    POWER,
    "power",
    &[Parameter::number("p", "power", 2.0).at_least(1.0)],
    |a, ()| Ok(Box::new(PowerMean::new(a.number("p")?)?))
);
c!(
    DRO,
    "dro",
    &[Parameter::number("eta", "rate", 0.1)],
    |a, ()| Ok(Box::new(GroupDro::new(a.number("eta")?)?))
);
c!(
    CVAR,
    "cvar",
    &[Parameter::number("alpha", "share", 0.5)],
    |a, ()| Ok(Box::new(Cvar::new(a.number("alpha")?)?))
);
c!(
    TILTED,
    "tilted",
    &[Parameter::number("t", "tilt", 5.0)],
    |a, ()| Ok(Box::new(Tilted::new(a.number("t")?)?))
);
c!(
    FOCAL,
    "focal",
    &[Parameter::number("gamma", "γ", 2.0)],
    |a, ()| Ok(Box::new(Focal::new(a.number("gamma")?)?))
);
pub static COMPOSITIONS: Registry<(), Box<dyn Composition>> = Registry::new(
    "composition",
    &[&MEAN, &SQUARES, &POWER, &DRO, &CVAR, &TILTED, &FOCAL],
);
#[derive(Debug, Clone)]
pub struct RuleContext {
    pub seed: u64,
}
macro_rules! r {
    ($id:ident, $name:literal, $f:expr) => {
        static $id: Entry<RuleContext, Box<dyn GramComposition>> = Entry {
            name: $name,
            about: "…",
            parameters: &[],
            build: $f,
        };
    };
}
r!(PCGRAD, "pcgrad", |_, c| Ok(Box::new(PcGrad::new(c.seed))));
r!(MGDA, "mgda", |_, _| Ok(Box::new(Mgda)));
r!(UPGRAD, "upgrad", |_, _| Ok(Box::new(UpGrad)));
pub static RULES: Registry<RuleContext, Box<dyn GramComposition>> =
    Registry::new("gradient rule", &[&PCGRAD, &MGDA, &UPGRAD]);
static USUAL: Entry<(), Option<Scale>> = Entry {
    name: "usual",
    about: "…",
    parameters: &[],
    build: |_, ()| Ok(None),
};
static MATCH: Entry<(), Option<Scale>> = Entry {
    name: "match-norm",
    about: "…",
    parameters: &[],
    build: |_, ()| Ok(Some(Scale::MatchNorm)),
};
pub static SCALES: Registry<(), Option<Scale>> = Registry::new("scale", &[&USUAL, &MATCH]);

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
    parameters: &[],
    build: |_, _| Ok(Box::new(TaskMixture)),
};
static BALANCED: S = Entry {
    name: "balanced",
    about: "…",
    parameters: &[],
    build: |_, c| Ok(Box::new(balanced(&c)?)),
};
static CURRICULUM: S = Entry {
    name: "curriculum",
    about: "…",
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
    parameters: &[],
    build: |_, ()| Ok(AdamConfig::new().with_epsilon(1e-8).init()),
};
pub static OPTIMIZERS: Registry<(), ModuleOptimizer> = Registry::new("optimizer", &[&ADAM]);
