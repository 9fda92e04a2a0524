//! A synthetic experiment: logistic curves with known emergence times.

#![allow(dead_code)] // every test file uses its own part

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gradual_measure::{CapabilityRecord, Claim, Direction, Evaluation, Metric, Timing};
use gradual_runs::{
    ArmRecord, ChurnRecord, ExperimentRecord, GroupingRecord, Record, RunConfig, SCHEMA,
};

/// One arm: capability k of n emerges at `first · ratio^(k/(n−1))`, over `width` of that time.
#[derive(Clone)]
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) first: f64,
    pub(crate) ratio: f64,
    pub(crate) width: f64,
    pub(crate) groups: bool,
}

impl Arm {
    pub(crate) fn new(name: &str, first: f64, ratio: f64, width: f64, groups: bool) -> Self {
        Self {
            name: name.to_owned(),
            first,
            ratio,
            width,
            groups,
        }
    }
}

/// The shape of an experiment.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) arms: Vec<Arm>,
    pub(crate) capabilities: usize,
    pub(crate) seeds: u64,
    pub(crate) steps: u64,
    pub(crate) evaluations: u64,
    /// Whether frequencies differ.
    pub(crate) unequal: bool,
    /// Whether the records have the probability of the right answer.
    pub(crate) thresholdless: bool,
    /// Whether the records have what the groups are made of.
    pub(crate) flow: bool,
}

impl Default for Fixture {
    fn default() -> Self {
        Self {
            arms: vec![
                Arm::new("erm", 100.0, 20.0, 0.3, false),
                Arm::new("labels", 500.0, 2.0, 0.9, true),
                Arm::new("singular-vectors", 400.0, 4.0, 0.6, true),
            ],
            capabilities: 6,
            seeds: 5,
            steps: 4000,
            evaluations: 80,
            unequal: true,
            thresholdless: true,
            flow: true,
        }
    }
}

impl Fixture {
    /// Writes the experiment into `root/parity` and returns that folder.
    pub(crate) fn write(&self, root: &Path) -> PathBuf {
        let dir = root.join("parity");
        fs::create_dir_all(&dir).unwrap();
        write(
            &dir.join("experiment.json"),
            &self.record().to_line().unwrap(),
        );
        for arm in &self.arms {
            for seed in 0..self.seeds {
                self.run(&dir, arm, seed);
            }
        }
        dir
    }

    fn record(&self) -> ExperimentRecord {
        let claim = |arm: &str, metric, direction, smallest_effect, statement: &str| Claim {
            statement: statement.to_owned(),
            source: "Jermyn (2022)".to_owned(),
            arm: arm.to_owned(),
            against: None,
            capability: None,
            metric,
            direction,
            smallest_effect,
        };
        let last = self.arms.last().unwrap().name.clone();
        ExperimentRecord {
            schema: SCHEMA,
            name: "parity".to_owned(),
            title: "Multitask parity: do groups rise <together>?".to_owned(),
            claim: "Grouped loss may disfavor discontinuous capabilities: the worst groups weigh most & \
                    so capabilities arise gradually and together."
                .to_owned(),
            baseline: "erm".to_owned(),
            reference: None,
            arms: self
                .arms
                .iter()
                .map(|arm| ArmRecord {
                    name: arm.name.clone(),
                    about: format!("The synthetic arm {} of the tests.", arm.name),
                    control: (arm.name == "slow").then(|| "a lower learning rate".to_owned()),
                    series: None,
                    runs: None,
                })
                .collect(),
            claims: vec![
                claim(
                    "labels",
                    Metric::Spread,
                    Direction::Lower,
                    0.8,
                    "With groups the last capability emerges closer to the first.",
                ),
                claim(
                    &last,
                    Metric::Gap,
                    Direction::Lower,
                    0.1,
                    "With singular vectors the gap all but vanishes.",
                ),
                claim(
                    "labels",
                    Metric::RelativeWidth,
                    Direction::Higher,
                    1.5,
                    "Each capability rises more gradually.",
                ),
                claim(
                    &last,
                    Metric::StepsTo99,
                    Direction::Lower,
                    1.1,
                    "The tax is small.",
                ),
            ],
            notes: Vec::new(),
            commands: vec![String::from("cargo xtask experiment parity --seeds 5").into()],
        }
    }

    fn run(&self, dir: &Path, arm: &Arm, seed: u64) {
        let folder = run_folder(dir, &arm.name, seed);
        fs::create_dir_all(&folder).unwrap();
        let config = RunConfig {
            schema: SCHEMA,
            experiment: "parity".to_owned(),
            arm: arm.name.clone(),
            seed,
            steps: self.steps,
            draw: 512,
            backend: "flex".to_owned(),
            task: serde_json::Value::Null,
            recipe: serde_json::Value::Null,
            settings: serde_json::json!({"learning_rate": 0.001, "hidden": 128}),
        };
        write(&folder.join("config.json"), &config.to_line().unwrap());
        write(
            &folder.join("environment.json"),
            r#"{"rustc":"1.92.0","gradual":"0.1.0","commit":"0123abc","cores":2}"#,
        );
        let steps: Vec<u64> = (0..=self.evaluations)
            .map(|index| index * self.steps / self.evaluations.max(1))
            .collect();
        let lines = |record: &dyn Fn(u64) -> String| -> String {
            steps.iter().map(|&step| record(step) + "\n").collect()
        };
        write(
            &folder.join("curves.jsonl"),
            &lines(&|step| self.evaluation(arm, seed, step).to_line().unwrap()),
        );
        write(
            &folder.join("timing.jsonl"),
            &lines(&|step| {
                let timing = Timing {
                    schema: SCHEMA,
                    step,
                    seconds: step as f64 / 200.0,
                    peak_memory: None,
                };
                timing.to_line().unwrap()
            }),
        );
        if arm.groups {
            write(
                &folder.join("groups.jsonl"),
                &lines(&|step| self.grouping(arm, seed, step).to_line().unwrap()),
            );
        }
        // Old runs have an empty mark, which says that they went on to their last step.
        let done = match self.evaluations {
            0 => r#"{"end":"stopped"}"#,
            _ => "",
        };
        write(&folder.join("DONE"), done);
    }

