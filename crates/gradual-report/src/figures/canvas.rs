//! Drawing surface: a titled panel with an optional colour bar, at a resolution finer than a pixel.
//!
//! plotters places everything on whole pixels, so panels are drawn [`SCALE`] times as large and shown at
//! their size through the view box.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Panel;
use super::compact::compact;
use super::hits::Hits;
use super::svg::{SCALE, px};
use crate::ReportError;
use crate::style::{self, INK, MUTED};
use crate::text::{shorten, shown, visible};

/// What drawing gives; the reasons of plotters have many types.
pub(crate) type Drawn = Result<(), Box<dyn Error>>;

/// A part of a panel.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A text style of `pixels` height, anchored.
pub(crate) fn text(pixels: f64, colour: RGBColor, across: HPos, down: VPos) -> TextStyle<'static> {
    // plotters writes 1/1.24 of the size asked for, to fit its own idea of a font's height.
    ("sans-serif", px(pixels * 1.24))
        .into_font()
        .color(&colour)
        .pos(Pos::new(across, down))
}

/// A line style of `pixels` width.
pub(crate) fn line(pixels: f64, colour: impl Color) -> ShapeStyle {
    colour.stroke_width(px(pixels).unsigned_abs())
}

/// What stands around a drawing.
pub(crate) struct Frame<'a> {
    /// Figure name, the first part of the file name.
    pub(crate) figure: &'a str,
    /// Arm, or empty: the second part of the file name, and the title.
    pub(crate) arm: &'a str,
    /// What the drawing shows.
    pub(crate) about: String,
    /// Width and height in pixels.
    pub(crate) size: (u32, u32),
    /// The ends of the colour ramp.
    pub(crate) legend: Option<&'a [String; 2]>,
}

impl Frame<'_> {
    /// Draws a panel; `draw` gets the area between title and colour bar, and what can be pointed at.
    pub(crate) fn draw(
        &self,
        draw: impl FnOnce(&Area<'_>, &mut Hits) -> Drawn,
    ) -> Result<Panel, ReportError> {
        let name = if self.arm.is_empty() {
            self.figure.to_owned()
        } else {
            format!("{}-{}", self.figure, file_name(self.arm))
        };
        let (mut svg, mut hits) = (String::new(), Hits::default());
        self.fill(&mut svg, |area| draw(area, &mut hits))
            .map_err(|reason| ReportError::Draw {
                figure: name.clone(),
                reason: reason.to_string(),
            })?;
        let (width, height) = self.size;
        let (wide, high) = (width * SCALE, height * SCALE);
        let about = shown(&self.about, ABOUT);
        let drawn = svg.find('>').map_or("", |end| &svg[end + 1..]);
        let drawn = drawn.trim_end().trim_end_matches("</svg>");
        // What is so anyway; text holds no quotes.
        let drawn = drawn
            .replace(" opacity=\"1\"", "")
            .replace(" stroke=\"none\"", "");
        let drawn: String = drawn.chars().map(visible).collect();
        let open = |size: &str| {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\"{size} role=\"img\" \
                 aria-label=\"{about}\">"
            )
        };
        let sized = format!(" width=\"{width}\" height=\"{height}\"");
        Ok(Panel {
            width,
            arm: self.arm.to_owned(),
            inline: style::inline(&format!("{}{}", open(""), compact(&drawn))),
            standalone: style::standalone(&format!(
                "{}\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>{drawn}{}</svg>\n",
                open(&sized),
                hits.svg(usize::MAX)
            )),
            hits,
            name,
        })
    }

    fn fill(&self, svg: &mut String, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Drawn {
        let size = (self.size.0 * SCALE, self.size.1 * SCALE);
        let root = SVGBackend::with_string(svg, size).into_drawing_area();
        let mut area = root.clone();
        if !self.arm.is_empty() {
            let title = shorten(self.arm, self.size.0 as usize / 8);
            let style = text(13.0, INK, HPos::Left, VPos::Center);
            root.draw(&Text::new(title, (px(8.0), px(13.0)), style))?;
            area = area.margin(px(24.0), 0, 0, 0);
        }
        if let Some(ends) = self.legend {
            self.bar(&root, ends)?;
            area = area.margin(0, px(22.0), 0, 0);
        }
        draw(&area)?;
        root.present()?;
        Ok(())
    }

    /// The colour bar along the lower edge: `left ▬▬▬ right`.
    fn bar(&self, root: &Area<'_>, [left, right]: &[String; 2]) -> Drawn {
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        let (middle, half, cells) = (width / 2.0 + 14.0, 44.0, 32);
        let (top, bottom) = (height - 16.0, height - 8.0);
        for cell in 0..cells {
            let edge =
                |index: i32| px(middle - half + 2.0 * half * f64::from(index) / f64::from(cells));
            let colour = style::ramp(f64::from(cell) / f64::from(cells - 1));
            root.draw(&Rectangle::new(
                // Some overlap hides the seams.
                [
                    (edge(cell), px(top)),
                    (edge(cell + 1) + px(0.5), px(bottom)),
                ],
                colour.filled(),
            ))?;
        }
        for (label, x, across) in [
            (left, middle - half - 6.0, HPos::Right),
            (right, middle + half + 6.0, HPos::Left),
        ] {
            let label = shorten(label, 18);
            let style = text(11.0, MUTED, across, VPos::Center);
            root.draw(&Text::new(label, (px(x), px(height - 12.0)), style))?;
        }
        Ok(())
    }
}

/// Letters that say what a drawing shows.
const ABOUT: usize = 400;
/// Letters of a name that a file name holds.
const LONGEST: usize = 60;

fn file_name(arm: &str) -> String {
    arm.chars()
        .take(LONGEST)
        .map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() => letter,
            '-' | '_' => letter,
            _ => '-',
        })
        .collect()
}
