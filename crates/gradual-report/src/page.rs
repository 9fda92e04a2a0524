//! The page: one HTML file with its style, script and figures inside.

mod first;
mod found_groups;
pub(crate) mod live;
mod looks;
mod metrics;
mod order;
mod reproduce;
mod verdict_table;

use std::collections::BTreeSet;

use crate::figures::{Figure, Legend, Panel};
use crate::folder::{Folder, MOST_ARMS};
use crate::numbers::{count, number, whole};
use crate::prose;
use crate::results::{ArmResult, Results};
use crate::style;
use crate::text::{escape, shorten, shown};

/// Figures that stand before the tables, by the names of their numbers. People look before they read.
const SHOWN_FIRST: [&str; 6] = ["tax", "strength", "sizes", "curves", "raster", "overlay"];

/// Bytes of all drawings of a page, so that it stays below 5 MB; and below 2 MB with more than [`MANY`] runs.
const DRAWN: usize = 3_500_000;
const DRAWN_OF_MANY: usize = 1_600_000;
/// With more runs, a drawing of the page has at most so many places that tell their values.
const MANY: usize = 30;
const POINTED_OF_MANY: usize = 40;
/// Notes that are shown.
const NOTES: usize = 40;
/// Letters of a title, of a note, and of a text.
const TITLE: usize = 300;
const NOTE: usize = 1000;
const TEXT: usize = 4000;

/// The whole report; `csv` tells whether the numbers behind the figures lie beside it as CSV.
pub(crate) fn html(folder: &Folder, results: &Results, figures: &[Figure], csv: bool) -> String {
    let arms = arms(folder, results);
    let drawings = Drawings::of(folder, figures);
    let figure = |one: &Figure| figure(folder, one, drawings, csv);
    let first = |one: &&Figure| SHOWN_FIRST.contains(&one.data.name.as_str());
    // What one capability learns does not say what its examples are.
    let (early, late) = match folder.has_several_capabilities() {
        true => (String::new(), found_groups::html(folder)),
        false => (found_groups::html(folder), String::new()),
    };
    let sections = [
        folder
            .claims
            .iter()
            .take(NOTES)
            .filter(|claim| !claim.is_empty())
            .map(|claim| claimed(claim))
            .collect(),
        first::html(folder, figures, drawings.pointed),
        (prose::paragraphs(folder, results).iter())
            .map(|told| format!("<p class=\"lead\">{}</p>\n", quoted(told)))
            .collect(),
        notes(&[folder.notes.as_slice(), &folder.said].concat()),
        verdict_table::html(folder, &results.verdicts),
        metrics::arms(&arms, results.arms.len()),
        early,
        figures.iter().filter(first).map(figure).collect(),
        metrics::against(&arms),
        metrics::shares(&arms),
        metrics::topics(&arms),
        order::html(folder),
        late,
        looks::html(folder),
        figures
            .iter()
            .filter(|one| !first(one))
            .map(figure)
            .collect(),
        reproduce::html(folder, csv),
    ];
    document(&folder.title, &sections.concat())
}

/// The arms that the page shows: those of its figures, and those without runs if all are few.
fn arms<'a>(folder: &Folder, results: &'a Results) -> Vec<&'a ArmResult> {
    let shown: BTreeSet<&str> = folder.shown().map(|arm| arm.name.as_str()).collect();
    let few = results.arms.len() <= MOST_ARMS;
    let all = results.arms.iter();
    all.filter(|arm| few || shown.contains(arm.name.as_str()))
        .collect()
}

/// How much of the drawings a page has room for.
#[derive(Clone, Copy)]
struct Drawings {
    /// Bytes of a figure.
    most: usize,
    /// Places of a drawing that tell their values.
    pointed: usize,
    /// Whether the page says how to reproduce them.
    reproduced: bool,
}

