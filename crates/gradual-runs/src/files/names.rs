/// The experiment, in the folder of the experiment: [`ExperimentRecord`](crate::ExperimentRecord).
pub const EXPERIMENT: &str = "experiment.json";
/// Names of found groups, in the folder of the experiment: written by a person, [`GroupNames`](crate::GroupNames).
pub const NAMES: &str = "names.toml";
/// The configuration of a run: [`RunConfig`](crate::RunConfig).
pub const CONFIG: &str = "config.json";
/// Machine and versions that a run was made with; for people.
pub const ENVIRONMENT: &str = "environment.json";
/// The journal of evaluations: [`Evaluation`](crate::Evaluation).
pub const CURVES: &str = "curves.jsonl";
/// The journal of groups: [`GroupingRecord`](crate::GroupingRecord).
pub const GROUPS: &str = "groups.jsonl";
/// The journal of what found groups hold: [`MembersRecord`](crate::MembersRecord).
pub const MEMBERS: &str = "members.jsonl";
/// The journal of what a search for a lens saw: [`LooksRecord`](crate::LooksRecord). Only runs that search for one have it.
pub const LOOKS: &str = "looks.jsonl";
/// The journal of wall-clock times: [`Timing`](crate::Timing).
pub const TIMING: &str = "timing.jsonl";
/// The journals that every run has.
pub const JOURNALS: [&str; 4] = [CURVES, GROUPS, MEMBERS, TIMING];
/// The folder of checkpoints.
pub const CHECKPOINTS: &str = "checkpoints";
/// The folder of the event files of TensorBoard, in the folder of the experiment: no arm is called so.
pub const TENSORBOARD: &str = "tensorboard";
/// The mark of a finished run: [`Done`](crate::Done).
pub const DONE: &str = "DONE";
/// The lock of a folder: [`FolderLock`](crate::FolderLock).
pub const LOCK: &str = ".lock";

/// Whether a journal may be called so: 1 to 64 of the characters `a-z`, `A-Z`, `0-9`, `-` and `_`, and then `.jsonl`.
///
/// Such a name is no path, and no other file of a run folder has one.
#[must_use]
pub fn is_journal_name(name: &str) -> bool {
    let plain = |each: char| each.is_ascii_alphanumeric() || each == '-' || each == '_';
    name.strip_suffix(".jsonl")
        .is_some_and(|stem| (1..=64).contains(&stem.len()) && stem.chars().all(plain))
}
