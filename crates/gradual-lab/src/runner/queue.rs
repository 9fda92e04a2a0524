//! The runs that are still to be done, after a look at those that are there.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::path::PathBuf;

use anyhow::Context as _;
use gradual::runs::streams::tell;
use gradual::runs::{
    ExperimentFolder, GroupNames, Place, Record as _, RunConfig, SCHEMA, Stamp, aside_all,
    comparable,
};
use gradual::train::{FolderState, Interrupt, RunFolder};
use gradual_report::ReportFolder;
use serde_json::json;

use super::plan::Plan;
use super::share::Share;
use crate::arm::Arm;

/// A run of a plan.
pub(crate) struct Job<'a> {
    /// Its place among the runs of the plan, from 0 on.
    pub(crate) number: u64,
    pub(crate) arm: &'a Arm,
    pub(crate) seed: u64,
    pub(crate) config: RunConfig,
    pub(crate) place: Place,
    /// What is there of it.
    pub(crate) state: FolderState,
}

/// More seeds of an arm than a verdict takes.
const MANY: u64 = 10_000;

impl Plan<'_> {
    /// How many runs there are in all.
    pub(crate) fn count(&self) -> u64 {
        self.arms.iter().map(|arm| self.seeds(arm)).sum()
    }

    /// All runs in their order, one after another, each after a check that its folder holds no other run.
    pub(crate) fn runs(&self) -> impl Iterator<Item = anyhow::Result<Job<'_>>> {
        self.numbered()
            .map(|(number, arm, seed)| self.job(number, arm, seed))
    }

    /// Number, arm and seed of every run.
    fn numbered(&self) -> impl Iterator<Item = (u64, &Arm, u64)> {
        let most = self.arms.iter().map(|arm| self.seeds(arm)).max();
        let runs = (0..most.unwrap_or(0)).flat_map(move |at| {
            let arms = self.arms.iter().filter(move |arm| at < self.seeds(arm));
            arms.map(move |arm| (arm, self.first_seed + at))
        });
        (0..)
            .zip(runs)
            .map(|(number, (arm, seed))| (number, arm, seed))
    }

    fn job<'a>(&'a self, number: u64, arm: &'a Arm, seed: u64) -> anyhow::Result<Job<'a>> {
        let place = Place::new(&self.folder, &arm.name, seed)?;
        let config = self.config(arm, seed)?;
        let state = match self.fresh {
            true => FolderState::Empty,
            false => RunFolder::state(&place.folder, &config)?,
        };
        Ok(Job {
            number,
            arm,
            seed,
            config,
            place,
            state,
        })
    }

    /// The runs of this program's share that are not done, after checking that none of the folders holds another run, that
    /// all runs of the experiment can be compared, and that every arm that begins can take a step. With `--fresh` the runs
    /// that were there are moved aside, all or none.
    ///
    /// # Errors
    ///
    /// What does not fit. Nothing was written or moved then.
    pub(crate) fn open(&self, interrupt: &Interrupt) -> anyhow::Result<VecDeque<Job<'_>>> {
        let own = self.numbered().filter(|run| self.share.has(run.0));
        let own = own.map(|(number, arm, seed)| self.job(number, arm, seed));
        let own: Vec<Job<'_>> = own.collect::<anyhow::Result<_>>()?;
        self.check_comparable(&own)?;
        let (done, jobs): (Vec<Job<'_>>, Vec<Job<'_>>) = own
            .into_iter()
            .partition(|run| run.state == FolderState::Done);
        let (done, jobs) = (done.len(), VecDeque::from(jobs));
        let mut begin: Vec<&Arm> = Vec::new();
        for job in &jobs {
            let is_known = begin.iter().any(|other| other.name == job.arm.name);
            if job.state == FolderState::Empty && !is_known {
                begin.push(job.arm);
            }
        }
        for job in &jobs {
            let written = job.config.to_line().map(drop);
            written.with_context(|| format!("nothing was run: arm {}", job.arm.name))?;
        }
        ReportFolder::check(&self.folder.join("report"))?;
        // Of a part, whoever collects the runs looks at all: each of many programs would read everything.
        if self.share == Share::All {
            self.check_kept(&jobs)?;
        }
        self.try_first_steps(&begin, interrupt)?;
        if self.fresh && !interrupt.asked() {
            // All at once, so that no moment has new runs beside old ones of other data.
            let places = jobs.iter().map(|job| &job.place);
            aside_all(&self.folder, places, &Stamp::now())?;
        }
        match (done, &self.share) {
            (0, _) => {}
            (1, Share::All) => tell("1 run is done already; --fresh runs it again"),
            (done, Share::All) => tell(format_args!(
                "{done} runs are done already; --fresh runs them again"
            )),
            (1, _) => tell("1 run is done already"),
            (done, _) => tell(format_args!("{done} runs are done already")),
        }
        Ok(jobs)
    }

    /// Refuses what would make the report impossible once all runs are done: runs that stay as they are and that it can't
    /// read, and names that it can't give.
    pub(crate) fn check_kept(&self, jobs: &VecDeque<Job<'_>>) -> anyhow::Result<()> {
        let again: HashSet<&PathBuf> = jobs.iter().map(|job| &job.place.folder).collect();
        let kept =
            ExperimentFolder::check_runs(&self.folder, |place| !again.contains(&place.folder));
        let arms = kept.context("nothing was run")?;
        let own = self.experiment.names();
        let known = own.iter().chain(&arms).map(String::as_str);
        GroupNames::read(&self.folder, known).context("nothing was run")?;
        Ok(())
    }

    fn config(&self, arm: &Arm, seed: u64) -> anyhow::Result<RunConfig> {
        Ok(RunConfig {
            schema: SCHEMA,
            experiment: self.experiment.name.clone(),
            arm: arm.name.clone(),
            seed,
            steps: self.steps(arm),
            draw: self.draw(arm) as u64,
            backend: self.backend.name.to_owned(),
            task: self.settings.clone(),
            recipe: arm.settings()?,
            settings: json!({ "evaluate_every": self.evaluate_every }),
        })
    }

    /// Refuses runs that can't be compared: these, every arm of the plan, and whatever is there already.
    ///
    /// # Errors
    ///
    /// Two of them, and the entries that differ.
    pub(crate) fn check_comparable(&self, own: &[Job<'_>]) -> anyhow::Result<()> {
        let mut runs: Vec<(PathBuf, RunConfig)> = own
            .iter()
            .map(|run| (run.place.folder.clone(), run.config.clone()))
            .collect();
        for arm in &self.arms {
            let place = Place::new(&self.folder, &arm.name, self.first_seed)?;
            runs.push((place.folder, self.config(arm, self.first_seed)?));
        }
        let planned: HashSet<PathBuf> = runs.iter().map(|(folder, _)| folder.clone()).collect();
        let others = self.others(&planned)?;
        runs.extend(self.as_they_would_be(&others)?);
        runs.extend(others);
        Ok(comparable::check(
            runs.iter().map(|(folder, config)| (folder, config)),
        )?)
    }

    /// Of arms that have runs and are not of the plan, the run as this experiment has it: under another learning rate for all
    /// arms, say, those that are there would be another experiment's.
    fn as_they_would_be(
        &self,
        others: &[(PathBuf, RunConfig)],
    ) -> anyhow::Result<Vec<(PathBuf, RunConfig)>> {
        let known = self.experiment.names();
        let mut seen = HashSet::new();
        let mut runs = Vec::new();
        for (_, config) in others {
            let is_planned = self.arms.iter().any(|arm| arm.name == config.arm);
            let is_new = seen.insert(config.arm.as_str());
            if !is_new || is_planned || config.recipe.is_null() || !known.contains(&config.arm) {
                continue;
            }
            for arm in self.experiment.choose(std::slice::from_ref(&config.arm))? {
                let name = format!("{} of this experiment", arm.name);
                runs.push((PathBuf::from(name), self.config(&arm, config.seed)?));
            }
        }
        Ok(runs)
    }

    /// Refuses a run that begins or goes on beside one that it can't be compared with, which another program may have begun since
    /// [`open`](Self::open) looked. Of every arm one run is read: those of an arm were compared as they began.
    ///
    /// # Errors
    ///
    /// The two, and the entries that differ.
    pub(super) fn check_beside(&self, job: &Job<'_>) -> anyhow::Result<()> {
        let mut runs = vec![(job.place.folder.clone(), job.config.clone())];
        let mut arms = HashSet::new();
        for place in Place::all(&self.folder)?.runs {
            if place.folder != job.place.folder
                && !arms.contains(&place.arm)
                && let Some(config) = place.config()?
            {
                arms.insert(place.arm);
                runs.push((place.folder, config));
            }
        }
        Ok(comparable::check(
            runs.iter().map(|(folder, config)| (folder, config)),
        )?)
    }

    /// The seeds of the runs of an arm, those that are there among them; of very many the first [`MANY`].
    pub(crate) fn all_seeds(&self, arm: &str) -> BTreeSet<u64> {
        let planned = self.arms.iter().filter(|one| one.name == arm);
        let planned =
            planned.flat_map(|one| (self.first_seed..).take(self.seeds(one).min(MANY) as usize));
        // What can't be read is told where it is needed.
        let there = Place::all(&self.folder)
            .map(|all| all.runs)
            .unwrap_or_default();
        let there = there.into_iter().filter(|place| place.arm == arm);
        planned.chain(there.map(|place| place.seed)).collect()
    }

    /// The runs in the folder of the experiment that are none of these.
    fn others(&self, planned: &HashSet<PathBuf>) -> anyhow::Result<Vec<(PathBuf, RunConfig)>> {
        let mut runs = Vec::new();
        for place in Place::all(&self.folder)?.runs {
            if !planned.contains(&place.folder)
                && let Some(config) = place.config()?
            {
                runs.push((place.folder, config));
            }
        }
        Ok(runs)
    }
}
