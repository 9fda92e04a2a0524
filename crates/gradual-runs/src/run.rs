use std::path::{Path, PathBuf};

use gradual_measure::{Evaluation, Timing};

use crate::config::RunConfig;
use crate::done::Done;
use crate::error::RunsError;
use crate::files::{self, CONFIG, CURVES, GROUPS, LOOKS, MEMBERS, TIMING};
use crate::grouping::GroupingRecord;
use crate::journal::Lines;
use crate::looks::LooksRecord;
use crate::members::MembersRecord;
use crate::place::Place;
use crate::record::Record;

/// One run, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Where it lies.
    pub folder: PathBuf,
    /// How it was configured: of the arm and seed that its place says.
    pub config: RunConfig,
    /// How it ended; none while it is unfinished. Without [`Done::journals`] nobody can tell whether the journals below
    /// are what the run wrote.
    pub done: Option<Done>,
    /// By step; none where the run has only begun.
    pub evaluations: Vec<Evaluation>,
    /// By step.
    pub groupings: Vec<GroupingRecord>,
    /// By step; none where nothing was found, or could be said of it.
    pub members: Vec<MembersRecord>,
    /// By step; none where no lens was searched for.
    pub looks: Vec<LooksRecord>,
    /// By step.
    pub timings: Vec<Timing>,
    /// What was left out, in sentences: a torn last line of an unfinished run.
    pub notes: Vec<String>,
}

impl Run {
    /// The run at a place; none where it has no configuration yet.
    ///
    /// # Errors
    /// - [`RunsError::Misplaced`] when it is another run than its place says.
    /// - [`RunsError::Changed`] when it is finished and its journals are not what they were then, and
    ///   [`RunsError::Unsigned`] when nothing says what they were.
    /// - [`RunsError::Steps`] when its evaluations end before or after its last step.
    /// - [`RunsError::Contradicted`] when its recipe has other examples per step than its evaluations, or a second phase that
    ///   begins at another step.
    /// - [`RunsError::Line`] naming file and line of a record that can't be read, is out of range or does not follow the
    ///   one before.
    /// - [`RunsError::Missing`] when it is finished and has no configuration or no evaluations.
    /// - [`RunsError::Link`] and the others of [`files::open`].
    pub fn read(place: &Place) -> Result<Option<Self>, RunsError> {
        let folder = &place.folder;
        if !files::is_folder(folder)? {
            return Ok(None);
        }
        let done = Done::read(folder)?;
        let Some(config) = place.config()? else {
            return match done {
                None => Ok(None),
                Some(_) => Err(RunsError::Missing {
                    path: folder.join(CONFIG),
                }),
            };
        };
        if let Some(done) = &done {
            done.check(folder, &config)?;
        }
        let mut notes = Vec::new();
        let finished = done.is_some();
        let evaluations = lines(folder, CURVES, finished, &mut notes)?;
        if finished && evaluations.is_empty() {
            return Err(RunsError::Missing {
                path: folder.join(CURVES),
            });
        }
        let run = Self {
            evaluations,
            groupings: lines(folder, GROUPS, finished, &mut notes)?,
            members: lines(folder, MEMBERS, finished, &mut notes)?,
            looks: lines(folder, LOOKS, finished, &mut notes)?,
            timings: lines(folder, TIMING, finished, &mut notes)?,
            folder: folder.clone(),
            config,
            done,
            notes,
        };
        run.check_last_step()?;
        run.check_recipe()?;
        Ok(Some(run))
    }

    /// Whether the run came to its end.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.done.is_some()
    }

    /// Evaluations go on to the last step of a finished run, unless it was stopped, and no record is beyond it.
    fn check_last_step(&self) -> Result<(), RunsError> {
        let steps = self.config.steps;
        let evaluated = self.evaluations.last().map(|one| one.step);
        let journals = [
            (CURVES, evaluated),
            (GROUPS, self.groupings.last().map(|one| one.step)),
            (MEMBERS, self.members.last().map(|one| one.step)),
            // Looks at a proxy are of its own steps.
            (
                LOOKS,
                (self.looks.last().map(|one| one.step)).filter(|_| !self.config.has_proxy()),
            ),
            (TIMING, self.timings.last().map(|one| one.step)),
        ];
        for (name, last) in journals {
            if let Some(last) = last.filter(|&last| last > steps) {
                return Err(RunsError::Steps {
                    path: self.folder.join(name),
                    last,
                    steps,
                });
            }
        }
        match (&self.done, evaluated) {
            (Some(done), Some(last)) => done.check_last_step(&self.folder, last, steps),
            _ => Ok(()),
        }
    }

    /// A recipe says how many examples a step has, and when a second phase begins: evaluations say the same. Examples may
    /// differ by a hundredth.
    fn check_recipe(&self) -> Result<(), RunsError> {
        let config = &self.config;
        let Some(last) = self.evaluations.last().filter(|_| !config.recipe.is_null()) else {
            return Ok(());
        };
        let contradicted = |step: u64, problem: String| {
            Err(RunsError::Contradicted {
                path: self.folder.join(CURVES),
                config: self.folder.join(CONFIG),
                step,
                problem,
            })
        };
        let expected = config.draw as f64 * last.step as f64;
        if config.draw > 0 && (last.examples as f64 - expected).abs() > 0.01 * expected {
            let (examples, step, draw) = (last.examples, last.step, config.draw);
            let problem = format!("{examples} examples in {step} steps are not {draw} in each");
            return contradicted(step, problem);
        }
        let after = config.recipe.pointer("/then/after");
        let Some(after) = after.and_then(serde_json::Value::as_f64) else {
            return Ok(());
        };
        let after = (after * config.steps as f64).round();
        let is_second = |one: &Evaluation| one.step as f64 > after;
        let other = |one: &&Evaluation| one.moved.is_some() != is_second(one);
        match self.evaluations.iter().find(other) {
            None => Ok(()),
            Some(one) => {
                let is = if one.moved.is_some() {
                    "a number"
                } else {
                    "missing"
                };
                contradicted(
                    one.step,
                    format!("moved is {is}, and the second phase begins after step {after}"),
                )
            }
        }
    }
}

/// The records of a journal; none where there is no such file.
fn lines<R: Record>(
    folder: &Path,
    name: &str,
    finished: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<R>, RunsError> {
    let path = folder.join(name);
    if !files::is_file(&path)? {
        return Ok(Vec::new());
    }
    let Lines { records, torn } = Lines::read(&path, finished)?;
    notes.extend(torn.map(|line| {
        format!(
            "The torn last line {line} of {} is left out.",
            path.display()
        )
    }));
    Ok(records)
}
