//! The page that follows runs: their progress, and the figures of the report.

use gradual_measure::Metric;

use super::first::CURVES;
use super::{Drawings, Shown, document, figure, quoted, table};
use crate::figures::Figure;
use crate::folder::{Folder, Run};
use crate::numbers::{count, number, whole};
use crate::results::Results;
use crate::text::{shorten, shown};

/// Runs that have a row of their own.
const ROWS: usize = 200;
/// Letters of a problem.
const PROBLEM: usize = 1000;

/// The whole page around its changing part.
pub(crate) fn html(title: &str, changing: &str) -> String {
    let body = format!(
        "<p class=\"small\" id=\"state\" role=\"status\">Following …</p>\n<div id=\"live\">\n{changing}</div>\n\
         <script>\n{}</script>\n",
        include_str!("live.js")
    );
    document(title, &body)
}

/// The changing part.
pub(crate) fn body(problem: Option<&str>, drawn: &str) -> String {
    let problem = problem.map_or_else(String::new, |problem| {
        format!(
            "<aside><strong>At the moment:</strong> {}</aside>\n",
            quoted(&shorten(problem, PROBLEM))
        )
    });
    problem + drawn
}

/// Progress and figures.
pub(crate) fn drawn(folder: &Folder, results: &Results, figures: &[Figure]) -> String {
    let drawings = Drawings {
        reproduced: false,
        ..Drawings::of(folder, figures)
    };
    // What changes most comes first.
    let is_curves = |figure: &&Figure| figure.data.name == CURVES;
    let (curves, others): (Vec<_>, Vec<_>) = figures.iter().partition(is_curves);
    let figures = curves.into_iter().chain(others);
    let figures = figures.map(|one| figure(folder, one, drawings, false));
    format!(
        "{}{}",
        progress(folder, results),
        figures.collect::<String>()
    )
}

fn progress(folder: &Folder, results: &Results) -> String {
    let runs = || folder.arms.iter().flat_map(|arm| &arm.runs);
    let finished = runs().filter(|run| run.finished).count();
    // An arm may have runs of earlier commands, too, and no plan is known of runs of other programs.
    let all = folder.arms.iter().map(|arm| {
        let planned = usize::try_from(arm.planned.unwrap_or_default());
        planned.unwrap_or(usize::MAX).max(arm.runs.len())
    });
    let all = all.fold(0, usize::saturating_add);
    let rows = folder
        .arms
        .iter()
        .flat_map(|arm| arm.runs.iter().map(move |run| (arm.label.as_str(), run)));
    // What goes on is looked for.
    let (going, done): (Vec<_>, Vec<_>) = rows.partition(|(_, run)| !run.finished);
    let rows = going.into_iter().chain(done).take(ROWS);
    let rows: Vec<Vec<Shown>> = rows.map(|(arm, run)| row(arm, run)).collect();
    let more = match runs().count().saturating_sub(ROWS) {
        0 => String::new(),
        more => format!(" {} more are not listed.", whole(more)),
    };
    let heads = [
        "arm",
        "seed",
        "progress",
        "step",
        "mean accuracy",
        "steps to 90 %",
    ];
    format!(
        "<h2>Progress</h2>\n<p>{finished} of {} finished{}.{more} {}</p>\n{}",
        count(all, "run", "runs"),
        match all.saturating_sub(runs().count()) {
            0 => String::new(),
            waiting => format!(", {} not begun", count(waiting, "is", "are")),
        },
        notes(results),
        table("metrics", &heads, &rows)
    )
}

fn notes(results: &Results) -> String {
    let open = results.arms.iter().filter(|arm| arm.provisional).count();
    match open {
        0 => String::new(),
        _ => String::from("An arm without a finished run is drawn by what there is of it."),
    }
}

fn row(arm: &str, run: &Run) -> Vec<Shown> {
    let steps = run.config.steps.max(1) as f64;
    let step = run.summary.last_step as f64;
    let share = match run.finished {
        true => 1.0,
        false => (step / steps).min(1.0),
    };
    let state = match run.finished {
        true => String::from("done"),
        false => format!("{:.0}\u{a0}%", 100.0 * share),
    };
    let to_90 = run.summary.value(Metric::StepsTo90);
    vec![
        format!("<code>{}</code>", shown(arm, 400)).into(),
        Shown {
            html: run.seed.to_string(),
            sort: Some(run.seed as f64),
        },
        Shown {
            html: format!(
                "<progress max=\"1\" value=\"{share}\">{state}</progress> <small>{state}</small>"
            ),
            sort: Some(share),
        },
        Shown {
            html: format!(
                "{} of {}",
                whole(run.summary.last_step as usize),
                whole(run.config.steps as usize)
            ),
            sort: Some(step),
        },
        Shown {
            html: number(run.summary.final_accuracy),
            sort: Some(run.summary.final_accuracy),
        },
        Shown {
            html: to_90.map_or_else(|| "–".to_owned(), number),
            sort: to_90,
        },
    ]
}
