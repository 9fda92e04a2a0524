//! Recipes that chance has put together: whatever passes the checks runs to its end, and resumes to the same files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn_pack::Reader;
use gradual::grad::registry::METRICS;
use gradual::group::registry::{GROUPINGS, WRAPPERS};
use gradual::loss::registry::{COMPOSITIONS, RULES, SCALES, WRAPPERS as COMPOSITION_WRAPPERS};
use gradual::runs::files::LOOKS;
use gradual::runs::message;
use gradual::train::registry::{LENSES, OPTIMIZERS, SAMPLERS};
use gradual::train::{Interrupt, Keep, Progress, RunFolder, TrainError};
use gradual_backends::backend::Backend;
use gradual_registry::{Entry, Kind, Parameter, Registry, Spec, Value};
use indicatif::{MultiProgress, ProgressDrawTarget};
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{Job, Plan, Share};
use crate::experiment::{Asked, Experiment};
use crate::training::Run;

const ARM: &str = "any";
const STEPS: u64 = 12;

/// Small tasks of several kinds: their settings, the layers that found groups look at, and how many groups are labelled.
const TASKS: [(&str, &str, usize); 6] = [
    (
        "[task.sparse-parity]\ntasks = 4\nbits = 10\nsubset = 2\nhidden = 12\nheld_out = 8\n",
        "layers.0.weight",
        4,
    ),
    (
        "[task.composition]\ntriples = 1\nbits = 12\nsubset = 2\nhidden = 12\ndepth = 2\nheld_out = 8\ncomposed = 0\n",
        "layers.*.weight",
        2,
    ),
    (
        "[task.modular]\nmodulus = 7\nshare = 0.7\nembedding = 6\nhidden = 8\n",
        "hidden.weight",
        2,
    ),
    ("[task.subpopulations]\nhidden = 6\nheld_out = 8\n", "*", 4),
    ("[task.digits]\nhidden = 6\nheld_out = 4\n", "*.weight", 10),
    (
        "[task.skills]\nwidth = 8\nheads = 2\nlayers = 1\nhidden = 8\nheld_out = 4\n",
        "blocks.0.*",
        8,
    ),
];

/// Numbers and counts that people give.
const NUMBERS: [f64; 14] = [
    0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0, 1.5, 2.0, 3.0, 5.0, 20.0, -1.0, 1e-4,
];
const COUNTS: [u64; 9] = [0, 1, 2, 3, 4, 5, 8, 13, 40];

/// Groupings that a lens goes with; but for the first, a metric as well.
const OF_GRADIENTS: [&str; 10] = [
    "mistakes",
    "kmeans",
    "spherical",
    "spectral",
    "hdbscan",
    "singular-vectors",
    "landmarks",
    "centroids",
    "diffusion",
    "sparse-atoms",
];

/// Chance, and how many groups the task has.
struct Dice {
    random: ChaCha8Rng,
    groups: usize,
}

impl Dice {
    fn is(&mut self, share: f64) -> bool {
        self.random.random_bool(share)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        all.choose(&mut self.random).expect("there are some")
    }

    /// A value that this parameter takes, or none for its default.
    fn value(&mut self, parameter: &Parameter) -> Option<Value> {
        if parameter.default().is_some() && self.is(0.6) {
            return None;
        }
        if !parameter.words().is_empty() && self.is(0.5) {
            return Some(Value::Word((*self.of(parameter.words())).to_owned()));
        }
        (0..50).find_map(|_| {
            let value = match parameter.kind() {
                Kind::Number => Value::Number(*self.of(&NUMBERS)),
                Kind::Count => Value::Count(*self.of(&COUNTS)),
                Kind::Flag => Value::Flag(self.is(0.5)),
                Kind::Choice => Value::Word((*self.of(parameter.words())).to_owned()),
                Kind::Numbers => {
                    let few = self.random.random_range(1..4);
                    let length = if self.is(0.7) { self.groups } else { few };
                    Value::Numbers((0..length).map(|_| *self.of(&NUMBERS)).collect())
                }
            };
            parameter.accept(&value)
        })
    }

