//! The page: one HTML file with its style, script and figures inside.

mod metrics;
mod reproduce;
mod verdict_table;

use crate::figures::Figure;
use crate::folder::Folder;
use crate::prose;
use crate::results::Results;
use crate::style;
use crate::text::escape;

/// Figures that stand before the tables: headline, curves, raster, overlay. People look before they read.
const SHOWN_FIRST: usize = 4;

/// The whole report; `csv` tells whether the numbers behind the figures lie beside it as CSV.
pub(crate) fn html(folder: &Folder, results: &Results, figures: &[Figure], csv: bool) -> String {
    let sections = [
        folder.claims.iter().map(|claim| claimed(claim)).collect(),
        format!(
            "<p class=\"lead\">{}</p>\n",
            quoted(&prose::paragraph(folder, results))
        ),
        notes(&folder.notes),
        verdict_table::html(&results.verdicts),
        metrics::arms(&results.arms),
        figures
            .iter()
            .take(SHOWN_FIRST)
            .map(|one| figure(one, csv))
            .collect(),
        metrics::against(&results.arms),
        metrics::topics(&results.arms),
        figures
            .iter()
            .skip(SHOWN_FIRST)
            .map(|one| figure(one, csv))
            .collect(),
        reproduce::html(folder, csv),
    ];
    document(&folder.title, &sections.concat())
}

/// A whole page around a body.
pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\
         </main>\n<script>\n{script}</script>\n</body>\n</html>\n",
        title = escape(title),
        style = stylesheet(),
        script = include_str!("page.js"),
    )
}

fn stylesheet() -> String {
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n\
         @media print{{:root{{{}}}}}\n.ramp{{background:{}}}\n{}",
        style::variables(false),
        style::variables(true),
        style::variables(false),
        style::gradient(),
        include_str!("page.css"),
    )
}

fn claimed(text: &str) -> String {
    format!("<blockquote>{}</blockquote>\n", escape(text))
}

fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let items: String = notes
        .iter()
        .map(|note| format!("<li>{}</li>", quoted(note)))
        .collect();
    format!("<aside><strong>Mind:</strong><ul>{items}</ul></aside>\n")
}

/// Escaped text with what stands in backticks set as code.
fn quoted(text: &str) -> String {
    let parts = escape(text);
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

fn figure(figure: &Figure, csv: bool) -> String {
    let panels: String = figure
        .panels
        .iter()
        .map(|panel| format!("<div class=\"panel\">{}</div>\n", panel.inline))
        .collect();
    let class = match &figure.panels[..] {
        [one] => format!("panels single\" style=\"--width:{}px", one.width * 5 / 4),
        _ => "panels".to_owned(),
    };
    let legend = figure
        .legend
        .as_ref()
        .map_or_else(String::new, |[left, right]| {
            format!(
                "<span class=\"legend\">{}<i class=\"ramp\"></i>{}</span>",
                escape(left),
                escape(right)
            )
        });
    let data = if csv {
        format!(
            " <a href=\"figures/{0}.csv\">numbers ({0}.csv)</a>,",
            escape(&figure.data.name)
        )
    } else {
        String::new()
    };
    let body = format!(
        "<figure>\n<figcaption>{} {legend}<span class=\"source\">{data} \
         <a href=\"#reproduce\">how to reproduce</a></span></figcaption>\n\
         <div class=\"{class}\">\n{panels}</div>\n</figure>\n",
        escape(&figure.caption),
    );
    let title = escape(figure.title);
    if figure.aside {
        format!("<details class=\"more\"><summary><h2>{title}</h2></summary>\n{body}</details>\n")
    } else {
        format!("<h2>{title}</h2>\n{body}")
    }
}
