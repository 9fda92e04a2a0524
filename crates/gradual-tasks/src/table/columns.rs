//! A table taken apart, row by row.

use gradual_registry::excerpt;

use super::error::{LISTED, SHORT, TableError};
use super::far::far;
use super::feature::{Feature, Reading, shown};
use super::fill::{Fill, fill};
use super::options::Predicted;
use crate::counted::counted;
use crate::finite::few::few_held_out;
use crate::finite::groups::{Group, by_first_example, grouped, in_one_part};
use crate::finite::out_of;
use crate::finite::scale::Scale;
use crate::finite::texts::Texts;

/// Fewest and most classes; more are taken for a mistake.
const CLASSES: std::ops::RangeInclusive<usize> = 2..=100;
/// Most distinct values of the group column.
const GROUPS: usize = 50_000;
/// Most cells.
const CELLS: usize = 100_000_000;
/// Most inputs of the model.
const INPUTS: usize = 100_000;
/// Most columns that are described one by one.
const DESCRIBED: usize = 50;

/// What a table is called in messages, and its columns.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) table: String,
    pub(super) predicted: Predicted,
    pub(super) group: String,
}

/// A table whose rows are added one after another.
#[derive(Debug)]
pub(super) struct Columns {
    names: Names,
    pub(super) features: Vec<Reading>,
    targets: Reads,
    groups: Vec<u32>,
    group_values: Texts,
}

/// What is predicted, as it is read.
#[derive(Debug)]
enum Reads {
    Classes { places: Vec<u32>, values: Texts },
    Numbers(Vec<f64>),
}

/// What the rows predict.
#[derive(Debug)]
pub(super) enum Targets {
    Classes {
        /// Of each row.
        classes: Vec<i32>,
        names: Vec<String>,
    },
    Numbers(Vec<f64>),
}

/// A table that can be learned.
#[derive(Debug)]
pub(super) struct Checked {
    /// The column of what is predicted.
    pub(super) predicted: String,
    pub(super) features: Vec<Feature>,
    /// How many inputs a model of it has.
    pub(super) width: usize,
    pub(super) targets: Targets,
    pub(super) groups: Vec<Group>,
    /// In which order groups are parted.
    pub(super) order: Vec<usize>,
    pub(super) described: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Targets {
    /// The class of each row; empty where there are none.
    pub(super) fn classes(&self) -> &[i32] {
        match self {
            Self::Classes { classes, .. } => classes,
            Self::Numbers(_) => &[],
        }
    }

    /// How many numbers a model says of a row.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Classes { names, .. } => names.len(),
            Self::Numbers(_) => 1,
        }
    }
}

/// A cell of what is predicted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'a> {
    Class(&'a str),
    Number(f64),
}

