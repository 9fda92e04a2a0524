//! Which letter and colour is which arm, or series.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, text};
use super::svg::px;
use crate::style::{INK, PAPER};
use crate::text::labels;

/// Height of a row in pixels.
const ROW: f64 = 18.0;

/// What one entry says.
pub(super) struct Key<'a> {
    /// What stands in the dot; nothing where the colour alone tells.
    pub(super) letter: String,
    pub(super) name: &'a str,
    pub(super) colour: RGBColor,
}

/// The height of the legend of so many entries, in pixels.
pub(super) fn height(entries: usize) -> f64 {
    ROW * entries.div_ceil(2) as f64 + 6.0
}

/// Two columns of dots with letters and names.
pub(super) fn draw(area: &Area<'_>, keys: &[Key<'_>]) -> Drawn {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    let rows = names.len().div_ceil(2);
    let half = f64::from(area.dim_in_pixel().0) / f64::from(px(1.0)) / 2.0;
    let longest = ((half - 40.0) / 6.5) as usize;
    for (index, name) in labels(&names, longest).into_iter().enumerate() {
        let x = 30.0 + if index < rows { 0.0 } else { half - 10.0 };
        let y = px(10.0 + ROW * (index % rows) as f64);
        let Key { letter, colour, .. } = &keys[index];
        area.draw(&Circle::new((px(x), y), px(7.0), colour.filled()))?;
        // Two of them have to stand in the same circle.
        let size = if letter.len() <= 1 { 10.0 } else { 8.0 };
        let letters = text(size, on(*colour), HPos::Center, VPos::Center);
        area.draw(&Text::new(letter.clone(), (px(x), y), letters))?;
        let letters = text(12.0, INK, HPos::Left, VPos::Center);
        area.draw(&Text::new(name, (px(x + 13.0), y), letters))?;
    }
    Ok(())
}

/// The colour of letters on this one: ink is light on a dark page.
pub(super) fn on(colour: RGBColor) -> RGBColor {
    if colour == INK { PAPER } else { WHITE }
}

/// A to Z, a to z, then AA, AB, …: different ones for different arms, however many there are.
pub(super) fn letter(index: usize) -> String {
    let capital = |at: usize| char::from(b'A' + (at % 26) as u8);
    match index {
        0..26 => capital(index).to_string(),
        26..52 => capital(index - 26).to_ascii_lowercase().to_string(),
        _ => {
            // As the columns of a spreadsheet.
            let mut letters = Vec::new();
            let mut left = index - 25;
            while left > 0 {
                letters.push(capital(left - 1));
                left = (left - 1) / 26;
            }
            letters.iter().rev().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::letter;

    #[test]
    fn letters_are_not_used_twice() {
        let letters: Vec<String> = (0..10_000).map(letter).collect();
        let expected = ["A", "Z", "a", "z", "AA", "AZ", "BA", "ZZ", "AAA"];
        assert_eq!(
            [0, 25, 26, 51, 52, 77, 78, 727, 728].map(|at| letters[at].as_str()),
            expected
        );
        assert_eq!(letters.iter().collect::<BTreeSet<_>>().len(), letters.len());
    }
}
