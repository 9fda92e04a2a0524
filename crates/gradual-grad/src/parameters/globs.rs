//! Globs over the paths of parameters.

use std::collections::HashSet;

use globset::{Glob, GlobMatcher};

use super::Parameter;
use crate::error::GradError;

/// A glob over parameter paths; `*` matches any characters, dots too.
pub(crate) fn glob(pattern: &str) -> Result<GlobMatcher, GradError> {
    let glob = Glob::new(pattern).map_err(|error| GradError::Glob {
        pattern: pattern.to_owned(),
        problem: error.kind().to_string(),
    })?;
    Ok(glob.compile_matcher())
}

/// Paths of the parameters that match one of several globs, each of which must match some.
pub(crate) fn matching(
    patterns: &[String],
    known: &[Parameter],
) -> Result<HashSet<String>, GradError> {
    let mut paths = HashSet::new();
    for pattern in patterns {
        let matcher = glob(pattern)?;
        let all = known.iter().map(|parameter| &parameter.path);
        let found: Vec<&String> = all.filter(|path| matcher.is_match(path)).collect();
        if found.is_empty() {
            let known: Vec<&str> = known.iter().map(|each| each.path.as_str()).collect();
            let problem = format!("matches none of the parameters {}", known.join(", "));
            return Err(GradError::Glob {
                pattern: pattern.clone(),
                problem,
            });
        }
        paths.extend(found.into_iter().cloned());
    }
    Ok(paths)
}
