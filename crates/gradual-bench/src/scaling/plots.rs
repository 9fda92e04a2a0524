//! The four plots of a sweep.

use gradual_report::{Line, LinePlot, ReportError, Stroke};

use super::series::{Along, Cost, Series, Source};
use super::sweep::{DRAW, Sweep};
use crate::model::WIDTH;

/// `time-n`, `memory-n`, `time-p` and `memory-p`, each with its SVG.
pub(super) fn all(sweep: &Sweep) -> Result<Vec<(String, String)>, ReportError> {
    let mut plots = Vec::new();
    for along in Along::ALL {
        for cost in Cost::ALL {
            let plot = plot(sweep, along, cost);
            plots.push((plot.name.clone(), plot.svg()?));
        }
    }
    Ok(plots)
}

fn plot(sweep: &Sweep, along: Along, cost: Cost) -> LinePlot {
    let (what, y_label) = match cost {
        Cost::Time => ("time", "time of a step (ms)"),
        Cost::Memory => ("memory", "memory above the start (MiB)"),
    };
    let (fixed, x_label) = match along {
        Along::Draw => (format!("width {WIDTH}"), "draw N (examples)"),
        Along::Parameters => (format!("draw {DRAW}"), "parameters P of 64 → w → w → 32"),
    };
    let threads = match sweep.threads {
        1 => "one thread".to_owned(),
        threads => format!("{threads} threads"),
    };
    LinePlot {
        name: format!("{what}-{}", along.letter().to_lowercase()),
        title: format!(
            "MLP step, {fixed}, {threads}: {what} against {}",
            along.letter()
        ),
        x_label: x_label.to_owned(),
        y_label: y_label.to_owned(),
        lines: sweep.series(along, cost).into_iter().map(line).collect(),
    }
}

fn line(series: Series) -> Line {
    let (label, stroke) = match series.source {
        Source::Ours => (format!("gradual, {}", series.name), Stroke::Solid),
        Source::Peer => (peer(series.name).to_owned(), Stroke::Dashed),
        Source::Counted => ("exact: flops ÷ rate".to_owned(), Stroke::Dotted),
    };
    Line {
        label,
        stroke,
        points: series.points,
    }
}

/// The name of a peer for people.
fn peer(name: &str) -> &str {
    match name {
        "vmap" => "torch.func vmap",
        "torchjd" => "TorchJD",
        "ghost" => "PyTorch by hand",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sweep::sample;
    use super::*;

    #[test]
    fn four_plots_say_what_they_show() {
        let plots = all(&sample()).unwrap();
        let names: Vec<&str> = plots.iter().map(|plot| plot.0.as_str()).collect();
        assert_eq!(names, ["time-n", "memory-n", "time-p", "memory-p"]);
        let (time, memory) = (&plots[0].1, &plots[3].1);
        for label in [
            "gradual, exact",
            "torch.func vmap",
            "exact: flops ÷ rate",
            "draw N (examples)",
            "time of a step (ms)",
            "width 512",
        ] {
            assert!(time.contains(label), "{label}");
        }
        assert!(memory.contains("(MiB)") && memory.contains("draw 128"));
        assert!(!memory.contains("flops"));
    }
}
