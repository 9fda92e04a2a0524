//! The run folders of one experiment or of several, read and checked.

mod counted;
mod names;
mod programs;
mod run;
mod several;
mod whole;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use gradual_measure::{Against, Claim};
use gradual_runs::{
    CommandRecord, ExperimentFolder, ExperimentRecord, InSeries, comparable, files,
};

use crate::ReportError;
use crate::stop::Stop;
use crate::text::{first_of, shorten};
use programs::Programs;
pub(crate) use run::Run;
pub(crate) use several::once;

/// Letters of the name of an arm that are shown.
const LONGEST: usize = 44;
/// Arms that figures and tables of the page show.
pub(crate) const MOST_ARMS: usize = 64;

/// One experiment with at least one evaluated run, or several put together.
pub(crate) struct Folder {
    /// Of several experiments, their names.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What each experiment tests, in words.
    pub(crate) claims: Vec<String>,
    /// The measurable claims.
    pub(crate) stated: Vec<Stated>,
    /// The arm that sentences and the first columns compare with: the baseline of the first experiment.
    pub(crate) baseline: String,
    /// What made the runs, oldest first; of several experiments, each named before its command.
    pub(crate) commands: Vec<CommandRecord>,
    /// In the order of the experiment, arms that it does not name last; arms without runs too.
    pub(crate) arms: Vec<Arm>,
    /// Where each arm is among them.
    places: HashMap<String, usize>,
    /// `environment.json` of the first run that has one.
    pub(crate) environment: Option<serde_json::Value>,
    /// What was left out or looks odd, in sentences.
    pub(crate) notes: Vec<String>,
    /// What the runs said of their data when they began.
    pub(crate) said: Vec<String>,
    /// Whether claims are judged and arms compared with the baseline.
    pub(crate) judged: bool,
}

/// A claim and what it compares with.
pub(crate) struct Stated {
    pub(crate) claim: Claim,
    pub(crate) against: Against,
    pub(crate) experiment: String,
}

/// One arm and its runs by seed.
pub(crate) struct Arm {
    pub(crate) name: String,
    /// The name, cut to [`LONGEST`] letters; different names have different labels.
    pub(crate) label: String,
    pub(crate) about: String,
    /// What it is a control for.
    pub(crate) control: Option<String>,
    /// Its place in a series, if it is in one.
    pub(crate) series: Option<InSeries>,
    /// The baseline of its experiment.
    pub(crate) baseline: String,
    /// The arm of its experiment whose effect is the whole, of which this one has a share.
    pub(crate) reference: Option<String>,
    /// How many runs it is to have, where that is known.
    pub(crate) planned: Option<u64>,
    pub(crate) runs: Vec<Run>,
}

impl Arm {
    /// The runs that count: the finished ones, or all while none is finished.
    pub(crate) fn counted(&self) -> Vec<&Run> {
        let finished: Vec<&Run> = self.runs.iter().filter(|run| run.finished).collect();
        if finished.is_empty() {
            self.runs.iter().collect()
        } else {
            finished
        }
    }

    /// Whether the numbers of this arm come from unfinished runs.
    pub(crate) fn unfinished(&self) -> bool {
        !self.runs.is_empty() && self.runs.iter().all(|run| !run.finished)
    }
}

/// Refuses what is no folder.
fn check(dir: &Path) -> Result<(), ReportError> {
    match dir.is_dir() {
        true => Ok(()),
        false => Err(ReportError::NotAFolder {
            path: dir.to_owned(),
        }),
    }
}

/// Refuses paths of which one is no folder, before anything is looked for beside them.
pub(crate) fn check_all(dirs: &[PathBuf]) -> Result<(), ReportError> {
    dirs.iter().try_for_each(|dir| check(dir))
}

