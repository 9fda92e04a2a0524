//! A map of shares: a row for each name, a column for each occasion, the number in every cell.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::Panel;
use super::canvas::{Area, Drawn, Frame, text};
use super::hits::spread;
use super::svg::px;
use crate::ReportError;
use crate::style::{self, INK, MUTED};
use crate::text::{labels, shorten, width};

/// Width of a cell in pixels.
const WIDE: f64 = 58.0;
/// Height of a cell in pixels.
const HIGH: f64 = 19.0;
/// Above the cells, for the title and the names of the columns, in pixels.
const TOP: f64 = 50.0;
/// Below them, for the name of the horizontal axis, in pixels.
const BOTTOM: f64 = 28.0;
/// Rows and columns that are shown.
const MOST_ROWS: usize = 200;
const MOST_COLUMNS: usize = 60;
/// Letters of a row's name that are shown, of a column's, and of the title.
const LONGEST: usize = 60;
const HEAD: usize = 10;
const TITLE: usize = 160;
/// Width of a letter in pixels.
const LETTER: f64 = 6.2;
/// From this share on a cell is light, on light pages and dark ones.
const LIGHT: f64 = 0.6;

/// Shares from 0 to 1, each a coloured cell that also says its number.
///
/// ```
/// use gradual_report::HeatMap;
///
/// let map = HeatMap {
///     name: "recovery".into(),
///     title: "Adjusted Rand index".into(),
///     x_label: "step".into(),
///     columns: vec!["0".into(), "300".into()],
///     rows: vec![("whitened".into(), vec![Some(0.98), None])],
/// };
/// assert!(map.svg()?.starts_with("<svg"));
/// # Ok::<(), gradual_report::ReportError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeatMap {
    /// What errors call it.
    pub name: String,
    /// The line above the cells.
    pub title: String,
    /// What the columns are.
    pub x_label: String,
    /// The columns' names, from left to right.
    pub columns: Vec<String>,
    /// The rows' names and numbers, from the top down; none for an empty cell. Colours end at 0 and 1,
    /// numbers do not.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}

impl HeatMap {
    /// The map as an SVG document that stands alone, as large as its rows and columns ask for. Equal
    /// maps give equal bytes.
    ///
    /// # Errors
    ///
    /// [`ReportError::Draw`] when the drawing library fails.
    pub fn svg(&self) -> Result<String, ReportError> {
        Ok(self.panel()?.standalone)
    }

    pub(crate) fn panel(&self) -> Result<Panel, ReportError> {
        let shown = self.shown();
        let longest = shown.rows.iter().map(|row| width(&row.0)).max();
        let names = longest.unwrap_or(0) as f64 * LETTER + 16.0;
        let title = width(&shown.title) as f64 * 7.5 + 16.0;
        let width = (names + WIDE * shown.columns.len() as f64 + 8.0).max(title);
        let height = TOP + HIGH * shown.rows.len() as f64 + BOTTOM;
        let frame = Frame {
            figure: &self.name,
            arm: "",
            about: format!("{} by {}", self.title, self.x_label),
            size: (width.ceil() as u32, height.ceil() as u32),
            legend: None,
        };
        frame.draw(|area, _| shown.draw(area, names))
    }

    /// The map as it is drawn: names cut, and of very many rows or columns some, which the title then says.
    fn shown(&self) -> Self {
        let rows: Vec<usize> = spread(self.rows.len(), MOST_ROWS).collect();
        let columns: Vec<usize> = spread(self.columns.len(), MOST_COLUMNS).collect();
        let mut title = shorten(&self.title, TITLE);
        for (shown, all, what) in [
            (rows.len(), self.rows.len(), "rows"),
            (columns.len(), self.columns.len(), "columns"),
        ] {
            if shown < all {
                title.push_str(&format!(", {shown} of {all} {what}"));
            }
        }
        let names: Vec<&str> = rows.iter().map(|&at| self.rows[at].0.as_str()).collect();
        let heads: Vec<&str> = columns
            .iter()
            .map(|&at| self.columns[at].as_str())
            .collect();
        let values = rows.iter().map(|&at| {
            let values = &self.rows[at].1;
            columns
                .iter()
                .map(|&at| values.get(at).copied().flatten())
                .collect()
        });
        Self {
            name: self.name.clone(),
            title,
            x_label: shorten(&self.x_label, LONGEST),
            columns: labels(&heads, HEAD),
            rows: labels(&names, LONGEST).into_iter().zip(values).collect(),
        }
    }

    fn draw(&self, area: &Area<'_>, names: f64) -> Drawn {
        let put = |label: String, x: f64, y: f64, style: TextStyle<'static>| {
            area.draw(&Text::new(label, (px(x), px(y)), style))
        };
        let left = text(13.0, INK, HPos::Left, VPos::Center);
        put(self.title.clone(), 8.0, 13.0, left)?;
        for (column, name) in self.columns.iter().enumerate() {
            let x = names + (column as f64 + 0.5) * WIDE;
            let style = text(11.0, MUTED, HPos::Center, VPos::Center);
            put(name.clone(), x, TOP - 10.0, style)?;
        }
        for (index, (name, values)) in self.rows.iter().enumerate() {
            let top = TOP + index as f64 * HIGH;
            let style = text(11.0, INK, HPos::Right, VPos::Center);
            put(name.clone(), names - 8.0, top + HIGH / 2.0, style)?;
            let cells = values.iter().take(self.columns.len()).enumerate();
            for (column, value) in cells.filter_map(|(at, value)| Some((at, (*value)?))) {
                let x = names + column as f64 * WIDE;
                let corners = [
                    (px(x + 0.5), px(top + 0.5)),
                    (px(x + WIDE - 0.5), px(top + HIGH - 0.5)),
                ];
                area.draw(&Rectangle::new(corners, style::ramp(value).filled()))?;
                // The same on every page: the colours of the ramp are, nearly.
                let letters = if value < LIGHT { WHITE } else { BLACK };
                let style = text(11.0, letters, HPos::Center, VPos::Center);
                let said = format!("{value:.2}").replace("-0.00", "0.00");
                put(said, x + WIDE / 2.0, top + HIGH / 2.0, style)?;
            }
        }
        let middle = names + WIDE * self.columns.len() as f64 / 2.0;
        let low = TOP + HIGH * self.rows.len() as f64 + 13.0;
        let style = text(12.0, INK, HPos::Center, VPos::Center);
        put(self.x_label.clone(), middle, low, style)?;
        Ok(())
    }
}