impl Drawings {
    /// So that all figures together have [`DRAWN`] bytes: small figures keep all their panels, and large ones lose some.
    fn of(folder: &Folder, figures: &[Figure]) -> Self {
        let many = folder.arms.iter().map(|arm| arm.runs.len()).sum::<usize>() > MANY;
        let (pointed, mut left) = match many {
            true => (POINTED_OF_MANY, DRAWN_OF_MANY),
            false => (usize::MAX, DRAWN),
        };
        let all = Self {
            most: usize::MAX,
            pointed,
            reproduced: true,
        };
        let size = |figure: &Figure| {
            let panels = figure.panels.iter();
            panels.map(|panel| panel.inline(pointed).len()).sum()
        };
        let mut sizes: Vec<usize> = figures.iter().map(size).collect();
        sizes.sort_unstable();
        for (at, &size) in sizes.iter().enumerate() {
            let share = left / (sizes.len() - at);
            if size > share {
                return Self { most: share, ..all };
            }
            left -= size;
        }
        all
    }
}

/// A whole page around a body.
pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\
         </main>\n<script>\n{script}</script>\n</body>\n</html>\n",
        title = shown(title, TITLE),
        style = stylesheet(),
        script = include_str!("page.js"),
    )
}

fn stylesheet() -> String {
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n\
         @media print{{:root{{{}}}}}\n.ramp{{background:{}}}\n{}{}",
        style::variables(false),
        style::variables(true),
        style::variables(false),
        style::gradient(),
        include_str!("page.css"),
        found_groups::STYLE,
    )
}

fn claimed(text: &str) -> String {
    format!("<blockquote>{}</blockquote>\n", shown(text, TEXT))
}

fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let items: String = notes
        .iter()
        .take(NOTES)
        .map(|note| format!("<li>{}</li>", quoted(&shorten(note, NOTE))))
        .collect();
    let more = match notes.len().saturating_sub(NOTES) {
        0 => String::new(),
        more => format!(
            "<li>{}: summary.json has all.</li>",
            count(more, "more note", "more notes")
        ),
    };
    format!("<aside><strong>Mind:</strong><ul>{items}{more}</ul></aside>\n")
}

/// Escaped text with what stands in backticks set as code.
fn quoted(text: &str) -> String {
    let parts = shown(text, TEXT);
    let parts = parts.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            format!("<code>{part}</code>")
        } else {
            part.to_owned()
        }
    });
    parts.collect()
}

/// A cell of a table: what it shows as HTML, and the number that it is sorted by.
pub(crate) struct Shown {
    pub(crate) html: String,
    pub(crate) sort: Option<f64>,
}

impl Shown {
    /// A number with the ends of its interval, small, behind it; a dash where there is none.
    pub(crate) fn estimate(value: Option<f64>, interval: Option<(f64, f64)>) -> Self {
        let interval = interval.map_or_else(String::new, |(low, high)| {
            format!(" <small>{} to {}</small>", number(low), number(high))
        });
        Self {
            html: value.map_or_else(
                || "–".to_owned(),
                |value| format!("{}{interval}", number(value)),
            ),
            sort: value,
        }
    }
}

impl From<String> for Shown {
    fn from(html: String) -> Self {
        Self { html, sort: None }
    }
}

