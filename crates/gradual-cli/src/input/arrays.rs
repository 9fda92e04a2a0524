//! The arrays of a file, `.npy` or `.safetensors`.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::array::Array;
use super::{ends_in, npy, safetensors};

/// The arrays of a file. `FILE.safetensors:NAME` is one of them by name.
pub(super) fn all(path: &Path) -> anyhow::Result<Vec<Array>> {
    let (file, wanted) = parts(path);
    if ends_in(&file, "npy") && wanted.is_none() {
        return Ok(vec![npy::read(&file)?]);
    }
    if ends_in(&file, "safetensors") {
        return safetensors::read(&file, wanted.as_deref());
    }
    bail!(
        "{}: expected a file whose name ends in .npy or .safetensors",
        path.display()
    );
}

/// The one array of a file. Of several in a file, the one called `role`.
pub(super) fn one(path: &Path, role: &str) -> anyhow::Result<Array> {
    let mut found = all(path)?;
    if found.len() > 1
        && let Some(at) = found.iter().position(|one| one.tensor() == Some(role))
    {
        return Ok(found.swap_remove(at));
    }
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (last, _) => {
            let names = found.iter().chain(&last).filter_map(Array::tensor);
            let names: Vec<String> = names.map(gradual::runs::shown).collect();
            bail!(
                "{}: expected one tensor, or one called \"{role}\", found {}; name one: {}:NAME",
                path.display(),
                names.join(", "),
                path.display()
            )
        }
    }
}

/// The file, and the tensor that is named after it.
fn parts(path: &Path) -> (PathBuf, Option<String>) {
    if path.exists() {
        return (path.to_owned(), None);
    }
    let text = path.to_string_lossy();
    match text.split_once(".safetensors:") {
        Some((file, name)) => (
            PathBuf::from(format!("{file}.safetensors")),
            Some(name.to_owned()),
        ),
        None => (path.to_owned(), None),
    }
}
