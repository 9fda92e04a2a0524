use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use gradual_measure::Evaluation;

use crate::error::RunsError;
use crate::experiment::ExperimentRecord;
use crate::files::{self, CONFIG, EXPERIMENT};
use crate::place::{Place, Places};
use crate::run::Run;

/// The folder of an experiment, with all its runs, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentFolder {
    /// What the experiment tests.
    pub record: ExperimentRecord,
    /// Its runs by arm and seed, those without an evaluation too. Whether they may be compared,
    /// [`comparable::check`](crate::comparable::check) says.
    pub runs: Vec<Run>,
    /// What was passed over or left out, and what can't be checked, in sentences.
    pub notes: Vec<String>,
}

impl ExperimentFolder {
    /// Reads the folder of an experiment.
    ///
    /// # Errors
    /// [`RunsError::Missing`] without an `experiment.json`, [`RunsError::Misplaced`] when a run is of another experiment
    /// than that, [`RunsError::Copied`] when two seeds have the same evaluations, those of [`Run::read`] and
    /// [`Place::all`].
    pub fn read(folder: &Path) -> Result<Self, RunsError> {
        let record: ExperimentRecord = files::read(&folder.join(EXPERIMENT))?;
        let Places { runs, mut notes } = Place::all(folder)?;
        let read = runs.iter().map(|place| match Run::read(place)? {
            Some(run) => Ok(Some(run)),
            None => {
                notes.push(format!(
                    "Run {}/seed-{} is left out: it has no configuration yet.",
                    place.arm, place.seed
                ));
                Ok(None)
            }
        });
        let read = read.collect::<Result<Vec<_>, RunsError>>()?;
        let runs: Vec<Run> = read.into_iter().flatten().collect();
        check_experiment(&record, &runs)?;
        check_copies(&runs)?;
        for run in &runs {
            notes.extend(run.notes.iter().cloned());
        }
        notes.extend(unsigned(&runs));
        notes.extend(chances(&runs));
        Ok(Self {
            record,
            runs,
            notes,
        })
    }
}

impl ExperimentFolder {
    /// Refuses runs of `folder` that [`read`](Self::read) would refuse, of those that are `kept`, and says what arms there are.
    /// Without such a folder there are none.
    ///
    /// # Errors
    /// Those of [`read`](Self::read) that are a run's own, and [`RunsError::Copied`].
    pub fn check_runs(
        folder: &Path,
        kept: impl Fn(&Place) -> bool,
    ) -> Result<BTreeSet<String>, RunsError> {
        let places = Place::all(folder)?.runs;
        let read = places.iter().filter(|place| kept(place)).map(Run::read);
        let runs = read
            .filter_map(Result::transpose)
            .collect::<Result<Vec<_>, _>>()?;
        check_copies(&runs)?;
        Ok(places.into_iter().map(|place| place.arm).collect())
    }
}

fn check_experiment(record: &ExperimentRecord, runs: &[Run]) -> Result<(), RunsError> {
    match runs.iter().find(|run| run.config.experiment != record.name) {
        None => Ok(()),
        Some(other) => Err(RunsError::Misplaced {
            path: other.folder.join(CONFIG),
            entry: "experiment",
            held: other.config.experiment.clone(),
            place: record.name.clone(),
        }),
    }
}

/// So many different losses of one run are not those of another by chance.
const TELLING: usize = 16;

/// Two seeds can agree before the first step, but not after it: their losses do not, whatever else was changed in a copy. Of
/// runs that hold no losses, everything has to be the same.
fn check_copies(runs: &[Run]) -> Result<(), RunsError> {
    let mut seen: HashMap<Vec<[u64; 2]>, Vec<&Run>> = HashMap::new();
    // What measured nothing is refused for that.
    let measures = |run: &&Run| run.evaluations.iter().all(|at| !at.capabilities.is_empty());
    for run in runs
        .iter()
        .filter(measures)
        .filter(|run| run.evaluations.len() > 1)
    {
        let last = run.evaluations.last().map(measured).unwrap_or_default();
        let alike = seen.entry(last).or_default();
        let copy = alike.iter().find(|other| {
            other.config.seed != run.config.seed
                && (run.evaluations == other.evaluations
                    || has_losses(run) && agree(&run.evaluations, &other.evaluations))
        });
        if let Some(other) = copy {
            return Err(RunsError::Copied {
                one: other.folder.clone(),
                other: run.folder.clone(),
            });
        }
        alike.push(run);
    }
    Ok(())
}

/// Whether two runs measured the same wherever both were evaluated.
fn agree(one: &[Evaluation], other: &[Evaluation]) -> bool {
    let other: HashMap<u64, &Evaluation> = other.iter().map(|at| (at.step, at)).collect();
    let both = one
        .iter()
        .filter_map(|at| Some((at, *other.get(&at.step)?)));
    both.clone().count() > 1 && both.clone().all(|(a, b)| measured(a) == measured(b))
}

/// Accuracies and losses, bit by bit.
fn measured(evaluation: &Evaluation) -> Vec<[u64; 2]> {
    let all = evaluation.capabilities.values();
    all.map(|one| [one.accuracy.to_bits(), one.loss.to_bits()])
        .collect()
}

/// Whether losses were written down that tell one run from another: other programs may write one number everywhere, or a few.
fn has_losses(run: &Run) -> bool {
    let all = run.evaluations.iter();
    let losses = all.flat_map(|one| one.capabilities.values());
    let different: BTreeSet<u64> = losses.map(|one| one.loss.to_bits()).collect();
    different.len() >= TELLING
}

/// A note on the finished runs whose journals nobody can check.
fn unsigned(runs: &[Run]) -> Option<String> {
    let old = |run: &&Run| {
        run.done
            .as_ref()
            .is_some_and(|done| done.journals.is_none())
    };
    match runs.iter().filter(old).count() {
        0 => None,
        1 => Some(String::from(
            "One finished run has a `DONE` without digests of the journals, as earlier versions and other programs write it: \
             a change of these would go unseen.",
        )),
        many => Some(format!(
            "{many} finished runs have a `DONE` without digests of the journals, as earlier versions and other programs \
             write it: a change of these would go unseen."
        )),
    }
}

/// A note on a capability whose chance is not the same in all runs.
fn chances(runs: &[Run]) -> Option<String> {
    let mut known: HashMap<&str, (f64, &Run)> = HashMap::new();
    let (mut example, mut capabilities) = (None, BTreeSet::new());
    for run in runs {
        let first = run.evaluations.first();
        for (name, record) in first.into_iter().flat_map(|one| &one.capabilities) {
            let &mut (chance, of) = known.entry(name).or_insert((record.chance, run));
            if record.chance != chance {
                capabilities.insert(name);
                example.get_or_insert_with(|| {
                    let place = |run: &Run| format!("{}/seed-{}", run.config.arm, run.config.seed);
                    let (this, that) = (place(run), place(of));
                    format!(
                        "`{name}` is {chance} in {that} and {} in {this}",
                        record.chance
                    )
                });
            }
        }
    }
    let others = match capabilities.len() {
        0 | 1 => String::new(),
        2 => String::from(", and 1 other capability differs too"),
        many => format!(", and {} other capabilities differ too", many - 1),
    };
    example.map(|example| {
        format!(
            "The chance of {example}{others}: skills of these runs are not counted from one level."
        )
    })
}