impl Columns {
    /// An empty table of these features.
    pub(super) fn new(names: Names, features: Vec<Reading>) -> Self {
        let targets = match &names.predicted {
            Predicted::Class(_) => Reads::Classes {
                places: Vec::new(),
                values: Texts::default(),
            },
            Predicted::Number(_) => Reads::Numbers(Vec::new()),
        };
        Self {
            names,
            features,
            targets,
            groups: Vec::new(),
            group_values: Texts::default(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.groups.len()
    }

    fn unusable(&self, problem: String) -> TableError {
        TableError::Unusable {
            table: self.names.table.clone(),
            problem,
        }
    }

    fn predicted(&self) -> String {
        excerpt(self.names.predicted.column(), SHORT)
    }

    fn group(&self) -> String {
        excerpt(&self.names.group, SHORT)
    }

    /// What one row more predicts, and its group. Its features are pushed one by one.
    pub(super) fn push(&mut self, target: Target<'_>, group: &str) -> Result<(), TableError> {
        match (&mut self.targets, target) {
            (Reads::Classes { places, values }, Target::Class(class)) => {
                places.push(values.place(class));
                if values.len() > *CLASSES.end() {
                    return Err(self.unusable(format!(
                        "the label column '{}' holds more than {} distinct values; a class for each is learned, so \
                         there may be from {} to {} of them. Numbers are predicted with target in the place of label",
                        self.predicted(),
                        CLASSES.end(),
                        CLASSES.start(),
                        CLASSES.end()
                    )));
                }
            }
            (Reads::Numbers(numbers), Target::Number(number)) => numbers.push(number),
            // The reader makes targets by the same word as this.
            _ => return Err(self.unusable("its targets are of two kinds".to_owned())),
        }
        self.groups.push(self.group_values.place(group));
        if self.group_values.len() > GROUPS {
            return Err(self.unusable(format!(
                "the group column '{}' holds more than {GROUPS} distinct values; does it name rows instead of groups?",
                self.group()
            )));
        }
        if (self.features.len() + 2) * self.rows() > CELLS {
            return Err(self.unusable(format!("has more than {CELLS} cells, the most of a table")));
        }
        Ok(())
    }

    /// The table, if it can be learned. Its groups are parted in the order of their first rows, so that their names
    /// have no part in it, or, `by_value`, in that of their values.
    pub(super) fn check(self, by_value: bool) -> Result<Checked, TableError> {
        let rows = self.rows();
        if rows < 2 {
            let rows = match rows {
                0 => String::from("no rows"),
                _ => String::from("1 row"),
            };
            return Err(self.unusable(format!("has {rows}; at least 2 are needed")));
        }
        if self.features.is_empty() {
            return Err(self.unusable("has no feature column beside label and group".to_owned()));
        }
        let (predicted, group) = (self.predicted(), self.group());
        let table = self.names.table.clone();
        let unusable = |problem: String| TableError::Unusable {
            table: table.clone(),
            problem,
        };
        let mut warnings = Vec::new();
        for (column, values) in [
            ("group", Some(&self.group_values)),
            ("label", self.label_values()),
        ] {
            let name = if column == "group" {
                &group
            } else {
                &predicted
            };
            if let Some([others @ .., last]) = values.map(Texts::same_number).as_deref()
                && !others.is_empty()
            {
                let quoted = |text: &&str| format!("'{}'", excerpt(text, SHORT));
                let listed: Vec<String> = others.iter().take(LISTED).map(quoted).collect();
                let count = others.len() + 1;
                let how_many = if count == 2 {
                    String::from("two")
                } else {
                    count.to_string()
                };
                warnings.push(format!(
                    "the {column} column '{name}' holds {} and {}, which are one number but {how_many} {column}s",
                    listed.join(", "),
                    quoted(last)
                ));
            }
            if let Some((one, _)) = values.and_then(Texts::same_letters) {
                warnings.push(format!(
                    "the {column} column '{name}' holds '{}' twice, in two forms of Unicode, which are two {column}s",
                    excerpt(one, SHORT)
                ));
            }
        }
        let (targets, what) = match self.targets {
            Reads::Classes { places, values } => {
                if values.len() < *CLASSES.start() {
                    return Err(unusable(format!(
                        "the label column '{predicted}' holds 1 distinct value; from {} to {} are needed",
                        CLASSES.start(),
                        CLASSES.end()
                    )));
                }
                let (names, ranks) = values.ranked();
                let classes = places.iter().map(|&place| ranks[place as usize] as i32);
                let targets = Targets::Classes {
                    classes: classes.collect(),
                    names,
                };
                let what = format!("{} classes", targets.width());
                (targets, what)
            }
            Reads::Numbers(numbers) => {
                if Scale::of(numbers.iter().copied()).is_constant() {
                    return Err(unusable(format!(
                        "the numbers of the target column '{predicted}' do not differ; there is nothing to predict"
                    )));
                }
                if let Some(row) = far(&numbers) {
                    return Err(unusable(too_far(&predicted, row, numbers[row])));
                }
                warnings.extend(fill(&numbers).map(|fill| stands_for(&predicted, fill)));
                (Targets::Numbers(numbers), "a number".to_owned())
            }
        };
        let (values, ranks) = self.group_values.ranked();
        let column: Vec<u32> = (self.groups.iter())
            .map(|&place| ranks[place as usize])
            .collect();
        if values.len() >= 10 && 2 * values.len() >= rows {
            warnings.push(format!(
                "the group column '{group}' holds {} distinct values in {rows} rows; does it name rows instead of \
                 groups?",
                values.len()
            ));
        }
        let groups = grouped(&group, &values, &column, "row").ok_or_else(|| {
            unusable(format!(
                "every group has a single row; none can be measured. Does the group column '{group}' name rows \
                 instead of groups?"
            ))
        })?;
        let order = match by_value {
            true => (0..groups.len()).collect(),
            false => by_first_example(&groups),
        };
        if let Targets::Classes { classes, names } = &targets {
            warnings.extend(in_one_part(&groups, classes, names, "row", usize::MAX));
        }
        let held = groups
            .iter()
            .map(|group| (group.name.as_str(), out_of(group.examples.len())));
        warnings.extend(few_held_out(held, "row", true));
        let (features, described) = finished(self.features, &mut warnings);
        for feature in &features {
            if let Some((row, number)) = feature.far() {
                return Err(unusable(too_far(&feature.name, row, number)));
            }
        }
        let width: usize = features.iter().map(Feature::width).sum();
        if width == 0 {
            return Err(unusable("every feature column is empty".to_owned()));
        }
        if width > INPUTS {
            return Err(unusable(format!(
                "its columns become {width} inputs of the model; {INPUTS} is the most"
            )));
        }
        let mut all = vec![format!(
            "{}; '{predicted}' is predicted ({what}), '{group}' names {}, and the other columns become {}",
            counted(rows, "row"),
            counted(groups.len(), "group"),
            counted(width, "input")
        )];
        all.extend(described);
        let notes = all.iter().chain(&warnings);
        Ok(Checked {
            predicted,
            notes: notes.map(|note| format!("{table}: {note}")).collect(),
            described: all,
            features,
            width,
            targets,
            groups,
            order,
        })
    }

    fn label_values(&self) -> Option<&Texts> {
        match &self.targets {
            Reads::Classes { values, .. } => Some(values),
            Reads::Numbers(_) => None,
        }
    }
}

/// What is wrong with a number, by its row from 0 on.
fn too_far(column: &str, row: usize, number: f64) -> String {
    format!(
        "the column '{}' has {number:?} in row {} (the header not counted), more than 1e12 times as far from the others as they are from \
         each other; if it stands for a missing number, leave the cell empty, and if not, leave the row out",
        excerpt(column, SHORT),
        row + 1
    )
}

/// What may be wrong with a number that stands apart.
fn stands_for(column: &str, fill: Fill) -> String {
    let [low, high] = fill.others.map(shown);
    let others = match low == high {
        true => format!("{low} elsewhere"),
        false => format!("from {low} to {high} elsewhere"),
    };
    format!(
        "the column '{}' holds {} in {} rows, and {others}; if that stands for a missing number, leave the cells empty",
        excerpt(column, SHORT),
        shown(fill.number),
        fill.times
    )
}

/// The columns that hold anything, and what was made of each column. What is odd is warned of.
fn finished(readings: Vec<Reading>, warnings: &mut Vec<String>) -> (Vec<Feature>, Vec<String>) {
    let (mut features, mut plain, mut described) = (Vec::new(), Vec::new(), Vec::new());
    for reading in readings {
        let name = excerpt(&reading.name, SHORT);
        let Some(feature) = reading.finish() else {
            described.push(format!("{name}: left out, every cell is missing"));
            continue;
        };
        match feature.described() {
            Some(what) => described.push(what),
            None => plain.push(name),
        }
        if feature.counts_rows() {
            let name = excerpt(&feature.name, SHORT);
            warnings.push(format!(
                "the column '{name}' counts the rows; if it is an index, leave it out (--ignore, or `ignore` in a file)"
            ));
        }
        if let Some(fill) = feature.fill() {
            warnings.push(stands_for(&feature.name, fill));
        }
        features.push(feature);
    }
    let more = |listed: usize, all: usize| match all.saturating_sub(listed) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if !plain.is_empty() {
        let listed = plain.iter().take(DESCRIBED).cloned().collect::<Vec<_>>();
        let what = match plain.len() {
            1 => "numbers".to_owned(),
            several => format!("numbers, {several} columns"),
        };
        let names = listed.join(", ") + &more(listed.len(), plain.len());
        described.insert(0, format!("{names}: {what}"));
    }
    let all = described.len();
    described.truncate(DESCRIBED);
    if all > DESCRIBED {
        described.push(format!("{} columns more", all - DESCRIBED));
    }
    (features, described)
}

impl Checked {
    /// The scale of every input of a model, by the training rows.
    pub(super) fn scales(&self, training: &[u32]) -> Vec<Scale> {
        let mut scales = Vec::with_capacity(self.width);
        for feature in &self.features {
            feature.scale(training, &mut scales);
        }
        scales
    }

    /// A row in words, of a few more than `most` characters at most: its number, from 1, what is to be predicted, and its
    /// columns' values.
    pub(super) fn described_row(&self, row: u32, most: usize) -> Option<String> {
        let at = row as usize;
        let target = match &self.targets {
            Targets::Classes { classes, names } => {
                let class = usize::try_from(*classes.get(at)?).ok()?;
                excerpt(names.get(class)?, SHORT)
            }
            Targets::Numbers(numbers) => shown(*numbers.get(at)?),
        };
        let mut words = format!("row {}, {} = {target}:", at + 1, self.predicted);
        for (place, feature) in self.features.iter().enumerate() {
            if words.chars().nth(most).is_some() {
                break;
            }
            let comma = if place == 0 { "" } else { "," };
            words.push_str(&format!("{comma} {}", feature.said(row)));
        }
        Some(words)
    }

    /// The inputs of some rows, row-major.
    pub(super) fn inputs(&self, rows: &[u32], scales: &[Scale]) -> Vec<f32> {
        let mut inputs = vec![0.0; rows.len() * self.width];
        let mut first = 0;
        for feature in &self.features {
            let its = first..first + feature.width();
            for (at, &row) in rows.iter().enumerate() {
                let from = at * self.width;
                let places = from + its.start..from + its.end;
                feature.write(row, &scales[its.clone()], &mut inputs[places]);
            }
            first = its.end;
        }
        inputs
    }
}