impl Folder {
    /// Reads an experiment, of which claims are judged unless the report is to be `without_verdicts`.
    ///
    /// # Errors
    /// [`ReportError::Incomparable`] when runs can't be compared and claims are to be judged.
    pub(crate) fn read(
        dir: &Path,
        without_verdicts: bool,
        stop: &Stop,
    ) -> Result<Self, ReportError> {
        check(dir)?;
        if files::entries(dir)?.is_empty() {
            return Err(ReportError::EmptyFolder {
                path: dir.to_owned(),
            });
        }
        stop.check()?;
        let ExperimentFolder {
            record,
            runs,
            mut notes,
        } = ExperimentFolder::read(dir).map_err(ReportError::mended)?;
        let named = !record.arms.is_empty();
        let mut programs = Programs::default();
        let mut arms: Vec<Arm> = record
            .arms
            .iter()
            .map(|arm| Arm {
                name: arm.name.clone(),
                label: String::new(),
                about: arm.about.clone(),
                control: arm.control.clone(),
                series: arm.series.clone(),
                baseline: record.baseline.clone(),
                reference: record.reference.clone(),
                planned: arm.runs,
                runs: Vec::new(),
            })
            .collect();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, arm) in arms.iter().enumerate() {
            places.entry(arm.name.clone()).or_insert(place);
        }
        for run in runs {
            stop.check()?;
            let name = run.config.arm.clone();
            if run.evaluations.is_empty() {
                notes.push(format!(
                    "Run {name}/seed-{} is left out: it has no evaluation yet.",
                    run.config.seed
                ));
                continue;
            }
            programs.add(&run.folder);
            let run = Run::new(run)?;
            if let Some(&place) = places.get(&name) {
                arms[place].runs.push(run);
            } else {
                places.insert(name.clone(), arms.len());
                if named {
                    notes.push(format!("Arm `{name}` is not named in experiment.json."));
                }
                arms.push(Arm {
                    name,
                    label: String::new(),
                    about: String::new(),
                    control: None,
                    series: None,
                    baseline: record.baseline.clone(),
                    reference: record.reference.clone(),
                    planned: None,
                    runs: vec![run],
                });
            }
        }
        names::give(dir, &mut arms, &mut notes)?;
        if arms.iter().all(|arm| arm.runs.is_empty()) {
            return Err(ReportError::NoRuns {
                path: dir.to_owned(),
            });
        }
        let compared = arms.iter().flat_map(|arm| &arm.runs);
        let finished = arms
            .iter()
            .flat_map(|arm| &arm.runs)
            .filter(|run| run.finished);
        let shown = finished.map(|run| (&run.path, &run.config, run.evaluations.as_slice()));
        let said = comparable::check(compared.map(|run| (&run.path, &run.config)));
        match said.and_then(|()| comparable::check_evaluations(shown)) {
            Err(source) if !without_verdicts => return Err(ReportError::Incomparable { source }),
            Err(source) => notes.push(format!("The runs can't be compared: {source}.")),
            Ok(()) => {}
        }
        if without_verdicts {
            notes.push("No claim is judged, and nothing is compared with the baseline.".to_owned());
        }
        notes.extend(counted::note(&arms));
        notes.extend(counted::note_of_seeds(&arms));
        notes.extend(whole::notes(&arms));
        notes.extend(programs.notes());
        if !programs.are_timed_alike() {
            let all = arms.iter_mut().flat_map(|arm| &mut arm.runs);
            all.for_each(Run::leave_times_out);
        }
        notes.extend(without_runs(&arms));
        notes.extend(unmet(&record, &arms));
        for arm in &arms {
            for run in arm.runs.iter().filter(|run| !run.finished) {
                notes.push(format!(
                    "Arm `{}`, seed {} is unfinished: {} of {} steps.",
                    arm.name, run.seed, run.summary.last_step, run.config.steps
                ));
            }
        }
        let folder = Self {
            places: HashMap::new(),
            stated: record
                .claims
                .into_iter()
                .map(|claim| Stated {
                    against: (claim.against.clone())
                        .unwrap_or_else(|| Against::Arm(record.baseline.clone())),
                    claim,
                    experiment: record.name.clone(),
                })
                .collect(),
            title: match record.title.is_empty() {
                true => record.name.clone(),
                false => record.title,
            },
            name: record.name,
            claims: vec![record.claim],
            baseline: record.baseline,
            commands: record.commands,
            arms,
            environment: programs.first,
            notes,
            said: record.notes,
            judged: !without_verdicts,
        };
        Ok(folder.with_places())
    }

    /// The same, whose arms are found by name.
    fn with_places(mut self) -> Self {
        let names = self.arms.iter().map(|arm| arm.name.clone());
        // Of two of one name the first.
        self.places = names
            .zip(0..)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        self
    }

    pub(crate) fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.get(*self.places.get(name)?)
    }

    /// The finished run of the baseline of `arm` with the same seed; none where nothing is compared with the baseline.
    pub(crate) fn paired(&self, arm: &Arm, seed: u64) -> Option<&Run> {
        if !self.judged {
            return None;
        }
        let runs = &self.arm(&arm.baseline)?.runs;
        let at = runs.binary_search_by_key(&seed, |run| run.seed).ok()?;
        Some(&runs[at]).filter(|run| run.finished)
    }

    /// The arms that have runs.
    pub(crate) fn with_runs(&self) -> impl Iterator<Item = &Arm> {
        self.arms.iter().filter(|arm| !arm.runs.is_empty())
    }

    /// The arms with runs that figures and tables of the page show: all but of very many.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Arm> {
        let baseline = self.arm(&self.baseline).map(|arm| &arm.name);
        let first = move |arm: &&Arm| Some(&arm.name) == baseline;
        let others = self.with_runs().filter(move |arm| !first(arm));
        let all = self.with_runs().filter(first).chain(others);
        let many = self.with_runs().nth(MOST_ARMS).is_some();
        let kept = self.with_runs().filter(move |_| !many);
        kept.chain(all.filter(move |_| many)).take(MOST_ARMS)
    }

    /// Whether there is more than one capability, so that these can be compared with each other.
    pub(crate) fn has_several_capabilities(&self) -> bool {
        let mut runs = self.arms.iter().flat_map(|arm| &arm.runs);
        let first = runs.next().map(|run| &run.summary.capabilities);
        first.is_some_and(|first| {
            first.len() > 1 || runs.any(|run| !run.summary.capabilities.keys().eq(first.keys()))
        })
    }

    /// The last step of any run of this arm or of its baseline: a slower arm does not squeeze the pictures of the others.
    pub(crate) fn end_of(&self, arm: &Arm) -> f64 {
        let baseline = self.arm(&arm.baseline);
        let runs = baseline.into_iter().chain([arm]).flat_map(|arm| &arm.runs);
        runs.map(|run| run.summary.last_step)
            .max()
            .unwrap_or_default() as f64
    }

    /// The last step of the baseline of this arm, where the arm goes on after it.
    pub(crate) fn baseline_end(&self, arm: &Arm) -> Option<f64> {
        let runs = self.arm(&arm.baseline)?.runs.iter();
        let end = runs.map(|run| run.summary.last_step).max()? as f64;
        (end < self.end_of(arm)).then_some(end)
    }

    /// The last step of any run.
    pub(crate) fn last_step(&self) -> f64 {
        let runs = self.arms.iter().flat_map(|arm| &arm.runs);
        runs.map(|run| run.summary.last_step)
            .max()
            .unwrap_or_default() as f64
    }
}

/// Arms that a note names.
const NAMED: usize = 10;

/// A sentence on the arm whose effect others have a share of, where it has no run.
fn unmet(record: &ExperimentRecord, arms: &[Arm]) -> Option<String> {
    let reference = record.reference.as_ref()?;
    let is_there = |arm: &Arm| arm.name == *reference && !arm.runs.is_empty();
    (!arms.iter().any(is_there)).then(|| {
        format!(
            "The reference `{}` has no evaluated run, so nothing is said of shares of its effect.",
            shorten(reference, LONGEST)
        )
    })
}

/// A note on the arms that have no evaluated run.
fn without_runs(arms: &[Arm]) -> Option<String> {
    let without = arms.iter().filter(|arm| arm.runs.is_empty());
    let names: Vec<String> = without.map(|arm| format!("`{}`", arm.name)).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("Arm {one} has no evaluated run.")),
        several => {
            let first = first_of(several, NAMED);
            Some(format!("Arms without an evaluated run: {first}."))
        }
    }
}
