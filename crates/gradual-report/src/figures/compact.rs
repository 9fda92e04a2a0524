//! A drawing in fewer bytes, for the page: the same elements in the same places.
//!
//! Lines and areas become paths of relative steps, of which each takes about half of the bytes of a point, and neighbours
//! that look alike share what they have in common.

use std::fmt::Write as _;

/// A drawing, an element in each line as plotters writes it, in fewer bytes.
pub(super) fn compact(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut lines = svg.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(element) = Element::read(line) else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        if let Some(path) = element.path() {
            out.push_str(&path);
            continue;
        }
        let Some(look) = element.look() else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let mut shapes = element.shape();
        let mut count = 1;
        while let Some(next) = lines.peek().and_then(|line| Element::read(line)) {
            if next.look().as_ref() != Some(&look) {
                break;
            }
            shapes.push_str(&next.shape());
            count += 1;
            lines.next();
        }
        match count {
            1 => {
                out.push_str(line);
                out.push('\n');
            }
            _ => {
                let _ = writeln!(out, "<g{look}>{shapes}</g>");
            }
        }
    }
    out
}

/// One element without children.
struct Element<'a> {
    tag: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Element<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let inside = line.strip_prefix('<')?.strip_suffix("/>")?;
        let (tag, mut rest) = inside.split_once(' ')?;
        let mut attributes = Vec::new();
        while let Some((name, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            attributes.push((name.trim_start(), value));
            rest = after;
        }
        rest.trim().is_empty().then_some(Self { tag, attributes })
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.attributes.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| *value)
    }

    /// A line or an area as a path.
    fn path(&self) -> Option<String> {
        let closed = match self.tag {
            "polyline" => "",
            "polygon" => "z",
            _ => return None,
        };
        let points: Vec<(i64, i64)> = self
            .get("points")?
            .split_whitespace()
            .map(|point| {
                let (x, y) = point.split_once(',')?;
                Some((x.parse().ok()?, y.parse().ok()?))
            })
            .collect::<Option<_>>()?;
        let (&(x, y), others) = points.split_first()?;
        let mut path = String::from("<path");
        for (name, value) in &self.attributes {
            if *name != "points" {
                let _ = write!(path, " {name}=\"{value}\"");
            }
        }
        let _ = write!(path, " d=\"M{x} {y}");
        let mut at = (x, y);
        for (index, &(x, y)) in others.iter().enumerate() {
            path.push_str(if index == 0 { "l" } else { "" });
            number(&mut path, x - at.0);
            number(&mut path, y - at.1);
            at = (x, y);
        }
        let _ = writeln!(path, "{closed}\"/>");
        Some(path)
    }

    /// What a filled shape looks like, wherever it is; none of a shape with an outline.
    fn look(&self) -> Option<String> {
        let filled = matches!(self.tag, "circle" | "rect") && self.get("stroke").is_none();
        if !filled {
            return None;
        }
        let mut look = String::new();
        for (name, value) in &self.attributes {
            match *name {
                // Without an outline it has no width.
                "stroke-width" => {}
                // Of a group the opacity would be that of all together.
                "opacity" => {
                    let _ = write!(look, " fill-opacity=\"{value}\"");
                }
                name if self.places(name) => {}
                name => {
                    let _ = write!(look, " {name}=\"{value}\"");
                }
            }
        }
        Some(look)
    }

    /// Where it is.
    fn shape(&self) -> String {
        let places = self.attributes.iter().filter(|(name, _)| self.places(name));
        let mut shape = format!("<{}", self.tag);
        for (name, value) in places {
            let _ = write!(shape, " {name}=\"{value}\"");
        }
        shape + "/>"
    }

    fn places(&self, name: &str) -> bool {
        matches!(name, "cx" | "cy" | "r" | "x" | "y" | "width" | "height")
    }
}

/// A step, apart from the letter or number before it.
fn number(path: &mut String, step: i64) {
    if step >= 0 && path.ends_with(|letter: char| letter.is_ascii_digit()) {
        path.push(' ');
    }
    let _ = write!(path, "{step}");
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn lines_become_steps_and_neighbours_share_their_look() {
        let line = "<polyline fill=\"none\" stroke=\"#1\" points=\"10,20 15,18 15,30 \"/>\n";
        assert_eq!(
            compact(line),
            "<path fill=\"none\" stroke=\"#1\" d=\"M10 20l5-2 0 12\"/>\n"
        );
        let area = "<polygon opacity=\"0.18\" fill=\"#2\" points=\"0,0 4,0 4,-4\"/>\n";
        assert_eq!(
            compact(area),
            "<path opacity=\"0.18\" fill=\"#2\" d=\"M0 0l4 0 0-4z\"/>\n"
        );
        let dot = |x: i32, fill: &str| {
            format!(
                "<circle cx=\"{x}\" cy=\"7\" r=\"2\" opacity=\"0.35\" fill=\"{fill}\" stroke-width=\"1\"/>\n"
            )
        };
        let dots = dot(1, "#3") + &dot(2, "#3") + &dot(3, "#4");
        assert_eq!(
            compact(&dots),
            format!(
                "<g fill-opacity=\"0.35\" fill=\"#3\"><circle cx=\"1\" cy=\"7\" r=\"2\"/><circle cx=\"2\" cy=\"7\" r=\"2\"/></g>\n{}",
                dot(3, "#4")
            )
        );
    }

    #[test]
    fn all_else_stays() {
        let kept = "<text x=\"1\" y=\"2\">\na < b/>\n</text>\n<g>\n<rect x=\"1\" stroke=\"#1\"/>\n<polyline points=\"1,x\"/>\n</g>\n";
        assert_eq!(compact(kept), kept);
    }
}
