//! The structure of a line plot.

use gradual_report::{Line, LinePlot, Stroke};

fn plot(lines: Vec<Line>) -> LinePlot {
    LinePlot {
        name: "time-n".into(),
        title: "Time <of> a step".into(),
        x_label: "draw N (examples)".into(),
        y_label: "time (ms)".into(),
        lines,
    }
}

fn rising(label: &str, stroke: Stroke, first: f64) -> Line {
    let points = (0..5).map(|k| (32.0 * f64::from(1 << k), first * f64::from(1 << k)));
    Line {
        label: label.into(),
        stroke,
        points: points.collect(),
    }
}

/// (words, x, y) of every text, in drawing units.
fn texts(svg: &str) -> Vec<(String, f64, f64)> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|n| n.has_tag_name("text"));
    texts
        .map(|node| {
            let at = |name| node.attribute(name).unwrap().parse().unwrap();
            let words = node.text().unwrap_or_default().trim().to_owned();
            (words, at("x"), at("y"))
        })
        .collect()
}

#[test]
fn every_line_is_named_once_and_no_names_overlap() {
    let names = [
        "ordinary",
        "exact",
        "sketch",
        "vmap",
        "ghost & hand",
        "roofline",
    ];
    let strokes = [Stroke::Solid, Stroke::Dashed, Stroke::Dotted];
    // All but one end at nearly the same place.
    let lines = names.iter().enumerate().map(|(index, name)| {
        let first = if index == 3 {
            300.0
        } else {
            2.0 + 0.001 * index as f64
        };
        rising(name, strokes[index / 2], first)
    });
    let svg = plot(lines.collect()).svg().unwrap();
    let texts = texts(&svg);
    let mut places = Vec::new();
    for name in names {
        let found: Vec<_> = texts.iter().filter(|text| text.0 == name).collect();
        assert_eq!(found.len(), 1, "{name}");
        places.push((found[0].1, found[0].2));
    }
    places.sort_by(|a, b| a.1.total_cmp(&b.1));
    for pair in places.windows(2) {
        assert_eq!(pair[0].0, pair[1].0, "one column");
        // Letters are 11 pixels high, four units each.
        assert!(pair[1].1 - pair[0].1 >= 4.0 * 14.5, "{places:?}");
    }
    for label in ["draw N (examples)", "time (ms)", "Time <of> a step"] {
        assert!(texts.iter().any(|text| text.0 == label), "{label}");
    }
}

#[test]
fn strokes_differ_and_a_plot_stands_alone() {
    let pieces = |stroke| {
        let svg = plot(vec![rising("one", stroke, 1.0)]).svg().unwrap();
        assert!(!svg.contains("#0100") && !svg.contains("var("), "{svg}");
        let document = roxmltree::Document::parse(&svg).unwrap();
        assert_eq!(document.root_element().attribute("width"), Some("640"));
        let count = |tag| {
            document
                .descendants()
                .filter(|n| n.has_tag_name(tag))
                .count()
        };
        (count("polyline"), count("circle"))
    };
    let [solid, dashed, dotted] = [Stroke::Solid, Stroke::Dashed, Stroke::Dotted].map(pieces);
    assert_eq!((solid.1, dashed.1, dotted.1), (5, 5, 0));
    assert!(
        solid.0 < dashed.0 && dashed.0 < dotted.0,
        "{solid:?} {dashed:?} {dotted:?}"
    );
}

#[test]
fn equal_plots_give_equal_bytes() {
    let svg = || {
        plot(vec![rising("one", Stroke::Dashed, 1.0)])
            .svg()
            .unwrap()
    };
    assert_eq!(svg(), svg());
}

#[test]
fn what_has_no_logarithm_is_left_out() {
    let line = |points: &[(f64, f64)]| Line {
        label: "one".into(),
        stroke: Stroke::Solid,
        points: points.to_vec(),
    };
    let odd = [
        (1.0, 0.0),
        (2.0, f64::NAN),
        (-4.0, 1.0),
        (8.0, f64::INFINITY),
        (16.0, 3.0),
    ];
    let drawn = plot(vec![line(&odd)]).svg().unwrap();
    assert_eq!(drawn, plot(vec![line(&[(16.0, 3.0)])]).svg().unwrap());
    assert!(!drawn.contains("NaN"));
    // No line, and a line without a point, have no name to write.
    for lines in [vec![], vec![line(&[])]] {
        let svg = plot(lines).svg().unwrap();
        assert!(texts(&svg).iter().all(|text| text.0 != "one"));
    }
}
