//! The runs that are still to be done, after a look at those that are there.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use gradual::runs::files::{CONFIG, entries, read};
use gradual::runs::streams::tell;
use gradual::runs::{RunConfig, RunsError, SCHEMA, comparable};
use gradual::train::{FolderState, Interrupt, RunFolder};
use serde_json::json;

use super::plan::Plan;
use crate::arm::Arm;

/// A run that is still to be done.
pub(crate) struct Job<'a> {
    pub(super) arm: &'a Arm,
    pub(super) seed: u64,
    pub(super) config: RunConfig,
    pub(super) folder: PathBuf,
}

impl Plan<'_> {
    /// The runs that are not done, after checking that none of the folders holds another run, that all runs of the
    /// experiment can be compared, and that every arm that begins can take a step.
    ///
    /// # Errors
    ///
    /// What does not fit. Nothing was written then.
    pub(crate) fn open(&self, interrupt: &Interrupt) -> anyhow::Result<VecDeque<Job<'_>>> {
        let mut jobs = VecDeque::new();
        let mut planned = Vec::new();
        let mut begin: Vec<&Arm> = Vec::new();
        let mut done = 0;
        for seed in 0..self.seeds {
            for arm in &self.arms {
                let folder = self.folder.join(&arm.name).join(format!("seed-{seed}"));
                let config = self.config(arm, seed)?;
                let state = match self.fresh {
                    true => FolderState::Empty,
                    false => RunFolder::state(&folder, &config)?,
                };
                planned.push((folder.clone(), config.clone()));
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
                    folder,
                });
            }
        }
        let there = self.there()?;
        let folders: HashSet<&PathBuf> = planned.iter().map(|(folder, _)| folder).collect();
        let others = there.iter().filter(|(folder, _)| !folders.contains(folder));
        let all = planned.iter().chain(others);
        comparable::check(all.map(|(folder, config)| (folder, config)))?;
        self.try_first_steps(&begin, interrupt)?;
        match done {
            0 => {}
            1 => tell("1 run is done already; --fresh runs it again"),
            done => tell(format_args!(
                "{done} runs are done already; --fresh runs them again"
            )),
        }
        Ok(jobs)
    }

    fn config(&self, arm: &Arm, seed: u64) -> anyhow::Result<RunConfig> {
        Ok(RunConfig {
            schema: SCHEMA,
            experiment: self.experiment.name.clone(),
            arm: arm.name.clone(),
            seed,
            steps: self.steps(arm),
            draw: self.draw as u64,
            backend: self.backend.name.to_owned(),
            task: self.settings.clone(),
            recipe: arm.settings()?,
            settings: json!({ "evaluate_every": self.evaluate_every }),
        })
    }

    /// The runs in the folder of the experiment.
    fn there(&self) -> anyhow::Result<Vec<(PathBuf, RunConfig)>> {
        let mut runs = Vec::new();
        for arm in folders(&self.folder)? {
            for run in folders(&arm)? {
                let file = run.join(CONFIG);
                match read::<RunConfig>(&file) {
                    Ok(config) => runs.push((run, config)),
                    Err(RunsError::Missing { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(runs)
    }
}

/// The folders in a folder but for hidden ones; none where there is no such folder.
fn folders(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.try_exists()? {
        return Ok(Vec::new());
    }
    if !fs::metadata(folder)?.is_dir() {
        bail!("{} is no folder", folder.display());
    }
    let mut found = entries(folder)?;
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        path.is_dir() && !name.to_string_lossy().starts_with('.')
    });
    Ok(found)
}
