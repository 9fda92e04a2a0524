//! A plot of lines on logarithmic axes, each named at its end: for measurements that grow.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{self, Layout, LogAxis};
use super::canvas::{Area, Drawn, Frame, line, text};
use super::svg::{SCALE, px};
use crate::ReportError;
use crate::numbers::tick;
use crate::style::{self, INK, MUTED};
use crate::text::shorten;

/// Height of a letter of a line's name in pixels.
const LETTER: f64 = 11.0;
/// Distance of the names of two lines in pixels, at least.
const GAP: f64 = 15.0;
/// From the right edge of the axes to the names in pixels.
const LEADER: f64 = 16.0;
/// Characters of a name that are shown.
const LONGEST: usize = 28;

/// A plot of lines on two logarithmic axes, with the name of each line beside its end.
///
/// ```
/// use gradual_report::{Line, LinePlot, Stroke};
///
/// let plot = LinePlot {
///     name: "time".into(),
///     title: "Time of a step".into(),
///     x_label: "examples".into(),
///     y_label: "time (ms)".into(),
///     lines: vec![Line {
///         label: "exact".into(),
///         stroke: Stroke::Solid,
///         points: vec![(32.0, 2.5), (64.0, 3.1)],
///     }],
/// };
/// assert!(plot.svg()?.starts_with("<svg"));
/// # Ok::<(), gradual_report::ReportError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LinePlot {
    /// What errors call it.
    pub name: String,
    /// The line above the axes.
    pub title: String,
    /// What the horizontal axis counts, unit included.
    pub x_label: String,
    /// What the vertical axis counts, unit included.
    pub y_label: String,
    /// The lines. Up to twelve differ in colour.
    pub lines: Vec<Line>,
}

/// One line of a [`LinePlot`].
#[derive(Debug, Clone)]
pub struct Line {
    /// Its name.
    pub label: String,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Points (x, y), from left to right. What is not positive and finite has no place on logarithmic
    /// axes and is left out.
    pub points: Vec<(f64, f64)>,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Strong, with dots: what the plot is about.
    Solid,
    /// Thin, with small dots: what it is compared with.
    Dashed,
    /// Dotted and without a colour of its own: what was counted and not measured.
    Dotted,
}

impl LinePlot {
    /// The plot as an SVG document that stands alone, 640 × 400 pixels. Equal plots give equal bytes.
    ///
    /// # Errors
    ///
    /// [`ReportError::Draw`] when the drawing library fails.
    pub fn svg(&self) -> Result<String, ReportError> {
        let lines: Vec<Line> = self.lines.iter().map(Line::positive).collect();
        let points = || lines.iter().flat_map(|line| &line.points);
        let axes = (
            LogAxis::over(points().map(|point| point.0), tick),
            LogAxis::over(points().map(|point| point.1), tick),
        );
        let layout = Layout {
            x_label: &self.x_label,
            y_label: &self.y_label,
            left: 44.0,
            y_ticks: true,
        };
        let longest = lines.iter().map(|line| line.name().chars().count()).max();
        let names = longest.unwrap_or(0) as f64 * LETTER * 0.62;
        let frame = Frame {
            figure: &self.name,
            arm: "",
            about: format!("{}: {} against {}", self.title, self.y_label, self.x_label),
            size: (640, 400),
            legend: None,
        };
        let panel = frame.draw(|area, _| {
            let title = text(13.0, INK, HPos::Left, VPos::Center);
            area.draw(&Text::new(self.title.clone(), (px(8.0), px(13.0)), title))?;
            let below = area.margin(px(24.0), 0, 0, 0);
            let mut ends = Vec::new();
            let room = below.margin(0, 0, 0, px(names + LEADER));
            axis::chart(&room, &layout, axes, |chart| {
                for (index, one) in lines.iter().enumerate() {
                    one.draw(chart, index)?;
                    if let Some(last) = one.points.last() {
                        let (x, y) = chart.plotting_area().map_coordinate(last);
                        ends.push((index, (x, y)));
                    }
                }
                Ok(())
            })?;
            name_ends(area, &lines, &ends, names)
        })?;
        Ok(panel.standalone)
    }
}

impl Line {
    /// The line without what has no logarithm.
    fn positive(&self) -> Self {
        let shown = |value: f64| value.is_finite() && value > 0.0;
        let points = self.points.iter().copied();
        Self {
            points: points.filter(|&(x, y)| shown(x) && shown(y)).collect(),
            ..self.clone()
        }
    }

    fn name(&self) -> String {
        shorten(&self.label, LONGEST)
    }

