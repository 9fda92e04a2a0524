//! A column that the model sees.

use gradual_registry::excerpt;

use super::cell::{Cell, SEVERAL_LINES};
use super::error::SHORT;
use super::far::far;
use super::fill::{Fill, fill};
use super::options::{Missing, TableOptions};
use crate::finite::scale::Scale;
use crate::finite::texts::Texts;

/// Most levels that a description names.
const NAMED: usize = 6;
/// The code of a missing cell.
const NONE: u32 = u32::MAX;

/// A number in few digits: as single precision where it is one, and large and small ones by their power of ten.
pub(super) fn shown(number: f64) -> String {
    let size = number.abs();
    let plain = number == 0.0 || (1e-5..1e15).contains(&size);
    match (f64::from(number as f32) == number, plain) {
        (true, true) => (number as f32).to_string(),
        (true, false) => format!("{:e}", number as f32),
        (false, true) => number.to_string(),
        (false, false) => format!("{number:e}"),
    }
}

/// A column as its cells are read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) name: String,
    /// Whether its numbers are names.
    categorical: bool,
    cells: Cells,
    missing: usize,
}

/// Cells so far.
#[derive(Debug)]
enum Cells {
    /// All were missing.
    Unknown,
    /// NaN where they are missing.
    Numbers(Vec<f64>),
    Levels {
        codes: Vec<u32>,
        texts: Texts,
    },
}

impl Reading {
    pub(super) fn new(name: &str, categorical: bool) -> Self {
        Self {
            name: name.to_owned(),
            categorical,
            cells: Cells::Unknown,
            missing: 0,
        }
    }

    /// A column of numbers, none of which is missing.
    pub(super) fn push_number(&mut self, value: f64) {
        match &mut self.cells {
            Cells::Numbers(numbers) => numbers.push(value),
            other => *other = Cells::Numbers(vec![value]),
        }
    }

    /// One cell more, or what is wrong with it.
    pub(super) fn push(&mut self, text: &str, options: &TableOptions) -> Result<(), String> {
        let cell = match self.categorical {
            true if super::cell::is_missing(text) => Cell::Missing,
            true if text.contains(['\n', '\r']) => return Err(SEVERAL_LINES.to_owned()),
            true => Cell::Text(text),
            false => Cell::new(text)?,
        };
        if cell == Cell::Missing && options.missing == Missing::Refuse {
            return Err("is a missing value, and those are refused (missing = refuse)".to_owned());
        }
        // What the first cell that is there holds is what the column holds.
        if let Cells::Unknown = self.cells {
            match cell {
                Cell::Missing => {}
                Cell::Number(_) => self.cells = Cells::Numbers(vec![f64::NAN; self.missing]),
                Cell::Text(_) => {
                    self.cells = Cells::Levels {
                        codes: vec![NONE; self.missing],
                        texts: Texts::default(),
                    }
                }
            }
        }
        let names = "name the column as categorical if all its cells are names";
        match (&mut self.cells, cell) {
            (Cells::Unknown, _) => self.missing += 1,
            (Cells::Numbers(numbers), Cell::Number(value)) => numbers.push(value),
            (Cells::Numbers(numbers), Cell::Missing) => {
                self.missing += 1;
                numbers.push(f64::NAN);
            }
            (Cells::Numbers(_), Cell::Text(_)) => {
                return Err(format!(
                    "is not a finite number, but the cells above it are; {names}"
                ));
            }
            (Cells::Levels { codes, .. }, Cell::Missing) => {
                self.missing += 1;
                codes.push(NONE);
            }
            (Cells::Levels { .. }, Cell::Number(_)) => {
                return Err(format!(
                    "is a number, but the cells above it are texts; {names}"
                ));
            }
            (Cells::Levels { codes, texts }, Cell::Text(text)) => {
                codes.push(texts.place(text));
                if texts.len() > options.levels {
                    return Err(format!(
                        "is one more than the {} distinct values that a column of names may hold, each of which \
                         becomes a column; leave the column out \
                         (--ignore, or `ignore` in a file), or allow more (--levels, up to {})",
                        options.levels,
                        super::options::ALLOWED.end()
                    ));
                }
            }
        }
        Ok(())
    }

    /// The column, if it holds anything at all.
    pub(super) fn finish(self) -> Option<Feature> {
        let values = match self.cells {
            Cells::Unknown => return None,
            Cells::Numbers(numbers) => Values::Numbers(numbers),
            Cells::Levels { mut codes, texts } => {
                let (levels, ranks) = texts.ranked();
                for code in codes.iter_mut().filter(|code| **code != NONE) {
                    *code = ranks[*code as usize];
                }
                Values::Levels { levels, codes }
            }
        };
        Some(Feature {
            name: self.name,
            values,
            missing: self.missing,
        })
    }
}

/// A column that was read.
#[derive(Debug)]
pub(super) struct Feature {
    pub(super) name: String,
    values: Values,
    /// How many of its cells are missing.
    missing: usize,
}

