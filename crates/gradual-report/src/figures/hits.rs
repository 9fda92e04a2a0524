//! What a figure says where it is pointed at: invisible shapes with a title, above the drawing.
//!
//! Every browser shows the titles by itself; the page's script shows them at once, and on touch.

use super::svg::px;
use crate::text::shown;

/// Letters of a title.
const LONGEST: usize = 160;

/// Shapes in drawing units of the whole panel.
#[derive(Default)]
pub(crate) struct Hits(Vec<String>);

impl Hits {
    /// A disc around a point, `radius` in pixels.
    pub(crate) fn circle(&mut self, (x, y): (i32, i32), radius: f64, title: &str) {
        let shape = format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{}\">", px(radius));
        self.put(&shape, title, "circle");
    }

    /// A rectangle between two corners.
    pub(crate) fn rectangle(&mut self, one: (i32, i32), other: (i32, i32), title: &str) {
        let (left, top) = (one.0.min(other.0), one.1.min(other.1));
        let (width, height) = ((one.0 - other.0).abs(), (one.1 - other.1).abs());
        let shape =
            format!("<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\">");
        self.put(&shape, title, "rect");
    }

    fn put(&mut self, shape: &str, title: &str, tag: &str) {
        self.0.push(format!(
            "{shape}<title>{}</title></{tag}>\n",
            shown(title, LONGEST)
        ));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The SVG group of at most `most` of them, evenly apart; empty when nothing can be pointed at.
    pub(crate) fn svg(&self, most: usize) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let shown = spread(self.0.len(), most).map(|at| self.0[at].as_str());
        format!(
            "<g fill=\"none\" stroke=\"none\" pointer-events=\"all\">\n{}</g>\n",
            shown.collect::<String>()
        )
    }
}

/// At most about `most` of the indices below `count`, evenly apart, the last one with them.
pub(crate) fn thinned(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let stride = count.div_ceil(most.max(1)).max(1);
    let last = count.checked_sub(1);
    (0..count)
        .step_by(stride)
        .chain(last.filter(move |last| last % stride != 0))
}

/// At most `most` of the indices below `count`, evenly apart, the first and the last with them.
pub(crate) fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let shown = count.min(most);
    let last = (shown.max(2) - 1) as u128;
    (0..shown).map(move |at| (at as u128 * count.saturating_sub(1) as u128 / last) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spread_has_both_ends() {
        assert_eq!(spread(0, 3).count(), 0);
        assert_eq!(spread(1, 3).collect::<Vec<_>>(), [0]);
        assert_eq!(spread(3, 3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(spread(100, 3).collect::<Vec<_>>(), [0, 49, 99]);
    }

    #[test]
    fn few_are_kept_and_the_last_is() {
        assert_eq!(thinned(0, 3).count(), 0);
        assert_eq!(thinned(3, 5).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(thinned(10, 3).collect::<Vec<_>>(), [0, 4, 8, 9]);
        assert_eq!(thinned(9, 3).collect::<Vec<_>>(), [0, 3, 6, 8]);
    }

    #[test]
    fn titles_are_escaped() {
        let mut hits = Hits::default();
        assert_eq!(hits.svg(9), "");
        hits.rectangle((8, 9), (4, 4), "a < b");
        hits.circle((8, 9), 1.0, "c");
        assert!(!hits.svg(1).contains("circle"));
        assert!(hits.svg(9).contains(
            "<rect x=\"4\" y=\"4\" width=\"4\" height=\"5\"><title>a &lt; b</title></rect>"
        ));
    }
}
