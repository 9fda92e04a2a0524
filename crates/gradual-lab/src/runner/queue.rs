//! The runs that are still to be done, after a look at those that are there.

use std::collections::{HashSet, VecDeque};
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
use crate::arm::Arm;

/// A run that is still to be done.
pub(crate) struct Job<'a> {
    pub(super) arm: &'a Arm,
    pub(super) seed: u64,
    pub(super) config: RunConfig,
    pub(super) place: Place,
}

impl Plan<'_> {
    /// The runs that are not done, after checking that none of the folders holds another run, that all runs of the
    /// experiment can be compared, and that every arm that begins can take a step. With `--fresh` the runs that were
    /// there are moved aside, all or none.
    ///
    /// # Errors
    ///
    /// What does not fit. Nothing was written or moved then.
    pub(crate) fn open(&self, interrupt: &Interrupt) -> anyhow::Result<VecDeque<Job<'_>>> {
        let mut jobs = VecDeque::new();
        let mut planned = Vec::new();
        let mut begin: Vec<&Arm> = Vec::new();
        let mut done = 0;
        let most = self.arms.iter().map(|arm| self.seeds(arm)).max();
        for number in 0..most.unwrap_or(0) {
            let seed = self.first_seed + number;
            for arm in self.arms.iter().filter(|arm| number < self.seeds(arm)) {
                let place = Place::new(&self.folder, &arm.name, seed)?;
                let config = self.config(arm, seed)?;
                let state = match self.fresh {
                    true => FolderState::Empty,
                    false => RunFolder::state(&place.folder, &config)?,
                };
                planned.push((place.folder.clone(), config.clone()));
                if state == FolderState::Done {
                    done += 1;
                    continue;
                }
                if state == FolderState::Empty && begin.iter().all(|other| other.name != arm.name) {
                    begin.push(arm);
                }
                jobs.push_back(Job {
                    arm,
                    seed,
                    config,
                    place,
                });
            }
        }
        let folders: HashSet<&PathBuf> = planned.iter().map(|(folder, _)| folder).collect();
        let others = self.others(&folders)?;
        let all = planned.iter().chain(&others);
        comparable::check(all.map(|(folder, config)| (folder, config)))?;
        for job in &jobs {
            let written = job.config.to_line().map(drop);
            written.with_context(|| format!("nothing was run: arm {}", job.arm.name))?;
        }
        ReportFolder::check(&self.folder.join("report"))?;
        self.check_kept(&jobs)?;
        self.try_first_steps(&begin, interrupt)?;
        if self.fresh && !interrupt.asked() {
            // All at once, so that no moment has new runs beside old ones of other data.
            let places = jobs.iter().map(|job| &job.place);
            aside_all(&self.folder, places, &Stamp::now())?;
        }
        match done {
            0 => {}
            1 => tell("1 run is done already; --fresh runs it again"),
            done => tell(format_args!(
                "{done} runs are done already; --fresh runs them again"
            )),
        }
        Ok(jobs)
    }

    /// Refuses what would make the report impossible once all runs are done: runs that stay as they are and that it can't
    /// read, and names that it can't give.
    fn check_kept(&self, jobs: &VecDeque<Job<'_>>) -> anyhow::Result<()> {
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

    /// The runs in the folder of the experiment that are not planned.
    fn others(&self, planned: &HashSet<&PathBuf>) -> anyhow::Result<Vec<(PathBuf, RunConfig)>> {
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
