//! What a table is read for.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::setting::{self, SettingError};

/// Most levels of a column of text, where nothing is said.
const LEVELS: usize = 50;
/// What [`TableOptions::levels`] may be.
pub(super) const ALLOWED: RangeInclusive<usize> = 2..=1_000;

/// What is done about missing cells of features.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Missing {
    /// A missing number becomes the mean of the training rows, a missing text is of no level. A column more says of
    /// each row whether its cell is missing.
    #[default]
    Impute,
    /// A table with a missing cell is refused.
    Refuse,
}

/// What is predicted of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Predicted {
    /// The class, which this column names.
    Class(String),
    /// The number in this column.
    Number(String),
}

impl Predicted {
    /// The name of the column.
    #[must_use]
    pub fn column(&self) -> &str {
        match self {
            Self::Class(column) | Self::Number(column) => column,
        }
    }
}

/// Which columns of a table are what, and how they are read.
///
/// ```
/// use gradual_tasks::{TableData, TableOptions};
///
/// let text = "colour;size;kind;good\nred;1.5;a;yes\nblue;2;a;no\nred;;b;yes\nblue;1;b;no\n";
/// let options = TableOptions::classes("good", "kind").with_levels(10);
/// let data = TableData::read(text.as_bytes(), "goods.csv", &options)?;
/// assert!(data.notes().iter().any(|note| note.contains("colour: 2 levels")));
/// # Ok::<(), gradual_tasks::TableError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOptions {
    pub(super) predicted: Predicted,
    pub(super) group: String,
    pub(super) levels: usize,
    pub(super) missing: Missing,
    pub(super) categorical: Vec<String>,
    pub(super) ignore: Vec<String>,
}

impl TableOptions {
    /// The class in the column `label` is predicted, and the column `group` names the group of a row.
    #[must_use]
    pub fn classes(label: &str, group: &str) -> Self {
        Self::new(Predicted::Class(label.to_owned()), group)
    }

    /// The number in the column `target` is predicted, and the column `group` names the group of a row.
    #[must_use]
    pub fn numbers(target: &str, group: &str) -> Self {
        Self::new(Predicted::Number(target.to_owned()), group)
    }

    fn new(predicted: Predicted, group: &str) -> Self {
        Self {
            predicted,
            group: group.to_owned(),
            levels: LEVELS,
            missing: Missing::default(),
            categorical: Vec::new(),
            ignore: Vec::new(),
        }
    }

    /// Most distinct texts of a column of text, each of which becomes a column: 2 to 1 000, 50 where nothing is said.
    #[must_use]
    pub fn with_levels(self, levels: usize) -> Self {
        Self { levels, ..self }
    }

    /// Whether a table can be read so.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting that is out of range.
    pub fn check(&self) -> Result<(), SettingError> {
        setting::count("levels", ALLOWED, self.levels)
    }

    /// What is done about missing cells.
    #[must_use]
    pub fn with_missing(self, missing: Missing) -> Self {
        Self { missing, ..self }
    }

    /// Columns whose cells are names, though they may look like numbers.
    #[must_use]
    pub fn with_categorical(self, columns: impl IntoIterator<Item = String>) -> Self {
        Self {
            categorical: columns.into_iter().collect(),
            ..self
        }
    }

    /// Columns that are left out.
    #[must_use]
    pub fn without(self, columns: impl IntoIterator<Item = String>) -> Self {
        Self {
            ignore: columns.into_iter().collect(),
            ..self
        }
    }
}
