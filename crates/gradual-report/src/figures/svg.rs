//! How lengths are written in an SVG.

/// Drawing units per pixel.
pub(crate) const SCALE: u32 = 4;

/// `pixels` in drawing units.
pub(crate) fn px(pixels: f64) -> i32 {
    (pixels * f64::from(SCALE)).round() as i32
}

/// Drawing units in pixels.
pub(crate) fn pixels(units: i32) -> f64 {
    f64::from(units) / f64::from(SCALE)
}
