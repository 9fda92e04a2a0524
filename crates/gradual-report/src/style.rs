//! Colours, for light and dark pages.
//!
//! Figures are drawn once, with marker colours that stand for roles. A figure on its own gets the light
//! colours and a background; a figure in the page gets CSS variables, which follow the reader's colour
//! scheme.

use plotters::style::RGBColor;

/// Text, axes and means.
pub(crate) const INK: RGBColor = RGBColor(1, 0, 0);
/// Secondary text and axes.
pub(crate) const MUTED: RGBColor = RGBColor(1, 0, 1);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(1, 0, 2);
/// The background.
pub(crate) const PAPER: RGBColor = RGBColor(1, 0, 3);

/// Steps of the colour ramp.
const RAMP: u8 = 32;

/// The colour at `share` (0 to 1) of the ramp.
pub(crate) fn ramp(share: f64) -> RGBColor {
    let last = f64::from(RAMP - 1);
    // A NaN share casts to 0.
    RGBColor(2, 0, (share.clamp(0.0, 1.0) * last).round() as u8)
}

/// Colours of arms: further ones have the first ones again.
pub(crate) const ARMS: usize = 12;

/// The colour of the arm at `index`: dark enough for white letters, light enough for a dark page.
pub(crate) fn arm(index: usize) -> RGBColor {
    const COLOURS: [RGBColor; ARMS] = [
        RGBColor(0x00, 0x72, 0xB2),
        RGBColor(0xD5, 0x5E, 0x00),
        RGBColor(0x00, 0x8F, 0x68),
        RGBColor(0xB9, 0x55, 0x8F),
        RGBColor(0x7A, 0x4F, 0xB5),
        RGBColor(0x8C, 0x6D, 0x31),
        RGBColor(0xD6, 0x2F, 0x3A),
        RGBColor(0x14, 0x8A, 0x9C),
        RGBColor(0x6B, 0x6B, 0x6B),
        RGBColor(0xA8, 0x7A, 0x00),
        RGBColor(0x5A, 0x8A, 0x2B),
        RGBColor(0x8B, 0x45, 0x8B),
    ];
    COLOURS[index % COLOURS.len()]
}

const ROLES: [(RGBColor, &str, &str, &str); 4] = [
    (INK, "ink", "#1b1f24", "#e8eaed"),
    (MUTED, "muted", "#5b6470", "#a3abb6"),
    (GRID, "grid", "#e3e6ea", "#333a44"),
    (PAPER, "paper", "#ffffff", "#14171b"),
];

/// Eleven equally spaced colours of the perceptually uniform map "plasma" (Smith and van der Walt, 2015).
const PLASMA: [u32; 11] = [
    0x0d_08_87, 0x41_04_9d, 0x6a_00_a8, 0x8f_0d_a4, 0xb1_2a_90, 0xcc_47_78, 0xe1_64_62, 0xf2_84_4b,
    0xfc_a6_36, 0xfc_ce_25, 0xf0_f9_21,
];

/// The colour of ramp step `index`; each page uses the part of the map that stands out on it.
fn plasma(index: u8, dark: bool) -> String {
    let (low, high) = if dark { (0.35, 1.0) } else { (0.0, 0.8) };
    let share = low + (high - low) * f64::from(index) / f64::from(RAMP - 1);
    let place = share * (PLASMA.len() - 1) as f64;
    let left = (place as usize).min(PLASMA.len() - 2);
    let mix = |shift: u32| {
        let channel = |colour: u32| f64::from((colour >> shift) & 0xff);
        let (a, b) = (channel(PLASMA[left]), channel(PLASMA[left + 1]));
        (a + (b - a) * (place - left as f64)).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mix(16), mix(8), mix(0))
}

/// The CSS variables of one colour scheme.
pub(crate) fn variables(dark: bool) -> String {
    let roles = ROLES.iter().map(|(_, name, light, night)| {
        let value = if dark { night } else { light };
        format!("--{name}:{value};")
    });
    let steps = (0..RAMP).map(|index| format!("--r{index}:{};", plasma(index, dark)));
    roles.chain(steps).collect()
}

/// The CSS variable of the colour at `share` of the ramp.
pub(crate) fn ramp_variable(share: f64) -> String {
    format!("--r{}", ramp(share).2)
}

/// The CSS gradient of the ramp.
pub(crate) fn gradient() -> String {
    let stops: Vec<String> = (0..RAMP).map(|index| format!("var(--r{index})")).collect();
    format!("linear-gradient(90deg,{})", stops.join(","))
}

/// A colour as the value of an attribute: text holds no quotes, so nothing else is taken for a marker.
fn marker(colour: RGBColor) -> String {
    quoted(&format!(
        "#{:02X}{:02X}{:02X}",
        colour.0, colour.1, colour.2
    ))
}

fn quoted(value: &str) -> String {
    format!("\"{value}\"")
}

fn replace(svg: &str, role: impl Fn(usize) -> String, step: impl Fn(u8) -> String) -> String {
    let mut svg = svg.to_owned();
    for (index, (colour, ..)) in ROLES.iter().enumerate() {
        svg = svg.replace(&marker(*colour), &quoted(&role(index)));
    }
    for index in 0..RAMP {
        svg = svg.replace(&marker(RGBColor(2, 0, index)), &quoted(&step(index)));
    }
    svg
}

/// The figure in light colours, to stand alone.
pub(crate) fn standalone(svg: &str) -> String {
    replace(
        svg,
        |index| ROLES[index].2.to_owned(),
        |index| plasma(index, false),
    )
}

/// The figure in CSS variables, to stand in the page.
pub(crate) fn inline(svg: &str) -> String {
    replace(
        svg,
        |index| format!("var(--{})", ROLES[index].1),
        |index| format!("var(--r{index})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_is_replaced() {
        let svg: String = ROLES
            .iter()
            .map(|role| role.0)
            .chain((0..RAMP).map(|index| RGBColor(2, 0, index)))
            .map(marker)
            .collect();
        for svg in [standalone(&svg), inline(&svg)] {
            assert!(!svg.contains("#0100") && !svg.contains("#0200"), "{svg}");
        }
    }

    #[test]
    fn the_ramp_begins_and_ends_as_the_map() {
        assert_eq!(plasma(0, false), "#0d0887");
        assert_eq!(plasma(RAMP - 1, true), "#f0f921");
        assert_eq!(marker(ramp(f64::NAN)), "\"#020000\"");
        assert_eq!(ramp(2.0), RGBColor(2, 0, RAMP - 1));
    }
}
