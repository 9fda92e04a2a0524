//! A draw of another program, from its files, and its groups.

mod outside;

use std::path::PathBuf;

use anyhow::bail;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use clap::Args;
use gradual::grad::ExampleGradients;
use gradual::group::registry::{GROUPINGS, GroupingContext, WRAPPERS};
use gradual::group::{Draw, GroupError, Grouping, Groups, Standing};
use gradual::runs::streams::tell;
use gradual_backends::backend::Backend;
use gradual_registry::{Spec, Value};

use crate::input::labels::Labels;
use crate::input::{gradients, gram, labels, losses};

/// The most examples whose Gram matrix is taken: it then has 4 · 10⁸ entries.
const MOST_EXAMPLES: usize = 20_000;
/// What looks at losses, so that these have to be given.
const BY_LOSS: [&str; 3] = ["difficulty", "mistakes", "damped"];
/// The parameter of groupings that keep examples: how many.
const STANDING: &str = "examples";

/// What is known of a draw, and the grouping.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Gram matrix of the per-example gradients, [n, n]: .npy, or the tensor `gram` of a .safetensors (FILE:NAME for
    /// another)
    #[arg(long, value_name = "FILE", conflicts_with = "gradients")]
    gram: Option<PathBuf>,
    /// Per-example gradients, [n, p]: .npy, or .safetensors, of which every tensor [n, …] is a parameter
    #[arg(long, value_name = "FILE")]
    gradients: Option<PathBuf>,
    /// Losses of the examples, [n]: .npy, .safetensors, or .csv with a column `loss`
    #[arg(long, value_name = "FILE")]
    losses: Option<PathBuf>,
    /// Labels of the examples, [n] whole numbers (below zero: none): .npy, .safetensors, or .csv with a column `label`
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The rule that yields groups, as `spectral` or `spectral(k = 8)`; `gradual --list` prints them all
    #[arg(long, value_name = "NAME(…)")]
    grouping: Spec,
    /// What is put around it, as `priors(weights = [1, 2])`; may be repeated, the innermost first
    #[arg(long, value_name = "NAME(…)")]
    wrapper: Vec<Spec>,
    /// Seed of the grouping's random numbers
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What the files hold.
pub(crate) struct Loaded {
    device: Device,
    gram: Option<Tensor<2>>,
    gradients: Option<ExampleGradients>,
    losses: Option<Tensor<1>>,
    pub(crate) labels: Option<Labels>,
    n: usize,
}

/// A draw that was grouped.
pub(crate) struct GroupedDraw {
    /// The rule with every parameter.
    pub(crate) grouping: Spec,
    pub(crate) wrappers: Vec<Spec>,
    pub(crate) groups: Groups,
}

impl Arguments {
    /// Reads the files, which have to be of the same examples.
    pub(crate) fn load(&self) -> anyhow::Result<Loaded> {
        let device = Backend::choose(None)?.device;
        let mut sizes: Vec<(String, usize)> = Vec::new();
        let mut size = |path: &PathBuf, n| sizes.push((path.display().to_string(), n));
        let gram = match &self.gram {
            None => None,
            Some(path) => {
                let array = gram::read(path)?;
                size(path, array.shape()[0]);
                Some(gram::in_range(path, array.tensor_on::<2>(&device))?)
            }
        };
        let gradients = match &self.gradients {
            None => None,
            Some(path) => {
                let rows = gradients::read(path, &device)?;
                size(path, rows.dims()[0]);
                Some(ExampleGradients::from_rows(rows))
            }
        };
        let losses = match &self.losses {
            None => None,
            Some(path) => {
                let array = losses::read(path)?;
                size(path, array.shape()[0]);
                Some(array.tensor_on::<1>(&device))
            }
        };
        let labels = match &self.labels {
            None => None,
            Some(path) => {
                let labels = labels::read(path)?;
                size(path, labels.of.len());
                Some(labels)
            }
        };
        let Some((first, n)) = sizes.first().cloned() else {
            bail!(
                "no file is given: give --gram or --gradients, or --losses and --labels for groupings that look at no gradients"
            );
        };
        if let Some((other, found)) = sizes.iter().find(|(_, size)| *size != n) {
            bail!("{other} is of {found} examples, and {first} of {n}: give files of one draw");
        }
        if n == 0 {
            bail!("{first}: holds no example");
        }
        Ok(Loaded {
            device,
            gram,
            gradients,
            losses,
            labels,
            n,
        })
    }

    /// Groups what was loaded.
    pub(crate) fn group(&self, loaded: &Loaded) -> anyhow::Result<GroupedDraw> {
        let (grouping, wrappers) = self.resolved(loaded)?;
        let context = GroupingContext {
            num_groups: loaded
                .labels
                .as_ref()
                .map_or(0, |labels| labels.names.len()),
            seed: self.seed,
            metric: None,
        };
        let mut rule = GROUPINGS.build(&grouping, context.clone())?;
        for wrapper in &wrappers {
            rule = WRAPPERS.build(wrapper, (context.clone(), rule))?;
        }
        if rule.needs().gradients() && loaded.n > MOST_EXAMPLES {
            bail!(
                "{} examples have a Gram matrix of {} entries; {MOST_EXAMPLES} examples are the most: group a sample of them",
                loaded.n,
                loaded.n * loaded.n
            );
        }
        rule.check(loaded.n).map_err(|error| match error {
            // Those that stand are the examples of the files.
            GroupError::TooFewStanding {
                operation,
                groups,
                examples,
            } => GroupError::TooManyGroups {
                operation,
                groups,
                examples,
            },
            other => other,
        })?;
        let losses = loaded.losses();
        let groups = grouped(&mut *rule, &loaded.draw(&losses)).map_err(explained)?;
        if let Some(note) = outside::note(loaded, &groups)? {
            tell(format_args!("note: {note}"));
        }
        Ok(GroupedDraw {
            grouping,
            wrappers,
            groups,
        })
    }

