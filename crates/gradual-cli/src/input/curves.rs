//! Learning curves of one run.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use gradual::measure::{CapabilityRecord, Evaluation};
use gradual::runs::files::DONE;
use gradual::runs::streams::tell;
use gradual::runs::{Lines, SCHEMA, shown};

use super::columns::Table;
use super::ends_in;

/// The columns of a table with a row for each step and capability.
const COLUMNS: [&str; 8] = [
    "step",
    "capability",
    "accuracy",
    "loss",
    "chance",
    "frequency",
    "probability",
    "progress",
];

/// Those that stand beside accuracies.
const BESIDE: [&str; 5] = ["loss", "chance", "frequency", "probability", "progress"];

/// Capabilities that a note names.
const NAMED: usize = 6;

/// Whether a column of that name holds no accuracies: one of those, or some loss.
fn is_beside(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_loss = |part: &str| part == "loss";
    BESIDE.contains(&name.as_str()) || name.split(|c: char| !c.is_alphanumeric()).any(is_loss)
}

/// Learning curves, and which of their numbers were there.
pub(crate) struct Curves {
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) has_losses: bool,
    pub(crate) has_examples: bool,
    pub(crate) has_chances: bool,
    pub(crate) has_frequencies: bool,
}

/// The curves of a table, or of the journal of a run folder. Where a table has no chances, they are `chance`; where it has
/// no frequencies, all are equal.
pub(crate) fn read(path: &Path, chance: f64) -> anyhow::Result<Curves> {
    if !(0.0..1.0).contains(&chance) {
        bail!("--chance is {chance}, expected 0 to below 1");
    }
    if ends_in(path, "jsonl") {
        // Only the last line of a run that goes on may be torn.
        let finished = path.with_file_name(DONE).exists();
        let lines = Lines::<Evaluation>::read(path, finished)?;
        if let Some(line) = lines.torn {
            tell(format_args!(
                "note: {}: the torn last line {line} is left out",
                path.display()
            ));
        }
        return Ok(Curves {
            evaluations: lines.records,
            has_losses: true,
            has_examples: true,
            has_chances: true,
            has_frequencies: true,
        });
    }
    let table = Table::read(path)?;
    if table.place("step").is_none() {
        bail!(
            "{}: line 1: expected a column \"step\", found {}",
            path.display(),
            table.named()
        );
    }
    let long = table.place("capability").is_some();
    let has_losses = long && table.place("loss").is_some();
    let steps = match long {
        true => by_row(path, &table, chance)?,
        false => by_column(path, &table, chance)?,
    };
    if let (true, Some(line)) = filled(&table, "frequency") {
        bail!(
            "{}: line {line}: the frequency is missing, and others are there: give all of them, or none",
            path.display()
        );
    }
    let evaluations = steps.into_iter().map(|(step, capabilities)| {
        let equal = 1.0 / capabilities.len() as f64;
        let capabilities = capabilities.into_iter().map(|(name, record)| {
            let frequency = match record.frequency.is_nan() {
                true => equal,
                false => record.frequency,
            };
            (
                name,
                CapabilityRecord {
                    frequency,
                    ..record
                },
            )
        });
        Evaluation {
            schema: SCHEMA,
            step,
            examples: step,
            standing_examples: None,
            gradient_evaluations: None,
            left_out: None,
            train_loss: 0.0,
            moved: None,
            compute: None,
            capabilities: capabilities.collect(),
        }
    });
    Ok(Curves {
        evaluations: evaluations.collect(),
        has_losses,
        has_examples: false,
        has_chances: long && filled(&table, "chance").0,
        has_frequencies: long && filled(&table, "frequency").0,
    })
}

/// Whether any cell of a column is filled in, and the first line where one is not.
fn filled(table: &Table, column: &str) -> (bool, Option<u64>) {
    let Some(at) = table.place(column) else {
        return (false, None);
    };
    let empty = table.rows.iter().find(|(_, cells)| cells[at].is_empty());
    let any = table.rows.iter().any(|(_, cells)| !cells[at].is_empty());
    (any, empty.map(|(line, _)| *line))
}

type Steps = BTreeMap<u64, BTreeMap<String, CapabilityRecord>>;

/// A cell and where it is.
struct Cell<'a> {
    path: &'a Path,
    line: u64,
    column: &'a str,
    text: &'a str,
}

