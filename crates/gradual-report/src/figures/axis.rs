//! Axes: logarithmic with round ticks, and the common look.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, line, text};
use super::svg::px;
use crate::numbers::{share, steps};
use crate::style::{GRID, INK, MUTED};

/// A logarithmic axis with few, round ticks at any range, from a tenth of a decade to many.
#[derive(Clone, Copy)]
pub(crate) struct LogAxis {
    low: f64,
    high: f64,
    format: fn(f64) -> String,
}

impl LogAxis {
    /// An axis that holds the positive ones of `values` with a margin; 1 to 10 when there are none.
    pub(crate) fn over(values: impl IntoIterator<Item = f64>, format: fn(f64) -> String) -> Self {
        let positive = |value: &f64| value.is_finite() && *value > 0.0;
        let (low, high) = values
            .into_iter()
            .filter(positive)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = if low <= high {
            (low, high)
        } else {
            (1.0, 10.0)
        };
        // Products with these, and their quotients, are finite.
        let (low, high) = (low.clamp(1e-270, 1e270), high.clamp(1e-270, 1e270));
        let margin = (0.05 * log_ratio(low, high)).exp().max(1.15);
        Self {
            low: low / margin,
            high: high * margin,
            format,
        }
    }

    /// The smallest number shown.
    pub(crate) fn low(&self) -> f64 {
        self.low
    }

    /// The largest number shown.
    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    /// `value`, moved into the axis.
    pub(crate) fn clamp(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }

    fn ticks(&self, most: usize) -> Vec<f64> {
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let inside = |mantissas: &[f64], stride: i32| -> Vec<f64> {
            let decades = decades.clone().filter(|decade| decade % stride == 0);
            decades
                .flat_map(|decade| mantissas.iter().map(move |m| m * 10_f64.powi(decade)))
                .filter(|tick| (self.low..=self.high).contains(tick))
                .collect()
        };
        const FINE: [f64; 15] = [
            1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0,
        ];
        const COARSE: [&[f64]; 5] = [
            &FINE,
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 3.0],
            &[1.0],
        ];
        let by_mantissa = COARSE.iter().map(|mantissas| inside(mantissas, 1));
        let by_decade = (2..).map(|stride| inside(&[1.0], stride));
        by_mantissa
            .chain(by_decade)
            .find(|ticks| ticks.len() <= most.max(2))
            .unwrap_or_default()
    }
}

impl Ranged for LogAxis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let value = value.max(f64::MIN_POSITIVE);
        pixel(
            log_ratio(self.low, value) / log_ratio(self.low, self.high),
            limit,
        )
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks(hint.bold_points())
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for LogAxis {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        (self.format)(*value)
    }
}

/// The natural logarithm of `high` / `low`, also where the quotient is too large for a number.
fn log_ratio(low: f64, high: f64) -> f64 {
    match high / low {
        ratio if ratio.is_normal() => ratio.ln(),
        _ => high.ln() - low.ln(),
    }
}

/// The pixel at a share of the way from one limit to the other. What is far outside stays ten lengths away.
fn pixel(share: f64, limit: (i32, i32)) -> i32 {
    let share = share.clamp(-10.0, 10.0);
    limit.0 + (f64::from(limit.1 - limit.0) * share).round() as i32
}

/// The least length of an axis, as a part of the larger of its ends, of which ticks can be told apart.
const NARROWEST: f64 = 1e-9;

/// Where an axis of skills begins if nothing is much worse than chance.
const LOW_SKILL: f64 = -0.1;

/// A linear axis with few, round ticks.
#[derive(Clone, Copy)]
pub(crate) struct LinearAxis {
    low: f64,
    high: f64,
    reversed: bool,
    format: fn(f64) -> String,
}

impl LinearAxis {
    /// An axis from `low` to `high`, which are finite. Where that is nothing, or too little for ticks, it is longer.
    pub(crate) fn new(low: f64, high: f64, format: fn(f64) -> String) -> Self {
        let size = low.abs().max(high.abs());
        let (low, high) = match high - low >= (size * NARROWEST).max(1e-290) {
            true => (low, high),
            false => {
                let length = (size * 1e-3).max(1.0);
                let high = (low + length).min(f64::MAX);
                (low.min(high - length), high)
            }
        };
        Self {
            low,
            high,
            reversed: false,
            format,
        }
    }