    /// The rule and its wrappers with every parameter, of which none may ask for a file that is not given.
    fn resolved(&self, loaded: &Loaded) -> anyhow::Result<(Spec, Vec<Spec>)> {
        let entry = GROUPINGS.find(&self.grouping.name)?;
        let mut asked = self.grouping.clone();
        let keeps = entry.parameters.iter().any(|one| one.name == STANDING);
        if keeps && !asked.parameters.contains_key(STANDING) {
            // The examples that groups are formed of are those of the files.
            asked = asked.with(STANDING, Value::Count(loaded.n as u64));
        }
        let grouping = GROUPINGS.resolve(&asked)?;
        let wrappers = self.wrapper.iter().map(|wrapper| WRAPPERS.resolve(wrapper));
        let wrappers = wrappers.collect::<Result<Vec<_>, _>>()?;
        let known = grouping.parameters.get("k") == Some(&Value::Word(String::from("known")));
        if known && loaded.labels.is_none() {
            bail!(
                "{}: the number of groups is that of the known ones, and there are no --labels: give {}(k = 8), or \
                 another number{}",
                grouping.name,
                grouping.name,
                match grouping.parameters.contains_key("at_most") {
                    true => ", or a rule that finds it (k = eigengap)",
                    false => "",
                }
            );
        }
        let mut names = std::iter::once(&grouping).chain(&wrappers);
        if let Some(spec) = names.find(|spec| BY_LOSS.contains(&&*spec.name))
            && loaded.losses.is_none()
        {
            bail!(
                "{}: goes by the losses of the examples; give --losses",
                spec.name
            );
        }
        Ok((grouping, wrappers))
    }
}

impl Loaded {
    /// The losses; zeros where none are given, which then nothing looks at.
    pub(crate) fn losses(&self) -> Tensor<1> {
        let precision = match (&self.gram, &self.gradients) {
            (Some(gram), _) => gram.dtype(),
            _ => DType::F32,
        };
        self.losses
            .clone()
            .unwrap_or_else(|| Tensor::zeros([self.n], (&self.device, precision)))
    }

    /// The losses that were given.
    pub(crate) fn given_losses(&self) -> Option<&Tensor<1>> {
        self.losses.as_ref()
    }

    /// The Gram matrix, as it was given or of the gradients.
    pub(crate) fn gram(&self) -> Option<Tensor<2>> {
        let own = || self.gradients.as_ref().map(ExampleGradients::gram);
        self.gram.clone().or_else(own)
    }

    /// The norms of the gradients, where these or their products are given.
    fn norms(&self) -> Option<Tensor<1>> {
        let Some(gram) = &self.gram else {
            return self.gradients.as_ref().map(ExampleGradients::norms);
        };
        let diagonal = (0..self.n).map(|example| (example * (self.n + 1)) as i64);
        let diagonal = TensorData::new(diagonal.collect(), [self.n]);
        let diagonal = Tensor::<1, Int>::from_data(diagonal, &self.device);
        let entries = gram.clone().reshape([self.n * self.n]);
        Some(entries.select(0, diagonal).sqrt())
    }

    fn draw<'a>(&'a self, losses: &'a Tensor<1>) -> Draw<'a> {
        let draw = Draw::new(losses);
        let draw = match &self.labels {
            Some(labels) => draw.with_labels(&labels.of),
            None => draw,
        };
        match (&self.gram, &self.gradients) {
            (Some(gram), _) => draw.with_gram(gram),
            (_, Some(gradients)) => draw.with_gradients(gradients),
            _ => draw,
        }
    }
}

/// The groups of the draw; the standing examples, where some are wanted, are its own.
fn grouped(rule: &mut dyn Grouping, draw: &Draw<'_>) -> Result<Groups, GroupError> {
    while let Some(wanted) = rule.wants() {
        let n = draw.num_examples();
        match wanted {
            Standing::Fresh(examples) if examples != n => {
                return Err(GroupError::Standing {
                    operation: "grouping",
                    expected: examples,
                    got: n,
                });
            }
            _ => rule.stand(draw)?,
        }
    }
    rule.group(draw)
}

/// An error with the flag that mends it.
fn explained(error: GroupError) -> anyhow::Error {
    let flag = match &error {
        GroupError::InnerProductsAlone { .. } => {
            "give the gradients themselves (--gradients), or take a grouping that looks at inner products alone: kmeans, \
             spherical, spectral, hdbscan, singular-vectors"
        }
        GroupError::NoGradients { .. } => "give --gradients or --gram",
        GroupError::NoLabels { .. } => "give --labels",
        GroupError::Standing { .. } => {
            "the standing examples are those of the file: leave `examples` out"
        }
        _ => return error.into(),
    };
    anyhow::Error::new(error).context(flag)
}