#[derive(Debug)]
enum Values {
    /// NaN where they are missing.
    Numbers(Vec<f64>),
    Levels {
        levels: Vec<String>,
        codes: Vec<u32>,
    },
}

impl Feature {
    /// How many inputs of the model it becomes: one of numbers or one for each level, and one that says which cells are
    /// missing where some are.
    pub(super) fn width(&self) -> usize {
        let own = match &self.values {
            Values::Numbers(_) => 1,
            Values::Levels { levels, .. } => levels.len(),
        };
        own + usize::from(self.missing > 0)
    }

    /// Adds the scale of each of its inputs, by the training rows.
    pub(super) fn scale(&self, rows: &[u32], scales: &mut Vec<Scale>) {
        match &self.values {
            Values::Numbers(numbers) => {
                let present = rows.iter().map(|&row| numbers[row as usize]);
                scales.push(Scale::of(present.filter(|value| !value.is_nan())));
            }
            Values::Levels { levels, codes } => scales.extend((0..levels.len()).map(|level| {
                Scale::of_flags(rows.iter().map(|&row| codes[row as usize] == level as u32))
            })),
        }
        if self.missing > 0 {
            let missing = rows.iter().map(|&row| self.is_missing(row));
            scales.push(Scale::of_flags(missing));
        }
    }

    fn is_missing(&self, row: u32) -> bool {
        match &self.values {
            Values::Numbers(numbers) => numbers[row as usize].is_nan(),
            Values::Levels { codes, .. } => codes[row as usize] == NONE,
        }
    }

    /// Writes its inputs of a row.
    pub(super) fn write(&self, row: u32, scales: &[Scale], inputs: &mut [f32]) {
        inputs.fill(0.0);
        match &self.values {
            // Zero, the mean of the training rows, where it is missing.
            Values::Numbers(numbers) if numbers[row as usize].is_nan() => {}
            Values::Numbers(numbers) => inputs[0] = scales[0].apply(numbers[row as usize]),
            Values::Levels { codes, .. } if codes[row as usize] == NONE => {}
            Values::Levels { codes, .. } => {
                let level = codes[row as usize] as usize;
                inputs[level] = scales[level].apply(1.0);
            }
        }
        if self.missing > 0 && self.is_missing(row) {
            let last = inputs.len() - 1;
            inputs[last] = scales[last].apply(1.0);
        }
    }

    /// Its name with its value in a row; `?` where that is missing.
    pub(super) fn said(&self, row: u32) -> String {
        let value = match &self.values {
            _ if self.is_missing(row) => String::from("?"),
            Values::Numbers(numbers) => shown(numbers[row as usize]),
            Values::Levels { levels, codes } => {
                excerpt(&levels[codes[row as usize] as usize], SHORT / 2)
            }
        };
        format!("{} {value}", excerpt(&self.name, SHORT / 2))
    }

    /// What was made of the column; none where it is numbers, none of which is missing.
    pub(super) fn described(&self) -> Option<String> {
        let (missing, are) = match self.missing {
            0 => (String::new(), ""),
            1 => (String::from("1 missing cell"), "is"),
            several => (format!("{several} missing cells"), "are"),
        };
        let name = excerpt(&self.name, SHORT);
        match &self.values {
            Values::Numbers(_) if self.missing == 0 => None,
            Values::Numbers(_) => Some(format!(
                "{name}: numbers; {missing} became the mean, and a column says which"
            )),
            Values::Levels { levels, .. } => {
                let named: Vec<String> = levels
                    .iter()
                    .take(NAMED)
                    .map(|level| excerpt(level, SHORT / 2))
                    .collect();
                let more = match levels.len().saturating_sub(NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let count = match levels.len() {
                    1 => String::from("1 level, a column of zeros and ones"),
                    several => format!("{several} levels, a column of zeros and ones each"),
                };
                let missing = match self.missing {
                    0 => missing,
                    _ => format!("; {missing} {are} of no level, and a column says which"),
                };
                Some(format!(
                    "{name}: {count} ({}{more}){missing}",
                    named.join(", ")
                ))
            }
        }
    }

    /// The row and the number that is too [far] from the others, if one is.
    pub(super) fn far(&self) -> Option<(usize, f64)> {
        match &self.values {
            Values::Numbers(numbers) => far(numbers).map(|row| (row, numbers[row])),
            Values::Levels { .. } => None,
        }
    }

    /// The number that may stand for missing ones, if one does.
    pub(super) fn fill(&self) -> Option<Fill> {
        match &self.values {
            Values::Numbers(numbers) => fill(numbers),
            Values::Levels { .. } => None,
        }
    }

    /// Whether its numbers go up by one from row to row, as an index does.
    pub(super) fn counts_rows(&self) -> bool {
        match &self.values {
            Values::Numbers(numbers) => {
                numbers.len() >= 10 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
            }
            Values::Levels { .. } => false,
        }
    }
}