    /// An axis for skills: from a little below chance to a little above everything; lower where `values` are, which is worse than
    /// chance, but not below −1.
    pub(crate) fn of_skill(values: impl IntoIterator<Item = f64>) -> Self {
        let lowest = values.into_iter().fold(0.0, f64::min);
        let low = match lowest < LOW_SKILL {
            true => (10.0 * lowest).floor() / 10.0,
            false => LOW_SKILL,
        };
        Self::new(low.max(-1.0), 1.05, share)
    }

    /// `value`, moved into the axis: what is below it is drawn along its lower edge.
    pub(crate) fn clamp(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }

    /// The smallest and the largest number shown.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The same with the high end first.
    pub(crate) fn reversed(self) -> Self {
        Self {
            reversed: true,
            ..self
        }
    }
}

impl Ranged for LinearAxis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let length = self.high - self.low;
        let share = match length.is_finite() {
            true => (value - self.low) / length,
            false => (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0),
        };
        pixel(if self.reversed { 1.0 - share } else { share }, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let most = hint.bold_points().max(2) as f64;
        let rough = self.high / most - self.low / most;
        let decade = 10_f64.powf(rough.log10().floor());
        let width = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|mantissa| mantissa * decade)
            .find(|&width| width >= rough * 0.999)
            .unwrap_or(rough);
        let first = (self.low / width).ceil() as i64;
        let last = ((self.high / width) * (1.0 + 1e-12)).floor() as i64;
        let ticks = (first..=last).map(|index| index as f64 * width);
        ticks.filter(|tick| tick.is_finite()).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for LinearAxis {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        (self.format)(*value)
    }
}

/// A chart of two such axes.
pub(crate) type Chart<'a, 'b, X, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>;

/// How a chart is laid out.
pub(crate) struct Layout<'a> {
    pub(crate) x_label: &'a str,
    pub(crate) y_label: &'a str,
    /// Room for the labels of the vertical axis in pixels.
    pub(crate) left: f64,
    /// Whether the vertical axis has its own ticks and grid.
    pub(crate) y_ticks: bool,
}

/// A [`chart`] of shares, from 0 to 1, against the steps up to `end`.
pub(crate) fn shares_over_steps(
    area: &Area<'_>,
    y_label: &str,
    end: f64,
    draw: impl for<'a, 'b> FnOnce(&mut Chart<'a, 'b, LinearAxis, LinearAxis>) -> Drawn,
) -> Drawn {
    let layout = Layout {
        x_label: "step",
        y_label,
        left: 30.0,
        y_ticks: true,
    };
    let axes = (
        LinearAxis::new(0.0, end, steps),
        LinearAxis::new(0.0, 1.0, share),
    );
    chart(area, &layout, axes, draw)
}

