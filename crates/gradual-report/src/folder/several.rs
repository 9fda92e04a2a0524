//! Several experiments side by side.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use gradual_measure::Against;

use super::{Folder, LONGEST};
use crate::ReportError;
use crate::stop::Stop;
use crate::text::labels;

/// Refuses folders of which two are one.
///
/// # Errors
/// [`ReportError::Twice`].
pub(crate) fn once(dirs: &[PathBuf]) -> Result<(), ReportError> {
    let mut found: HashMap<PathBuf, &PathBuf> = HashMap::new();
    for dir in dirs {
        // One that can't be found is no experiment, which is told where it is read.
        let Ok(place) = fs::canonicalize(dir) else {
            continue;
        };
        if let Some(one) = found.insert(place, dir) {
            return Err(ReportError::Twice {
                one: one.clone(),
                other: dir.clone(),
            });
        }
    }
    Ok(())
}

impl Folder {
    /// Several experiments in one, each arm named after its folder too; one stays as it is.
    pub(crate) fn read_all(
        dirs: &[PathBuf],
        without_verdicts: bool,
        stop: &Stop,
    ) -> Result<Self, ReportError> {
        once(dirs)?;
        let folders = dirs
            .iter()
            .map(|dir| Self::read(dir, without_verdicts, stop));
        let mut all = Self::together(dirs, folders.collect::<Result<_, _>>()?)?;
        let names: Vec<&str> = all.arms.iter().map(|arm| arm.name.as_str()).collect();
        let labels = labels(&names, LONGEST);
        for (arm, label) in all.arms.iter_mut().zip(labels) {
            arm.label = label;
        }
        Ok(all)
    }

    fn together(dirs: &[PathBuf], mut folders: Vec<Self>) -> Result<Self, ReportError> {
        if folders.len() == 1
            && let Some(one) = folders.pop()
        {
            return Ok(one);
        }
        let labels = called(dirs);
        let mut folders = folders.into_iter().zip(&labels).map(|(mut folder, label)| {
            folder.prefix(label);
            folder
        });
        let mut all = folders.next().ok_or(ReportError::NoFolder)?;
        for folder in folders {
            all.claims.extend(folder.claims);
            all.stated.extend(folder.stated);
            all.commands.extend(folder.commands);
            all.arms.extend(folder.arms);
            all.notes.extend(folder.notes);
            all.said.extend(folder.said);
        }
        all.name = labels.join(", ");
        all.title = format!("{} side by side", labels.join(", "));
        Ok(all.with_places())
    }

    /// Names the experiment `label`, and every arm `label/arm`.
    fn prefix(&mut self, label: &str) {
        let named = |name: &mut String| *name = format!("{label}/{name}");
        named(&mut self.baseline);
        for arm in &mut self.arms {
            named(&mut arm.name);
            named(&mut arm.baseline);
            if let Some(reference) = &mut arm.reference {
                named(reference);
            }
            if let Some(series) = &mut arm.series {
                named(&mut series.name);
            }
        }
        for stated in &mut self.stated {
            named(&mut stated.claim.arm);
            for against in [Some(&mut stated.against), stated.claim.against.as_mut()] {
                if let Some(Against::Arm(other)) = against {
                    named(other);
                }
            }
            label.clone_into(&mut stated.experiment);
        }
        let commands = self.commands.iter_mut().map(|one| &mut one.command);
        for text in self.claims.iter_mut().chain(commands) {
            *text = format!("{label}: {text}");
        }
        for note in self.notes.iter_mut().chain(&mut self.said) {
            *note = format!("{label}: {note}");
        }
    }
}

/// Names of folders, told apart by a number where they are the same.
fn called(dirs: &[PathBuf]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for dir in dirs {
        let real = dir.canonicalize().unwrap_or_else(|_| dir.clone());
        let base = real.file_name().unwrap_or_default().to_string_lossy();
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let free = std::iter::once(base.to_string())
            .chain(numbered)
            .find(|label| !labels.contains(label));
        labels.extend(free);
    }
    labels
}
