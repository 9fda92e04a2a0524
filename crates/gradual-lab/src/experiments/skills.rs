//! Text skills in a small decoder: the post's own example.

mod after;

use anyhow::bail;
use gradual::grad::{Metric as GradientMetric, Whitening};
use gradual::measure::{Claim, Direction, Metric};
use gradual::prelude::*;
use gradual_tasks::{Skills as Task, SkillsConfig};
use serde_json::{Value, json};

use crate::arms::{self, CONTROLS, MORE, claim};
use crate::experiment::{Arm, Book, Experiment, Finished, Options, Run, Size};
use after::After;

/// Learning rate.
pub(super) const RATE: f64 = 2e-3;

/// The weights that groups found at the start look at: before any training the second feed-forward
/// layers show most of the skills. All layers together show little.
const FIRST: &[&str] = &["blocks.1.up.weight", "blocks.1.down.weight"];

/// The weights that groups found a little later look at, the metric's damping, and when that is: no skill
/// is past half of its rise by then.
const LATER: (&[&str], f64, u64) = (&["blocks.1.attention.value.weight"], 0.1, 100);

/// Standing examples of found groups: some twenty of the rarest skill.
const STANDING: usize = 400;
/// Draws until their gradients are taken again.
const STANDING_EVERY: usize = 50;

/// The experiment `skills`.
pub(crate) struct Skills;

impl Skills {
    pub(super) fn config(options: &Options) -> SkillsConfig {
        match options.quick {
            false => SkillsConfig::default(),
            true => SkillsConfig {
                width: 32,
                hidden: 64,
                held_out: 40,
                ..SkillsConfig::default()
            },
        }
    }

    pub(super) fn every(options: &Options) -> u64 {
        if options.quick { 50 } else { 100 }
    }
}

impl Experiment for Skills {
    fn name(&self) -> &'static str {
        "skills"
    }

    fn title(&self) -> &'static str {
        "Text skills in a small decoder"
    }

    fn about(&self) -> &'static str {
        "copying, adding, translating, looking up … with Zipf frequencies, in a two-layer decoder"
    }

    fn claim(&self) -> &'static str {
        "If text is grouped by the skill that it asks for and the sum of squared group losses is \
         minimised, skills develop at comparable rates; and a skill that belongs to no group, adding \
         numbers written as words, develops smoothly with those that it is made of (after A. Jermyn, \
         2022). It is evaluated like the others and never trained on; its curve is shown, but no metric here tests \
         that part of the claim."
    }

    fn baseline(&self) -> &'static str {
        "erm"
    }

    fn arms(&self) -> Vec<Arm> {
        vec![
            Arm {
                name: "erm",
                about: "the plain mean loss",
            },
            Arm {
                name: "grouped",
                about: "sum of squares over the eight trained skills",
            },
            Arm {
                name: "whitened",
                about: "sum of squares over groups found at the start in whitened gradients of the second feed-forward layers, kept by landmarks",
            },
            Arm {
                name: "late",
                about: "the mean loss for 100 steps, then sum of squares over groups found in Kronecker-whitened gradients of the second value projection, kept by landmarks",
            },
            Arm {
                name: "svd",
                about: "sum of squares over singular directions as published: signed components, weighted by σ²; Σ|c| = 1",
            },
            Arm {
                name: "svd-squared",
                about: "sum of squares over singular directions, squared components, weighted by σ",
            },
            Arm {
                name: "balanced",
                about: "the plain mean loss, every skill drawn equally often",
            },
        ]
    }

    fn more_arms(&self) -> Vec<Arm> {
        [&CONTROLS[1..], &MORE].concat()
    }

    fn claims(&self) -> Vec<Claim> {
        let lower = |arm, statement| claim(arm, Metric::Gap, Direction::Lower, 0.8, statement);
        vec![
            lower(
                "grouped",
                "With known groups, skills are closer together at equal mean skill.",
            ),
            lower(
                "whitened",
                "With groups found at the start, skills are closer together at equal mean skill.",
            ),
            lower(
                "late",
                "With groups found after 100 steps, skills are closer together at equal mean skill.",
            ),
            lower(
                "svd",
                "With SVD groups as published, skills are closer together at equal mean skill.",
            ),
            lower(
                "svd-squared",
                "With SVD groups of squared components, skills are closer together at equal mean skill.",
            ),
            lower(
                "balanced",
                "Drawing skills equally often does the same without a grouped loss.",
            ),
        ]
    }

    fn size(&self, options: &Options) -> Size {
        match options.quick {
            false => Size {
                seeds: 1,
                steps: 8_000,
                draw: 64,
            },
            true => Size {
                seeds: 1,
                steps: 600,
                draw: 32,
            },
        }
    }

    fn settings(&self, options: &Options) -> anyhow::Result<Value> {
        options.without_parity(self.name())?;
        if options.data.is_some() {
            bail!("experiment skills makes its own data; --data goes with `table`");
        }
        Ok(json!({
            "task": Self::config(options),
            "optimizer": "adam",
            "rate": RATE,
            "evaluate_every": Self::every(options),
            "scale": "unit-sum",
        }))
    }

    fn check(&self, arm: &str, draw: usize, _: &Options) -> anyhow::Result<()> {
        Ok(objective(arm, 0)?.check(draw)?)
    }

    fn run(&self, run: &Run<'_>, book: Book) -> anyhow::Result<Finished> {
        let objective = objective(run.arm, run.seed)?;
        let task = Task::new(&Self::config(run.options), run.seed)?;
        let sampler = arms::sampler(run.arm, &task, run.steps)?;
        let pace = (RATE, Self::every(run.options));
        Ok(run.train(&task, objective, sampler, pace, book)?)
    }
}

/// What the arm called `name` minimises.
fn objective(name: &str, seed: u64) -> anyhow::Result<Objective> {
    let trained = gradual_tasks::skills::Skill::TRAINED.len();
    Ok(match name {
        "whitened" => Objective::new(
            landmarks(GradientMetric::whitened().with_layers(FIRST)?, seed),
            SumOfSquares,
        ),
        "late" => {
            let (layers, damping, draws) = LATER;
            let kronecker = Whitening::Kronecker { damping };
            let metric = GradientMetric::whitened().with_whitening(kronecker);
            let landmarks = landmarks(metric.with_layers(layers)?, seed);
            Objective::new(After::new(draws, landmarks), SumOfSquares)
        }
        shared => arms::objective(shared, trained, FIRST, seed)?,
    })
}

/// Groups that nobody tells how many there are.
fn landmarks(metric: GradientMetric, seed: u64) -> Landmarks {
    Landmarks::new(HowMany::Eigengap, metric, seed)
        .with_examples(STANDING)
        .with_every(STANDING_EVERY)
}
