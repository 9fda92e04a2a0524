//! The experiments that come with the program.

use anyhow::bail;

use crate::meant::meant;

/// Name and file of each.
pub(crate) const FILES: [(&str, &str); 17] = [
    ("sparse-parity", include_str!("files/sparse-parity.toml")),
    ("gradualness", include_str!("files/gradualness.toml")),
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
    ("skills", include_str!("files/skills.toml")),
    (
        "skills-composed",
        include_str!("files/skills-composed.toml"),
    ),
    ("table", include_str!("files/table.toml")),
    ("images", include_str!("files/images.toml")),
    ("text", include_str!("files/text.toml")),
    (
        "grouping-quality",
        include_str!("files/grouping-quality.toml"),
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
