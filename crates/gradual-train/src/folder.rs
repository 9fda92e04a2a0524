//! The folder of one run.
//!
//! ```text
//! runs/<experiment>/<arm>/seed-<s>/
//!     config.json  environment.json  curves.jsonl  groups.jsonl  timing.jsonl  DONE
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gradual_measure::{Evaluation, Grouping, Record, RunConfig, SCHEMA, Timing};
use serde_json::Value;

use crate::{Observer, TrainError};

const CONFIG: &str = "config.json";
const ENVIRONMENT: &str = "environment.json";
const CURVES: &str = "curves.jsonl";
const GROUPS: &str = "groups.jsonl";
const TIMING: &str = "timing.jsonl";
const DONE: &str = "DONE";

/// What a run folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Empty,
    /// A run that did not end.
    Unfinished,
    /// A finished run.
    Done,
}

/// Writes a run down, line by line.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    curves: File,
    groups: File,
    timing: File,
}

impl RunFolder {
    /// What the folder at `path` holds, if its configuration is `config`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Configuration`] naming the entries that differ when it holds another run, and
    /// [`TrainError::Measure`] when its configuration can't be read.
    pub fn state(path: &Path, config: &RunConfig) -> Result<State, TrainError> {
        let file = path.join(CONFIG);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Empty),
            Err(source) => {
                return Err(TrainError::File {
                    operation: "read",
                    path: file,
                    source,
                });
            }
        };
        let held = RunConfig::from_line(&text)?;
        if held != *config {
            let [held, asked] = [&held, config].map(serde_json::to_value);
            let difference = match (held, asked) {
                (Ok(held), Ok(asked)) => difference("", &held, &asked).join(", "),
                _ => String::from("unreadable"),
            };
            return Err(TrainError::Configuration {
                path: path.to_owned(),
                difference,
            });
        }
        match path.join(DONE).exists() {
            true => Ok(State::Done),
            false => Ok(State::Unfinished),
        }
    }

    /// Starts the run of `config` over at `path`; what the folder held of a run is removed.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] naming the file that could not be written.
    pub fn create(
        path: &Path,
        config: &RunConfig,
        environment: &Value,
    ) -> Result<Self, TrainError> {
        fs::create_dir_all(path).map_err(|source| failed("create", path, source))?;
        for name in [DONE, CONFIG, CURVES, GROUPS, TIMING] {
            let file = path.join(name);
            match fs::remove_file(&file) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", &file, source));
                }
                _ => {}
            }
        }
        let open = |name: &str| {
            let file = path.join(name);
            File::create(&file).map_err(|source| failed("create", &file, source))
        };
        let folder = Self {
            path: path.to_owned(),
            curves: open(CURVES)?,
            groups: open(GROUPS)?,
            timing: open(TIMING)?,
        };
        folder.replace(ENVIRONMENT, &format!("{environment:#}\n"))?;
        folder.replace(CONFIG, &(config.to_line()? + "\n"))?;
        Ok(folder)
    }

    /// Marks the run as finished.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] when the curves can't be brought to disk or the mark can't be written.
    pub fn finish(self) -> Result<(), TrainError> {
        for (file, name) in [
            (&self.curves, CURVES),
            (&self.groups, GROUPS),
            (&self.timing, TIMING),
        ] {
            file.sync_all()
                .map_err(|source| failed("sync", &self.path.join(name), source))?;
        }
        self.replace(DONE, "")
    }

    /// Writes a whole file under a temporary name and renames it.
    fn replace(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let (file, temporary) = (self.path.join(name), self.path.join(format!("{name}.tmp")));
        fs::write(&temporary, text)
            .and_then(|()| fs::rename(&temporary, &file))
            .map_err(|source| failed("write", &file, source))
    }

    fn append(&self, mut file: &File, name: &str, line: String) -> Result<(), TrainError> {
        // One write per line, so that a killed run ends with whole lines.
        file.write_all((line + "\n").as_bytes())
            .map_err(|source| failed("write", &self.path.join(name), source))
    }
}

impl Observer for RunFolder {
    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<(), TrainError> {
        self.append(&self.curves, CURVES, evaluation.to_line()?)?;
        let timing = Timing {
            schema: SCHEMA,
            step: evaluation.step,
            seconds,
        };
        self.append(&self.timing, TIMING, timing.to_line()?)
    }

    fn grouped(&mut self, grouping: &Grouping) -> Result<(), TrainError> {
        self.append(&self.groups, GROUPS, grouping.to_line()?)
    }
}

fn failed(operation: &'static str, path: &Path, source: io::Error) -> TrainError {
    TrainError::File {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// The entries in which two values differ, as `path: held → asked`.
fn difference(path: &str, held: &Value, asked: &Value) -> Vec<String> {
    let (Value::Object(held), Value::Object(asked)) = (held, asked) else {
        return match held == asked {
            true => Vec::new(),
            false => vec![format!("{path}: {held} there, {asked} asked for")],
        };
    };
    let mut keys: Vec<&String> = held.keys().chain(asked.keys()).collect();
    keys.sort();
    keys.dedup();
    let entry = |map: &serde_json::Map<String, Value>, key: &String| {
        map.get(key).cloned().unwrap_or(Value::Null)
    };
    let child = |key: &String| {
        if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        }
    };
    keys.into_iter()
        .flat_map(|key| difference(&child(key), &entry(held, key), &entry(asked, key)))
        .collect()
}
