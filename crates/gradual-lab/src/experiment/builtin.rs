//! The experiments that come with the program.

use anyhow::bail;

use crate::meant::meant;

/// Name and file of each.
pub(crate) const FILES: [(&str, &str); 35] = [
    ("sparse-parity", include_str!("files/sparse-parity.toml")),
    ("gradualness", include_str!("files/gradualness.toml")),
    (
        "gradualness-rates",
        include_str!("files/gradualness-rates.toml"),
    ),
    (
        "how-many-groups",
        include_str!("files/how-many-groups.toml"),
    ),
    ("stability", include_str!("files/stability.toml")),
    ("soft-groups", include_str!("files/soft-groups.toml")),
    ("small-draws", include_str!("files/small-draws.toml")),
    ("agreement", include_str!("files/agreement.toml")),
    ("exact", include_str!("files/exact.toml")),
    ("composition", include_str!("files/composition.toml")),
    (
        "composition-unseen",
        include_str!("files/composition-unseen.toml"),
    ),
    ("overhang", include_str!("files/overhang.toml")),
    (
        "overhang-skills",
        include_str!("files/overhang-skills.toml"),
    ),
    ("model-size", include_str!("files/model-size.toml")),
    (
        "model-size-skills",
        include_str!("files/model-size-skills.toml"),
    ),
    ("grokking", include_str!("files/grokking.toml")),
    (
        "grokking-clusters",
        include_str!("files/grokking-clusters.toml"),
    ),
    ("mixing", include_str!("files/mixing.toml")),
    ("in-context", include_str!("files/in-context.toml")),
    ("skills", include_str!("files/skills.toml")),
    (
        "skills-composed",
        include_str!("files/skills-composed.toml"),
    ),
    ("lens", include_str!("files/lens.toml")),
    ("lens-permuted", include_str!("files/lens-permuted.toml")),
    ("lens-addition", include_str!("files/lens-addition.toml")),
    ("robustness", include_str!("files/robustness.toml")),
    ("table", include_str!("files/table.toml")),
    ("images", include_str!("files/images.toml")),
    ("text", include_str!("files/text.toml")),
    (
        "grouping-quality",
        include_str!("files/grouping-quality.toml"),
    ),
    (
        "grouping-quality-aliases",
        include_str!("files/grouping-quality-aliases.toml"),
    ),
    (
        "grouping-quality-permuted",
        include_str!("files/grouping-quality-permuted.toml"),
    ),
    (
        "grouping-quality-addition",
        include_str!("files/grouping-quality-addition.toml"),
    ),
    (
        "grouping-quality-digits",
        include_str!("files/grouping-quality-digits.toml"),
    ),
    (
        "grouping-quality-subpopulations",
        include_str!("files/grouping-quality-subpopulations.toml"),
    ),
    (
        "grouping-quality-skills",
        include_str!("files/grouping-quality-skills.toml"),
    ),
];

/// The file of the experiment called `name`.
pub(crate) fn find(name: &str) -> anyhow::Result<&'static str> {
    let names = || FILES.iter().map(|(name, _)| *name);
    match FILES.iter().find(|(other, _)| *other == name) {
        Some((_, text)) => Ok(text),
        None => {
            let near = meant(name, names());
            bail!(
                "there is no experiment '{name}'{near}; there are {}; a file of your own ends in .toml",
                names().collect::<Vec<_>>().join(", ")
            )
        }
    }
}

/// The name of the experiment that does the same as the one called `name` on another task: `name-task`.
pub(crate) fn on_task(name: &str, task: &str) -> anyhow::Result<String> {
    find(name)?;
    let others = || {
        let names = FILES.iter().map(|(name, _)| *name);
        names.filter_map(|other| other.strip_prefix(name)?.strip_prefix('-'))
    };
    if let Some(known) = others().find(|other| *other == task) {
        return Ok(format!("{name}-{known}"));
    }
    match others().next() {
        None => bail!("the experiment {name} has one task; leave --task out"),
        Some(_) => {
            let near = meant(task, others());
            bail!(
                "the experiment {name} has no task '{task}'{near}; there are {}, and its own without --task",
                others().collect::<Vec<_>>().join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::on_task;

    #[test]
    fn tasks_of_one_experiment() {
        let found = on_task("grouping-quality", "skills").unwrap();
        assert_eq!(found, "grouping-quality-skills");
        let said = |name, task| on_task(name, task).unwrap_err().to_string();
        assert_eq!(
            said("grouping-quality", "skils"),
            "the experiment grouping-quality has no task 'skils', did you mean 'skills'?; there are aliases, permuted, addition, digits, \
             subpopulations, skills, and its own without --task"
        );
        assert_eq!(
            said("table", "skills"),
            "the experiment table has one task; leave --task out"
        );
        assert!(said("nothing", "skills").contains("there is no experiment 'nothing'"));
    }
}