/// A table whose rows become cards on a narrow screen.
pub(crate) fn table(class: &str, heads: &[&str], rows: &[Vec<Shown>]) -> String {
    let head: String = heads
        .iter()
        .map(|head| format!("<th scope=\"col\">{}</th>", escape(head)))
        .collect();
    let cell = |(head, cell): (&&str, &Shown)| {
        let sort = cell
            .sort
            .map_or_else(String::new, |number| format!(" data-sort=\"{number}\""));
        format!(
            "<td data-label=\"{}\"{sort}><span>{}</span></td>",
            escape(head),
            cell.html
        )
    };
    let body: String = rows
        .iter()
        .map(|row| {
            let cells: String = heads.iter().zip(row).map(cell).collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    format!(
        "<div class=\"scroll\"><table class=\"{class}\"><thead><tr>{head}</tr></thead><tbody>\n{body}\
         </tbody></table></div>\n"
    )
}

/// A figure with as many of its panels as there is room for, and at least one.
fn figure(folder: &Folder, figure: &Figure, drawings: Drawings, csv: bool) -> String {
    let inline = figure
        .panels
        .iter()
        .map(|panel| panel.inline(drawings.pointed));
    let inline: Vec<String> = inline.collect();
    let mut size = 0;
    let fit = inline.iter().take_while(|panel| {
        size += panel.len();
        size <= drawings.most
    });
    let fit = fit.count().max(1);
    let panels: String = inline[..fit.min(inline.len())]
        .iter()
        .map(|panel| format!("<div class=\"panel\">{panel}</div>\n"))
        .collect();
    let class = match &figure.panels[..] {
        [one] => format!("panels single\" style=\"--width:{}px", one.width * 5 / 4),
        // As large as there is room for.
        [_, _] => "panels pair".to_owned(),
        _ => "panels".to_owned(),
    };
    let (legend, names) = match &figure.legend {
        None => (String::new(), String::new()),
        Some(Legend::Ends([left, right])) => {
            let ends = format!(
                "<span class=\"legend\">{}<i class=\"ramp\"></i>{}</span>",
                escape(left),
                escape(right)
            );
            (ends, String::new())
        }
        Some(Legend::Names(names)) => (String::new(), named(names)),
    };
    let data = if csv {
        format!(
            " <a href=\"figures/{0}.csv\">numbers ({0}.csv)</a>,",
            escape(&figure.data.name)
        )
    } else {
        String::new()
    };
    let source = match drawings.reproduced {
        true => format!(
            "<span class=\"source\">{data} <a href=\"#reproduce\">how to reproduce</a></span>"
        ),
        false => String::new(),
    };
    let caption = [
        figure.caption.clone(),
        left_out(folder, figure, fit),
        thinned(figure, drawings),
    ];
    let body = format!(
        "<figure>\n<figcaption>{} {legend}{source}</figcaption>\n{names}<div class=\"{class}\">\n{panels}</div>\n</figure>\n",
        escape(&caption.concat()),
    );
    let title = escape(figure.title);
    if figure.aside {
        format!("<details class=\"more\"><summary><h2>{title}</h2></summary>\n{body}</details>\n")
    } else {
        format!("<h2>{title}</h2>\n{body}")
    }
}

/// Names in the order of the ramp, each with its colour.
fn named(names: &[(String, f64)]) -> String {
    let items = names.iter().map(|(name, share)| {
        format!(
            "<li><i style=\"background:var({})\"></i>{}</li>",
            style::ramp_variable(*share),
            escape(name)
        )
    });
    format!("<ul class=\"names\">{}</ul>\n", items.collect::<String>())
}

/// What of a figure is not on the page, and where it is.
fn left_out(folder: &Folder, figure: &Figure, shown: usize) -> String {
    let mut said = String::new();
    let arms = folder.with_runs().count();
    if arms > MOST_ARMS {
        said = format!(" {MOST_ARMS} of {} arms are shown.", whole(arms));
    }
    if shown < figure.panels.len() {
        said.push_str(&format!(
            " {shown} of {} panels are on this page; the others lie beside it in the folder figures.",
            figure.panels.len()
        ));
    }
    said
}

/// That not every value can be pointed at, where that is so.
fn thinned(figure: &Figure, drawings: Drawings) -> String {
    let thin = |panel: &Panel| panel.pointed() > drawings.pointed;
    match figure.panels.iter().any(thin) {
        true => format!(
            " With this many runs, at most {} points of a drawing show their values; the numbers hold all.",
            drawings.pointed
        ),
        false => String::new(),
    }
}