    fn colour(&self, index: usize) -> RGBColor {
        match self.stroke {
            Stroke::Dotted => INK,
            _ => style::arm(index),
        }
    }

    fn draw(&self, chart: &mut axis::Chart<'_, '_, LogAxis, LogAxis>, index: usize) -> Drawn {
        let (colour, points) = (self.colour(index), self.points.iter().copied());
        let (on, off, width, dot) = match self.stroke {
            Stroke::Solid => (0.0, 0.0, 2.25, 3.0),
            Stroke::Dashed => (6.0, 4.0, 1.25, 2.0),
            Stroke::Dotted => (1.5, 4.0, 1.75, 0.0),
        };
        let pen = line(width, colour);
        if on > 0.0 {
            let (on, off) = (px(on).unsigned_abs(), px(off).unsigned_abs());
            chart.draw_series(DashedLineSeries::new(points.clone(), on, off, pen))?;
        } else {
            chart.draw_series(LineSeries::new(points.clone(), pen))?;
        }
        if dot > 0.0 {
            chart.draw_series(points.map(|at| Circle::new(at, px(dot), colour.filled())))?;
        }
        Ok(())
    }
}

/// Writes the names in a column at the right, each led to from the end of its line. `ends` are
/// (line, place on the whole drawing in drawing units), `width` the column's in pixels.
fn name_ends(area: &Area<'_>, lines: &[Line], ends: &[(usize, (i32, i32))], width: f64) -> Drawn {
    let unit = f64::from(SCALE);
    let (right, bottom) = area.dim_in_pixel();
    let column = f64::from(right) / unit - width;
    let wanted: Vec<f64> = ends.iter().map(|end| f64::from(end.1.1) / unit).collect();
    let lowest = f64::from(bottom) / unit - GAP;
    for (&(index, (x, y)), place) in ends.iter().zip(spread(&wanted, GAP, 32.0, lowest)) {
        let colour = lines[index].colour(index);
        let name = (px(column), px(place));
        let leader = [
            (x, y),
            (px(column - LEADER / 2.0), px(place)),
            (px(column - 3.0), px(place)),
        ];
        area.draw(&PathElement::new(leader, line(0.6, MUTED)))?;
        let letters = text(LETTER, colour, HPos::Left, VPos::Center);
        area.draw(&Text::new(lines[index].name(), name, letters))?;
    }
    Ok(())
}

/// Places near the `wanted` ones, in their order, no two nearer than `gap`, within `low` to `high` as far
/// as they fit there.
///
/// Places that collide form a run that stands around the mean of what its members want, which is the
/// least sum of squared moves.
fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    // A run is (sum of the places that its first member should have, members).
    let mut runs: Vec<(f64, usize)> = Vec::new();
    let first = |&(sum, members): &(f64, usize)| {
        let last = (high - gap * (members - 1) as f64).max(low);
        (sum / members as f64).clamp(low, last)
    };
    for &index in &order {
        let mut run = (wanted[index], 1);
        while let Some(before) = runs.last().copied() {
            let reach = gap * before.1 as f64;
            if first(&before) + reach <= first(&run) {
                break;
            }
            runs.pop();
            run = (before.0 + run.0 - reach * run.1 as f64, before.1 + run.1);
        }
        runs.push(run);
    }
    let placed = runs
        .iter()
        .flat_map(|run| (0..run.1).map(move |member| first(run) + gap * member as f64));
    let mut places = vec![0.0; wanted.len()];
    for (index, place) in order.into_iter().zip(placed) {
        places[index] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_place_where_there_is_room() {
        assert_eq!(spread(&[30.0, 10.0], 15.0, 0.0, 100.0), [30.0, 10.0]);
        assert_eq!(spread(&[], 15.0, 0.0, 100.0), [0.0; 0]);
    }

    #[test]
    fn names_that_collide_move_by_as_little() {
        assert_eq!(spread(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        // The first two push the third, and the mean of all stays.
        assert_eq!(
            spread(&[50.0, 51.0, 58.0], 10.0, 0.0, 100.0),
            [43.0, 53.0, 63.0]
        );
    }

    #[test]
    fn names_stay_inside() {
        assert_eq!(spread(&[2.0, 1.0], 10.0, 5.0, 100.0), [15.0, 5.0]);
        assert_eq!(spread(&[99.0, 98.0], 10.0, 0.0, 95.0), [95.0, 85.0]);
        // Moved away from the edge, a run meets the next one.
        assert_eq!(
            spread(&[0.0, 0.0, 14.0], 10.0, 0.0, 100.0),
            [0.0, 10.0, 20.0]
        );
    }
}