impl Cell<'_> {
    fn expected(&self, expected: &str) -> anyhow::Error {
        anyhow::anyhow!(
            "{}: line {}: the {} is {}, expected {expected}",
            self.path.display(),
            self.line,
            match self.column {
                "" => "name",
                column => column,
            },
            shown(self.text)
        )
    }

    /// A step. Other programs write whole numbers with a point, too.
    fn step(&self) -> anyhow::Result<u64> {
        let whole = || {
            let number: f64 = self.text.parse().ok()?;
            (number.fract() == 0.0 && (0.0..=9e15).contains(&number)).then_some(number as u64)
        };
        self.text
            .parse::<u64>()
            .ok()
            .or_else(whole)
            .ok_or_else(|| self.expected("a whole number, 0 or more"))
    }

    fn number(&self, expected: &str, sound: impl Fn(f64) -> bool) -> anyhow::Result<f64> {
        match self.text.parse::<f64>() {
            Ok(number) if number.is_finite() && sound(number) => Ok(number),
            _ => Err(self.expected(expected)),
        }
    }

    fn share(&self) -> anyhow::Result<f64> {
        let expected = "a share from 0 to 1 (87 % is 0.87)";
        self.number(expected, |share| (0.0..=1.0).contains(&share))
    }
}

/// A row for each step and capability.
fn by_row(path: &Path, table: &Table, chance: f64) -> anyhow::Result<Steps> {
    if let Some(unknown) = table
        .columns
        .iter()
        .find(|name| !COLUMNS.contains(&&***name))
    {
        bail!(
            "{}: line 1: the column {} is none of {}",
            path.display(),
            shown(unknown),
            COLUMNS.join(", ")
        );
    }
    if table.place("accuracy").is_none() {
        bail!(
            "{}: line 1: expected a column \"accuracy\", found {}",
            path.display(),
            table.named()
        );
    }
    let mut steps = Steps::new();
    for (line, cells) in &table.rows {
        let cell = |column: &'static str| {
            let text = cells[table.place(column)?].as_str();
            Some(Cell {
                path,
                line: *line,
                column,
                text,
            })
        };
        let needed = |column| cell(column).ok_or_else(|| anyhow::anyhow!("no column {column}"));
        let filled = |column| cell(column).filter(|cell| !cell.text.is_empty());
        let share = |column| filled(column).map(|cell| cell.share()).transpose();
        let name = needed("capability")?;
        if name.text.is_empty() {
            return Err(name.expected("a name"));
        }
        let record = CapabilityRecord {
            accuracy: needed("accuracy")?.share()?,
            loss: match cell("loss") {
                None => 0.0,
                Some(cell) => cell.number("a finite number", |_| true)?,
            },
            chance: match filled("chance") {
                None => chance,
                Some(cell) => cell.number("a share from 0 to below 1", |chance| {
                    (0.0..1.0).contains(&chance)
                })?,
            },
            // Filled in once all capabilities are known.
            frequency: share("frequency")?.unwrap_or(f64::NAN),
            probability: share("probability")?,
            progress: share("progress")?,
            parts: Vec::new(),
        };
        let step = needed("step")?.step()?;
        let of_step = steps.entry(step).or_default();
        if of_step.insert(name.text.to_owned(), record).is_some() {
            bail!(
                "{}: line {line}: step {step} has a row of {} already; give the curves of one run",
                path.display(),
                shown(name.text)
            );
        }
    }
    Ok(steps)
}

/// A row for each step, with a column of accuracies for each capability.
fn by_column(path: &Path, table: &Table, chance: f64) -> anyhow::Result<Steps> {
    let capabilities = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, name)| *name != "step");
    let capabilities: Vec<(usize, &String)> = capabilities.collect();
    if let Some((at, _)) = capabilities.iter().find(|(_, name)| name.is_empty()) {
        bail!(
            "{}: line 1: column {} has no name; an index that was written along has to go",
            path.display(),
            at + 1
        );
    }
    // Taken for capabilities they would count in every number over all of them.
    if let Some((_, name)) = capabilities.iter().find(|(_, name)| is_beside(name)) {
        bail!(
            "{}: line 1: without a column \"capability\", every column but the step is the accuracies of a capability, and {name} is \
             none: write a row for each step and capability (columns {}){}",
            path.display(),
            COLUMNS.join(", "),
            match name.to_lowercase().as_str() {
                "chance" => ", or leave it out and give --chance",
                _ => ", or leave it out",
            }
        );
    }
    let names = capabilities.iter().map(|(_, name)| shown(name));
    let names: Vec<String> = names.take(NAMED).collect();
    let more = match capabilities.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    tell(format!(
        "note: {}: every column but the step is taken for the accuracies of a capability: {}{more}",
        path.display(),
        names.join(", ")
    ));
    let mut steps = Steps::new();
    for (line, cells) in &table.rows {
        let cell = |at: usize| Cell {
            path,
            line: *line,
            column: &table.columns[at],
            text: &cells[at],
        };
        let step = cell(table.place("step").unwrap_or(0)).step()?;
        let mut records = BTreeMap::new();
        for (at, name) in &capabilities {
            let record = CapabilityRecord {
                accuracy: cell(*at).share()?,
                loss: 0.0,
                chance,
                frequency: f64::NAN,
                probability: None,
                progress: None,
                parts: Vec::new(),
            };
            records.insert((*name).clone(), record);
        }
        if steps.insert(step, records).is_some() {
            bail!(
                "{}: line {line}: step {step} has a row already; give the curves of one run",
                path.display()
            );
        }
    }
    Ok(steps)
}
