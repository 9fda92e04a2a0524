//! The page: one HTML file with its style and figures inside.

use gradual_measure::{Direction, Verdict};

use crate::figures::{Figure, escape};
use crate::folder::Folder;
use crate::numbers::{count, number, with_deviation};
use crate::prose;
use crate::results::{ArmResult, Column, MetricResult, Results};
use crate::style;
use crate::verdicts::Held;

pub(crate) fn html(folder: &Folder, results: &Results, figures: &[Figure]) -> String {
    let record = &folder.record;
    let sections = [
        claim(&record.claim),
        format!(
            "<p class=\"lead\">{}</p>",
            quoted(&prose::paragraph(folder, results))
        ),
        notes(&folder.notes),
        verdict_table(&results.verdicts),
        arm_list(&results.arms, &record.baseline),
        metric_table(results),
        figures.iter().map(figure).collect(),
        reproduce(folder),
    ];
    document(&record.title, &sections.concat())
}

/// A whole page around a body.
pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\
         </main>\n</body>\n</html>\n",
        title = escape(title),
        style = stylesheet(),
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

fn claim(text: &str) -> String {
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

/// A table whose rows become cards on a narrow screen.
pub(crate) fn table(class: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    let head: String = heads
        .iter()
        .map(|head| format!("<th scope=\"col\">{}</th>", escape(head)))
        .collect();
    let body: String = rows
        .iter()
        .map(|row| {
            let cells: String = heads
                .iter()
                .zip(row)
                .map(|(head, cell)| {
                    format!(
                        "<td data-label=\"{}\"><span>{cell}</span></td>",
                        escape(head)
                    )
                })
                .collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    format!(
        "<div class=\"scroll\"><table class=\"{class}\"><thead><tr>{head}</tr></thead><tbody>\n{body}\
         </tbody></table></div>\n"
    )
}

fn verdict_table(verdicts: &[Held]) -> String {
    if verdicts.is_empty() {
        return "<h2>Verdicts</h2>\n<p>The experiment states no measurable claim.</p>\n".to_owned();
    }
    let rows: Vec<Vec<String>> = verdicts.iter().map(verdict_row).collect();
    let heads = [
        "claim",
        "arm against baseline",
        "metric",
        "claimed ratio",
        "ratio",
        "95 % interval",
        "seeds",
        "verdict",
    ];
    format!(
        "<h2>Verdicts</h2>\n{}<p class=\"small\">The ratio is arm / baseline, the geometric mean over paired \
         seeds; its interval is Student’s t on the log ratios. A claim is supported when the whole interval \
         lies at or beyond the claimed ratio, not supported when the whole interval falls short of it, and \
         inconclusive otherwise, or when a run lacks the number.</p>\n",
        table("verdicts", &heads, &rows)
    )
}

fn verdict_row(held: &Held) -> Vec<String> {
    let claim = &held.claim;
    let dash = || "–".to_owned();
    let effect = held.effect.as_ref();
    let sign = match claim.direction {
        Direction::Lower => '≤',
        Direction::Higher => '≥',
    };
    let class = match held.verdict {
        Verdict::Supported => "yes",
        Verdict::NotSupported => "no",
        Verdict::Inconclusive => "open",
    };
    let reason = held.reason.as_ref().map_or_else(String::new, |reason| {
        format!("<br><small>{}</small>", escape(reason))
    });
    vec![
        format!(
            "{}<br><small>{}</small>",
            escape(&claim.statement),
            escape(&claim.source)
        ),
        format!(
            "<code>{}</code> against <code>{}</code>",
            escape(&claim.arm),
            escape(&held.baseline)
        ),
        escape(claim.metric.label()),
        format!("{sign}\u{a0}{}", claim.smallest_effect),
        effect.map_or_else(dash, |effect| number(effect.ratio)),
        effect
            .and_then(|effect| effect.low.zip(effect.high))
            .map_or_else(dash, |(low, high)| {
                format!("{} to {}", number(low), number(high))
            }),
        effect.map_or(0, |effect| effect.seeds).to_string(),
        format!("<b class=\"{class}\">{}</b>{reason}", held.verdict.label()),
    ]
}

fn arm_list(arms: &[ArmResult], baseline: &str) -> String {
    let items: String = arms
        .iter()
        .map(|arm| {
            let mut about = escape(&arm.about);
            if arm.name == baseline {
                about.push_str(" <small>(baseline)</small>");
            }
            format!(
                "<dt><code>{}</code></dt><dd>{about}</dd>\n",
                escape(&arm.name)
            )
        })
        .collect();
    format!("<h2>Arms</h2>\n<dl>\n{items}</dl>\n")
}

fn metric_table(results: &Results) -> String {
    let mut heads = vec!["arm", "runs"];
    heads.extend(Column::ALL.map(Column::label));
    let arms = results.arms.iter().filter(|arm| arm.runs > 0);
    let rows: Vec<Vec<String>> = arms
        .map(|arm| {
            let mut row = vec![format!("<code>{}</code>", escape(&arm.name)), runs(arm)];
            row.extend(arm.metrics.iter().map(|metric| cell(arm, metric)));
            row
        })
        .collect();
    format!(
        "<h2>Metrics</h2>\n{}<p class=\"small\">Mean ± standard deviation over seeds. t10, t50 and t90 are the \
         steps at which a capability’s skill passes 10, 50 and 90 %; width is t90 − t10. Width, largest rise (of \
         skill within 5 % of the training) and N_eff / n (1 is a straight line, 0.01 a jump) are medians over \
         capabilities. The gap is the mean difference of skill between two capabilities at equal mean skill. Capabilities that are \
         tested but never trained are left out of numbers across capabilities.</p>\n",
        table("metrics", &heads, &rows)
    )
}

fn runs(arm: &ArmResult) -> String {
    if arm.provisional {
        format!("{} <small>unfinished</small>", arm.runs)
    } else if arm.finished < arm.runs {
        format!(
            "{} <small>+ {} unfinished, not counted</small>",
            arm.finished,
            arm.runs - arm.finished
        )
    } else {
        arm.runs.to_string()
    }
}

fn cell(arm: &ArmResult, metric: &MetricResult) -> String {
    let spread = metric.metric == "spread";
    let mut text = match &metric.sample {
        None => "–".to_owned(),
        Some(sample) => match sample.deviation {
            Some(deviation) => with_deviation(sample.mean, deviation),
            None => number(sample.mean),
        },
    };
    let found = metric.sample.map_or(0, |sample| sample.count);
    let (reached, of) = arm.reached();
    if spread && reached < of {
        text.push_str(&format!(" <small>{reached} of {of} reached</small>"));
    } else if found < metric.runs && metric.metric != "steps_per_second" {
        text.push_str(&format!(
            " <small>{found} of {}</small>",
            count(metric.runs, "run", "runs")
        ));
    }
    text
}

fn figure(figure: &Figure) -> String {
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
    format!(
        "<h2>{}</h2>\n<figure>\n<figcaption>{} {legend}</figcaption>\n<div class=\"{class}\">\n{panels}</div>\n</figure>\n",
        escape(figure.title),
        escape(&figure.caption),
    )
}

fn reproduce(folder: &Folder) -> String {
    let mut text = format!(
        "<h2>Reproduce</h2>\n<pre>{}</pre>\n",
        escape(&folder.record.command)
    );
    let configs: String = folder
        .with_runs()
        .filter_map(|arm| arm.runs.first())
        .map(|run| {
            let config = &run.config;
            let settings = serde_json::to_string_pretty(&config.settings).unwrap_or_default();
            format!(
                "<details><summary><code>{}</code>: {} steps of {} examples on {}</summary><pre>{}</pre></details>\n",
                escape(&config.arm),
                number(config.steps as f64),
                number(config.draw as f64),
                escape(&config.backend),
                escape(&settings)
            )
        })
        .collect();
    text.push_str(&configs);
    if let Some(serde_json::Value::Object(environment)) = &folder.environment {
        let items: String = environment
            .iter()
            .map(|(name, value)| {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(&value))
            })
            .collect();
        text.push_str(&format!("<dl class=\"small\">\n{items}</dl>\n"));
    }
    text
}