/// Draws axes and grid into `area`, and then what `draw` draws.
pub(crate) fn chart<X, Y>(
    area: &Area<'_>,
    layout: &Layout<'_>,
    (x, y): (X, Y),
    draw: impl for<'a, 'b> FnOnce(&mut Chart<'a, 'b, X, Y>) -> Drawn,
) -> Drawn
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64> + Clone,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64> + Clone,
{
    let mut chart = ChartBuilder::on(area)
        .margin_top(px(8.0))
        .margin_right(px(16.0))
        .margin_bottom(px(20.0))
        .margin_left(px(if layout.y_label.is_empty() { 4.0 } else { 20.0 }))
        .set_label_area_size(LabelAreaPosition::Left, px(layout.left))
        .set_label_area_size(LabelAreaPosition::Bottom, px(20.0))
        .build_cartesian_2d(x, y)?;
    let label = text(11.0, MUTED, HPos::Center, VPos::Center);
    let mut mesh = chart.configure_mesh();
    mesh.x_labels(6)
        .y_labels(if layout.y_ticks { 6 } else { 0 })
        .max_light_lines(0)
        .bold_line_style(line(0.75, GRID))
        .axis_style(line(1.0, MUTED))
        .label_style(label.clone())
        .set_all_tick_mark_size(px(4.0));
    if !layout.y_ticks {
        mesh.disable_y_mesh().disable_y_axis();
    }
    mesh.draw()?;
    draw(&mut chart)?;

    // The names of the axes stand where plotters' own would collide with long tick labels.
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let style = text(12.0, INK, HPos::Center, VPos::Center);
    let middle = (px(layout.left) + width) / 2;
    area.draw(&Text::new(
        layout.x_label.to_owned(),
        (middle, height - px(11.0)),
        style.clone(),
    ))?;
    if !layout.y_label.is_empty() {
        let turned = style.transform(FontTransform::Rotate270);
        area.draw(&Text::new(
            layout.y_label.to_owned(),
            (px(11.0), (height - px(32.0)) / 2),
            turned,
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::tick;

    #[test]
    fn log_ticks_are_few_and_round() {
        for (values, expected) in [
            ([10.0, 10_000.0], &[10.0, 100.0, 1000.0, 10_000.0][..]),
            ([20.0, 90.0], &[20.0, 30.0, 40.0, 50.0, 70.0, 100.0]),
            ([1.0, 1.0], &[0.9, 1.0]),
        ] {
            let ticks = LogAxis::over(values, steps).ticks(6);
            assert_eq!(ticks, expected, "{values:?}");
        }
        assert!(LogAxis::over([1e-6, 1e20], steps).ticks(6).len() <= 6);
        assert_eq!(LogAxis::over([0.0], steps).ticks(6), [1.0, 2.0, 5.0, 10.0]);
    }

    #[test]
    fn linear_ticks_are_round() {
        let ticks = LinearAxis::new(0.0, 1000.0, steps).key_points(6_usize);
        assert_eq!(ticks, [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]);
        let ticks = LinearAxis::new(-0.1, 1.05, steps).key_points(6_usize);
        assert_eq!(ticks.len(), 6);
    }

    #[test]
    fn an_axis_of_skills_reaches_down_to_what_is_worse_than_chance() {
        for (values, low) in [
            (&[0.2, 1.0][..], -0.1),
            (&[-0.08], -0.1),
            (&[-0.25, 0.9], -0.3),
            (&[-7.0], -1.0),
            (&[], -0.1),
        ] {
            let axis = LinearAxis::of_skill(values.iter().copied());
            assert_eq!(axis.ends(), (low, 1.05), "{values:?}");
        }
        assert_eq!(LinearAxis::of_skill([-7.0]).clamp(-7.0), -1.0);
    }

    /// Finite numbers of every size, and their neighbours.
    fn numbers() -> Vec<f64> {
        let sizes = (-1074..=1023).step_by(127).map(|power| 2_f64.powi(power));
        let odd = [1e17, 1e150, 5e-324, f64::MIN_POSITIVE, f64::MAX, 0.1 + 0.2];
        let positive = sizes.chain(odd).flat_map(|size| {
            let neighbours = [size.next_down(), size, size.next_up()];
            neighbours.into_iter().filter(|one| one.is_finite())
        });
        let both = positive.flat_map(|one| [one, -one]);
        both.chain([0.0]).collect()
    }

    fn holds(axis: &impl Ranged<ValueType = f64>, values: [f64; 2], most: usize) {
        let ticks = axis.key_points(6_usize);
        assert!(ticks.len() <= most, "{values:?}: {ticks:?}");
        assert!(ticks.iter().all(|tick| tick.is_finite()), "{values:?}");
        for value in values.into_iter().chain(ticks) {
            let pixel = axis.map(&value, (-20, 300));
            assert!(
                (-21..=301).contains(&pixel),
                "{values:?}: {value} at {pixel}"
            );
        }
        // What is outside of it can be drawn, too.
        for value in numbers() {
            let _ = axis.map(&value, (0, 5000));
            let _ = axis.map(&value, (5000, 0));
        }
    }

    #[test]
    fn axes_hold_every_finite_range() {
        let numbers = numbers();
        for (at, &one) in numbers.iter().enumerate() {
            for &other in numbers.iter().skip(at % 7).step_by(7).chain([&one]) {
                let (low, high) = (one.min(other), one.max(other));
                holds(&LinearAxis::new(low, high, tick), [low, high], 9);
                holds(
                    &LinearAxis::new(low, high, steps).reversed(),
                    [low, high],
                    9,
                );
                if low >= 1e-270 && high <= 1e270 {
                    holds(&LogAxis::over([low, high], tick), [low, high], 6);
                } else {
                    let _ = LogAxis::over([low, high], tick).key_points(6_usize);
                }
                let axis = LinearAxis::new(low, high, tick);
                for tick in axis.key_points(6_usize) {
                    assert!(axis.format_ext(&tick).len() < 16);
                }
            }
        }
    }
}
