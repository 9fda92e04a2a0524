//! A page of text, tables and figures, for measurements that are no learning curves.

use crate::ReportError;
use crate::figures::{HeatMap, name_apart};
use crate::page;
use crate::text::escape;
use crate::text::markdown::{block, cell, plain};

/// Text, tables and figures in order, written as a web page and as Markdown.
///
/// ```
/// use gradual_report::Sheet;
///
/// let mut sheet = Sheet::new("Recovery");
/// sheet.text("Adjusted Rand index, by step.");
/// sheet.table(&["row", "0"], vec![vec!["whitened".into(), "0.98".into()]]);
/// assert!(sheet.markdown().contains("| whitened | 0.98 |"));
/// assert!(sheet.html()?.contains("<span>0.98</span>"));
/// # Ok::<(), gradual_report::ReportError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sheet {
    title: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Heading(String),
    Text(String),
    Command(String),
    Table {
        heads: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Figure(HeatMap),
}

impl Sheet {
    /// A sheet with nothing but a title.
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            parts: Vec::new(),
        }
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: &str) {
        self.parts.push(Part::Heading(text.to_owned()));
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: &str) {
        self.parts.push(Part::Text(text.to_owned()));
    }

    /// Adds a command line.
    pub fn command(&mut self, text: &str) {
        self.parts.push(Part::Command(text.to_owned()));
    }

    /// Adds a table, each row with as many cells as there are heads.
    pub fn table(&mut self, heads: &[&str], rows: Vec<Vec<String>>) {
        let heads = heads.iter().map(|&head| head.to_owned()).collect();
        self.parts.push(Part::Table { heads, rows });
    }

    /// Adds a figure; Markdown refers to it as `<name>.svg`. A name that is taken gets a number.
    pub fn figure(&mut self, figure: &HeatMap) {
        let mut names: Vec<String> = self.figures().map(|one| one.name.clone()).collect();
        names.push(figure.name.clone());
        name_apart(names.iter_mut());
        let mut figure = figure.clone();
        figure.name = names.pop().unwrap_or_default();
        self.parts.push(Part::Figure(figure));
    }

    /// The figures in order.
    pub fn figures(&self) -> impl Iterator<Item = &HeatMap> {
        self.parts.iter().filter_map(|part| match part {
            Part::Figure(figure) => Some(figure),
            _ => None,
        })
    }

    /// The sheet as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n", cell(&self.title));
        for part in &self.parts {
            text.push('\n');
            text.push_str(&match part {
                Part::Heading(heading) => format!("## {}\n", cell(heading)),
                Part::Text(paragraph) => format!("{}\n", plain(paragraph)),
                Part::Command(command) => block(command),
                Part::Table { heads, rows } => {
                    let line = |cells: &[String]| {
                        let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
                        format!("| {} |\n", cells.join(" | "))
                    };
                    let rule = format!("|{}\n", "---|".repeat(heads.len()));
                    let rows: String = rows.iter().map(|row| line(row)).collect();
                    format!("{}{rule}{rows}", line(heads))
                }
                Part::Figure(figure) => {
                    format!("![{}]({}.svg)\n", cell(&figure.title), figure.name)
                }
            });
        }
        text
    }

    /// The sheet as one HTML file with its style and figures inside.
    ///
    /// # Errors
    ///
    /// [`ReportError::Draw`] when a figure can't be drawn.
    pub fn html(&self) -> Result<String, ReportError> {
        let mut body = String::new();
        for part in &self.parts {
            body.push_str(&match part {
                Part::Heading(heading) => format!("<h2>{}</h2>\n", escape(heading)),
                Part::Text(paragraph) => format!("<p>{}</p>\n", escape(paragraph)),
                Part::Command(command) => format!("<pre>{}</pre>\n", escape(command)),
                Part::Table { heads, rows } => {
                    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
                    let shown = |cell: &String| page::Shown {
                        html: escape(cell),
                        sort: cell.parse().ok(),
                    };
                    let rows: Vec<Vec<page::Shown>> = rows
                        .iter()
                        .map(|row| row.iter().map(shown).collect())
                        .collect();
                    page::table("sheet", &heads, &rows)
                }
                Part::Figure(figure) => {
                    let panel = figure.panel()?;
                    format!(
                        "<figure>\n<div class=\"panels single\" style=\"--width:{}px\">\
                         <div class=\"panel\">{}</div></div>\n</figure>\n",
                        panel.width * 5 / 4,
                        panel.inline(usize::MAX)
                    )
                }
            });
        }
        Ok(page::document(&self.title, &body))
    }
}