    fn frequency(&self, capability: usize) -> f64 {
        let weight = |k: usize| {
            if self.unequal {
                1.0 / (k as f64 + 1.0)
            } else {
                1.0
            }
        };
        weight(capability) / (0..self.capabilities).map(weight).sum::<f64>()
    }

    fn skill(&self, arm: &Arm, seed: u64, capability: usize, step: u64) -> f64 {
        let place = capability as f64 / (self.capabilities.max(2) - 1) as f64;
        // Seeds shift all times by 5 % and change the ratio of the times a little.
        let middle = arm.first
            * (1.0 + 0.05 * seed as f64)
            * (arm.ratio * (1.0 + 0.04 * seed as f64)).powf(place);
        let rate = 2.0 * 9.0_f64.ln() / (arm.width * middle);
        let logistic = |step: f64| 1.0 / (1.0 + (-rate * (step - middle)).exp());
        let begin = logistic(0.0);
        (logistic(step as f64) - begin) / (1.0 - begin)
    }

    fn evaluation(&self, arm: &Arm, seed: u64, step: u64) -> Evaluation {
        let capabilities: BTreeMap<_, _> = (0..self.capabilities)
            .map(|capability| {
                let skill = self.skill(arm, seed, capability, step);
                let record = CapabilityRecord {
                    accuracy: 0.5 + 0.5 * skill,
                    loss: 0.693 * (1.0 - skill),
                    chance: 0.5,
                    frequency: self.frequency(capability),
                    probability: self.thresholdless.then_some(0.5 + 0.5 * skill.powf(0.6)),
                    progress: None,
                    parts: Vec::new(),
                };
                (format!("task-{capability:02}"), record)
            })
            .collect();
        Evaluation {
            schema: SCHEMA,
            step,
            examples: step * 512,
            standing_examples: None,
            gradient_evaluations: None,
            left_out: None,
            moved: None,
            compute: None,
            // No two seeds have the same evaluations.
            train_loss: capabilities.values().map(|one| one.loss).sum::<f64>()
                / capabilities.len() as f64
                + 1e-9 * seed as f64,
            capabilities,
        }
    }

    fn grouping(&self, arm: &Arm, seed: u64, step: u64) -> GroupingRecord {
        let losses: Vec<f64> = (0..self.capabilities)
            .map(|capability| {
                self.frequency(capability) * (1.01 - self.skill(arm, seed, capability, step))
            })
            .collect();
        let sum: f64 = losses.iter().sum();
        GroupingRecord {
            schema: SCHEMA,
            step,
            groups: self.capabilities as u64,
            sizes: vec![],
            members: if self.flow {
                self.members(seed, step)
            } else {
                vec![]
            },
            identities: vec![],
            shares: losses
                .iter()
                .enumerate()
                .map(|(capability, loss)| (format!("task-{capability:02}"), loss / sum))
                .collect(),
            negative: (arm.name.starts_with("singular") && self.flow)
                .then(|| 0.5 - 0.2 * step as f64 / self.steps as f64),
            spectrum: if arm.name.starts_with("singular") {
                let decay = 1.0 + 2.0 * step as f64 / self.steps as f64;
                (1..=48)
                    .map(|index| 3.0 * f64::from(index).powf(-decay))
                    .collect()
            } else {
                vec![]
            },
            recovery: self.flow.then(|| step as f64 / self.steps as f64),
            estimates: if arm.name.starts_with("singular") && self.flow {
                [("eigengap", 6), ("silhouette", 6), ("energy", 32)]
                    .map(|(name, said)| (name.to_owned(), said))
                    .into()
            } else {
                BTreeMap::new()
            },
            churn: self.flow.then(|| ChurnRecord {
                births: 1,
                deaths: 0,
                changed: 0.5 - 0.4 * step as f64 / self.steps as f64,
                adjusted_rand: Some(0.5),
            }),
        }
    }

    /// As many groups as capabilities; of each capability a part that shrinks over time is in the next group.
    fn members(&self, seed: u64, step: u64) -> Vec<BTreeMap<String, u64>> {
        let name = |capability: usize| format!("task-{capability:02}");
        let mut groups = vec![BTreeMap::new(); self.capabilities];
        for capability in 0..self.capabilities {
            let all = (self.frequency(capability) * 512.0).round() as u64;
            let astray = all * (self.steps - step) / self.steps / (2 + seed % 2);
            groups[capability].insert(name(capability), all - astray);
            if astray > 0 {
                *groups[(capability + 1) % self.capabilities]
                    .entry(name(capability))
                    .or_insert(0) += astray;
            }
        }
        groups
    }
}

pub(crate) fn run_folder(dir: &Path, arm: &str, seed: u64) -> PathBuf {
    dir.join(arm).join(format!("seed-{seed}"))
}

pub(crate) fn write(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
}