    fn spec<C, T>(&mut self, entry: &Entry<C, T>) -> Spec {
        let mut spec = Spec::new(entry.name);
        for parameter in entry.parameters {
            if let Some(value) = self.value(parameter) {
                spec = spec.with(parameter.name, value);
            }
        }
        spec
    }

    fn entry<C, T>(&mut self, registry: &'static Registry<C, T>) -> &'static Entry<C, T> {
        let at = self.random.random_range(0..registry.iter().count());
        registry.iter().nth(at).expect("there are some")
    }

    fn part<C, T>(&mut self, registry: &'static Registry<C, T>) -> String {
        let entry = self.entry(registry);
        let spec = self.spec(entry);
        format!("\"{spec}\"")
    }

    fn parts<C, T>(&mut self, registry: &'static Registry<C, T>) -> String {
        let parts: Vec<String> = (0..self.random.random_range(1..3))
            .map(|_| self.part(registry))
            .collect();
        format!("[{}]", parts.join(", "))
    }

    /// The lines of a recipe. What is refused at once is rare.
    fn recipe(&mut self, layers: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut add = |key: &str, value: String| lines.push(format!("{key} = {value}"));
        let grouping = self.entry(&GROUPINGS);
        let sees_gradients = OF_GRADIENTS.contains(&grouping.name) || self.is(0.05);
        add("grouping", format!("\"{}\"", self.spec(grouping)));
        let lens = (sees_gradients && self.is(0.3)).then(|| self.part(&LENSES));
        let searches = lens.as_ref().is_some_and(|lens| lens.contains("search"));
        if let Some(lens) = lens {
            add("lens", lens);
        }
        if sees_gradients && !(searches && self.is(0.95)) && self.is(0.6) {
            add("metric", self.part(&METRICS));
        }
        if self.is(0.3) {
            add("wrappers", self.parts(&WRAPPERS));
        }
        let of_rules = self.is(0.15);
        add(
            "composition",
            match of_rules {
                true => self.part(&RULES),
                false => self.part(&COMPOSITIONS),
            },
        );
        if !of_rules && self.is(0.25) {
            add("composition_wrappers", self.parts(&COMPOSITION_WRAPPERS));
        }
        if self.is(0.3) {
            add("scale", self.part(&SCALES));
        }
        if self.is(0.3) {
            add("sampler", self.part(&SAMPLERS));
        }
        if self.is(0.3) {
            add("optimizer", self.part(&OPTIMIZERS));
        }
        if self.is(0.1) {
            add("through_trace", String::from("true"));
        }
        if self.is(0.1) {
            add("trained", format!("[\"{layers}\"]"));
        }
        lines
    }

    /// An experiment of one arm, of one or two phases.
    fn experiment(&mut self, task: &str, layers: &str) -> String {
        let draw = *self.of(&[6, 12, 24]);
        let mut lines = vec![
            format!("name = \"any\"\narms = [\"{ARM}\"]\n{task}"),
            format!("[run]\nseeds = 1\nsteps = {STEPS}\ndraw = {draw}\nlayers = [\"{layers}\"]"),
        ];
        let every = *self.of(&[1, 3, 5]);
        lines.push(format!(
            "evaluate_every = {every}\n\n[[arm]]\nname = \"{ARM}\""
        ));
        lines.extend(
            self.recipe(layers)
                .iter()
                .map(|line| format!("recipe.{line}")),
        );
        if self.is(0.2) {
            let second: Vec<String> = (self.recipe(layers).iter())
                .map(|line| format!("recipe.{line}"))
                .collect();
            lines.push(format!("then = {{ after = 0.5, {} }}", second.join(", ")));
        }
        lines.join("\n") + "\n"
    }
}

/// The plan of that experiment, into a folder.
fn plan<'a>(experiment: &'a Experiment, home: &Path, every: u64) -> anyhow::Result<Plan<'a>> {
    Ok(Plan {
        arms: experiment.choose(&[])?,
        seeds: 1,
        first_seed: 0,
        steps: experiment.size.steps,
        draw: experiment.size.draw,
        evaluate_every: experiment.size.evaluate_every.expect("it is said"),
        jobs: 1,
        fresh: false,
        share: Share::All,
        checkpoint_every: Some(every),
        tensorboard: false,
        settings: experiment.task.settings()?,
        backend: Backend::choose(None)?,
        folder: home.join("any"),
        experiment,
    })
}

