//! The experiments that there are.

mod grouping_quality;
mod skills;
mod sparse_parity;
mod table;

use anyhow::bail;

use crate::experiment::Experiment;

/// All experiments, the default first.
pub(crate) static ALL: [&dyn Experiment; 5] = [
    &sparse_parity::SparseParity,
    &skills::Skills,
    &table::Table,
    &grouping_quality::GroupingQuality,
    &grouping_quality::SkillsQuality,
];

/// The experiment called `name`.
pub(crate) fn find(name: &str) -> anyhow::Result<&'static dyn Experiment> {
    let found = ALL.iter().find(|experiment| experiment.name() == name);
    let Some(experiment) = found else {
        let known: Vec<&str> = ALL.iter().map(|experiment| experiment.name()).collect();
        bail!(
            "there is no experiment '{name}'; there are {}",
            known.join(", ")
        );
    };
    Ok(*experiment)
}