/// Trains what is open of a run.
fn train(plan: &Plan<'_>, job: &Job<'_>) -> anyhow::Result<()> {
    let journals = match job.arm.searches() {
        true => vec![LOOKS],
        false => Vec::new(),
    };
    let resumed = RunFolder::resume(
        &job.place.folder,
        &job.config,
        &serde_json::Value::Null,
        &journals,
    )?;
    assert!(resumed.damaged.is_empty() && resumed.mended.is_empty());
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    let every = plan.checkpoint_every.expect("it is said");
    plan.experiment.task.train(Run {
        setting: plan.setting(job.arm, job.seed),
        interrupt: &Interrupt::default(),
        folder: resumed.folder.with_checkpoints(every, Keep::default()),
        snapshot: resumed.snapshot,
        progress: Progress::new(ARM, job.config.steps, &bars),
        is_first: false,
        events: None,
    })?;
    Ok(())
}

/// Everything that a run has written that another one of the same seed writes, too, by its name.
fn written(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if name.ends_with(".jsonl") && name != "timing.jsonl" {
            files.insert(name.into_owned(), fs::read(&path).expect("read"));
        }
    }
    let model = folder.join(format!("checkpoints/step-{STEPS:012}/model.bpk"));
    let reader = Reader::from_file(&model).expect("the last checkpoint");
    for name in reader.tensor_names() {
        let weights = reader.tensor_data(name).expect("weights");
        files.insert(name.to_owned(), weights);
    }
    files
}

/// As if the program had been killed after some steps.
fn cut_back(folder: &Path, dice: &mut Dice) {
    fs::remove_file(folder.join("DONE")).expect("it was done");
    let steps = fs::read_dir(folder.join("checkpoints")).expect("checkpoints");
    let mut steps: Vec<_> = steps.map(|step| step.expect("a step").path()).collect();
    steps.sort();
    let keep = dice.random.random_range(1..steps.len());
    for later in &steps[keep..] {
        fs::remove_dir_all(later).expect("removed");
    }
}

/// The recipe of this seed: refused before anything runs, or run to its end and resumed to the same.
fn try_one(seed: u64) -> anyhow::Result<()> {
    let mut dice = Dice {
        random: ChaCha8Rng::seed_from_u64(seed),
        groups: 0,
    };
    let (task, layers, groups) = *dice.of(&TASKS);
    dice.groups = groups;
    let text = dice.experiment(task, layers);
    let home = tempfile::tempdir()?;
    let every = *dice.of(&[1, 2, 3, 5]);
    let read = Experiment::read("any.toml", &text, &Asked::default(), None);
    let Ok(experiment) = read.inspect_err(|error| says_where(error, &text)) else {
        return Ok(());
    };
    let plan = plan(&experiment, home.path(), every)?;
    let opened = plan.check().and_then(|()| plan.open(&Interrupt::default()));
    let Ok(jobs) = opened.inspect_err(|error| says_where(error, &text)) else {
        return Ok(());
    };
    let job = &jobs[0];
    if let Err(error) = train(&plan, job) {
        // What becomes of numbers is seen on the way alone.
        let of_numbers = matches!(
            error.downcast_ref(),
            Some(
                TrainError::NotFinite { .. }
                    | TrainError::Evaluation { .. }
                    | TrainError::Range { .. }
            )
        );
        assert!(of_numbers, "{error:#} is found out late:\n{text}");
        return Ok(());
    }
    let folder = &job.place.folder;
    let whole = written(folder);
    cut_back(folder, &mut dice);
    if let Err(error) = train(&plan, job) {
        panic!("{error:#} when it resumes:\n{text}");
    }
    assert!(
        written(folder) == whole,
        "resumed to something else:\n{text}"
    );
    Ok(())
}

/// A message says which arm, and it says it once.
fn says_where(error: &anyhow::Error, text: &str) {
    let said = message(error.as_ref());
    assert!(said.contains("any"), "{said}:\n{text}");
}

#[test]
fn recipes_of_chance_run_and_resume_or_are_refused() {
    bolero::check!()
        .with_generator(bolero::produce::<u64>())
        .for_each(|&seed| try_one(seed).expect("files"));
}
