//! The arms and their numbers.

use gradual_measure::{Direction, Effect, Metric, Share, Topic};

use super::{Shown, table};
use crate::column::Column;
use crate::numbers::{count, number, with_deviation};
use crate::results::{ArmResult, MetricResult, SHARED};
use crate::text::{escape, shown};

/// Letters of a name, and of what is said about it.
const NAME: usize = 400;
const ABOUT: usize = 2000;

/// What every arm does, baselines and controls named.
pub(super) fn arms(arms: &[&ArmResult], all: usize) -> String {
    let items: String = arms
        .iter()
        .map(|arm| {
            let mut about = shown(&arm.about, ABOUT);
            if arm.name == arm.baseline {
                about.push_str(" <small>(baseline)</small>");
            }
            if let Some(control) = &arm.control {
                about.push_str(&format!(
                    " <small>(control: {})</small>",
                    shown(control, ABOUT)
                ));
            }
            format!(
                "<dt><code>{}</code></dt><dd>{about}</dd>\n",
                shown(&arm.name, NAME)
            )
        })
        .collect();
    let more = match all.saturating_sub(arms.len()) {
        0 => String::new(),
        more => format!(
            "<p class=\"small\">{} in summary.json.</p>\n",
            count(more, "more arm is", "more arms are")
        ),
    };
    format!("<h2>Arms</h2>\n<dl>\n{items}</dl>\n{more}")
}

/// Ratios to the baseline with their intervals: gradualness beside the tax.
pub(super) fn against(arms: &[&ArmResult]) -> String {
    const SHOWN: [Metric; 9] = [
        Metric::Spread,
        Metric::Gap,
        Metric::RelativeWidth,
        Metric::StepsTo90,
        Metric::StepsTo99,
        Metric::StepsToWorst90,
        Metric::SecondsTo90,
        Metric::FinalLoss,
        Metric::FinalAccuracy,
    ];
    let compared = arms.iter().copied().filter(|arm| arm.compared);
    let compared = compared.filter(|arm| arm.runs > 0 && arm.name != arm.baseline);
    let compared: Vec<&ArmResult> = compared.collect();
    let of = |metric: Metric, arm: &ArmResult| arm.metric(Column::Of(metric))?.effect;
    // A column of dashes says no more than a word.
    let (columns, without): (Vec<Metric>, Vec<Metric>) = SHOWN
        .into_iter()
        .partition(|&metric| compared.iter().any(|arm| of(metric, arm).is_some()));
    if columns.is_empty() {
        return String::new();
    }
    let rows = compared.iter().map(|arm| {
        let ratios = columns.iter().map(|&metric| ratio(of(metric, arm)));
        std::iter::once(Shown::from(name(arm)))
            .chain(ratios)
            .collect()
    });
    let rows: Vec<Vec<Shown>> = rows.collect();
    let mut heads = vec!["arm"];
    heads.extend(columns.iter().map(|&metric| Column::Of(metric).label()));
    let without: Vec<&str> = without.into_iter().map(Metric::head).collect();
    let without = match without.as_slice() {
        [] => String::new(),
        names => format!(" No arm has one of {}.", escape(&names.join(", "))),
    };
    format!(
        "<h2>Against the baseline</h2>\n{}<p class=\"small\">Ratios arm / baseline over paired seeds, with 95 % \
         t-intervals, not corrected for their number. No ratio is given where a finished run of either arm lacks \
         the number.{without}</p>\n",
        table("metrics", &heads, &rows)
    )
}

fn ratio(effect: Option<Effect>) -> Shown {
    let interval = effect.and_then(|effect| effect.low.zip(effect.high));
    Shown::estimate(effect.map(|effect| effect.ratio), interval)
}

/// What share of the reference's effect every arm has.
pub(super) fn shares(arms: &[&ArmResult]) -> String {
    let sharing: Vec<&&ArmResult> = arms.iter().filter(|arm| !arm.shares.is_empty()).collect();
    let mut references: Vec<&str> = Vec::new();
    for arm in &sharing {
        if let Some(reference) = arm.reference.as_deref()
            && !references.contains(&reference)
        {
            references.push(reference);
        }
    }
    if references.is_empty() {
        return String::new();
    }
    let rows = sharing.iter().map(|arm| {
        let of = |metric| arm.shares.iter().find(|one| one.metric == metric);
        let cells = SHARED
            .into_iter()
            .map(|metric| part(of(metric).map(|one| one.share)));
        std::iter::once(Shown::from(name(arm)))
            .chain(cells)
            .collect()
    });
    let rows: Vec<Vec<Shown>> = rows.collect();
    let mut heads = vec!["arm"];
    heads.extend(SHARED.map(|metric| Column::Of(metric).label()));
    let named: Vec<String> = references
        .iter()
        .map(|arm| format!("<code>{}</code>", shown(arm, NAME)))
        .collect();
    format!(
        "<h2>Share of the effect of {}</h2>\n{}<p class=\"small\">Mean log ratio to the baseline over that of the reference, 0 for \
         what does nothing and 1 for what does the same, with Fieller’s 95 % intervals over seeds. Unclear: the reference may have no \
         effect at all, so that any share may be.</p>\n",
        named.join(", "),
        table("metrics", &heads, &rows)
    )
}

fn part(share: Option<Share>) -> Shown {
    if share.is_some_and(|share| share.is_unclear()) {
        return Shown::from("unclear".to_owned());
    }
    let interval = share.and_then(|share| share.interval);
    Shown::estimate(
        share.map(|share| share.share),
        interval.map(|one| (one.low, one.high)),
    )
}

/// A table for every topic.
pub(super) fn topics(arms: &[&ArmResult]) -> String {
    Topic::ALL.into_iter().map(|one| topic(one, arms)).collect()
}

/// What a topic is called, and what it asks.
fn question(topic: Topic) -> (&'static str, &'static str) {
    match topic {
        Topic::Together => ("Together", "Do capabilities rise at the same time?"),
        Topic::Gradual => (
            "Gradual",
            "Is each rise slow against its own time? Medians over capabilities. t10, t50 and t90 are the steps at \
             which skill passes 10, 50 and 90 %.",
        ),
        Topic::Tax => (
            "Tax",
            "What does it cost? Slowing everything down widens every curve too, so read this beside the others.",
        ),
        Topic::Composed => (
            "Composed",
            "Does a capability that is composed of others come with its parts? Medians over composed capabilities, against \
             the product of their parts’ curves of skill, which is what independent parts would give.",
        ),
    }
}

/// A column in a sentence: what it is, its unit, and which way is better.
fn explained(column: Column) -> String {
    let better = match column.unit() {
        ("", Direction::Lower) => "lower is better".to_owned(),
        ("", Direction::Higher) => "higher is better".to_owned(),
        (unit, Direction::Lower) => format!("{unit}, lower is better"),
        (unit, Direction::Higher) => format!("{unit}, higher is better"),
    };
    format!(
        "<b>{}</b>: {} ({better}).",
        escape(column.label()),
        escape(column.about())
    )
}

fn topic(topic: Topic, arms: &[&ArmResult]) -> String {
    let arms = || arms.iter().filter(|arm| arm.runs > 0);
    // A column that no run has is left out.
    let columns: Vec<Column> = Column::on(topic)
        .filter(|&column| {
            arms().any(|arm| arm.metric(column).is_some_and(|one| one.sample.is_some()))
                || matches!(column, Column::Of(Metric::Spread | Metric::StepsTo90))
        })
        .collect();
    if columns.is_empty() {
        return String::new();
    }
    let mut heads = vec!["arm", "runs"];
    heads.extend(columns.iter().map(|column| column.label()));
    let rows: Vec<Vec<Shown>> = arms()
        .map(|arm| {
            let cells = columns
                .iter()
                .filter_map(|&column| Some(cell(arm, arm.metric(column)?)));
            [name(arm), runs(arm)]
                .map(Shown::from)
                .into_iter()
                .chain(cells)
                .collect()
        })
        .collect();
    let (title, asked) = question(topic);
    let explained: Vec<String> = columns.iter().copied().map(explained).collect();
    format!(
        "<h2>{}</h2>\n{}<p class=\"small\">{} Mean ± standard deviation over seeds. {}</p>\n",
        escape(title),
        table("metrics", &heads, &rows),
        escape(asked),
        explained.join(" "),
    )
}

fn name(arm: &ArmResult) -> String {
    format!("<code>{}</code>", escape(&arm.label))
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

fn cell(arm: &ArmResult, metric: &MetricResult) -> Shown {
    let mut text = match &metric.sample {
        None => "–".to_owned(),
        Some(sample) => match sample.deviation {
            Some(deviation) => with_deviation(sample.mean, deviation),
            None => number(sample.mean),
        },
    };
    let found = metric.sample.map_or(0, |sample| sample.count);
    let (reached, of) = arm.reached();
    let spread = metric.column == Column::Of(Metric::Spread);
    // These are not asked of every run.
    let optional = matches!(
        metric.column,
        Column::Speed | Column::Agreement | Column::Of(Metric::Order | Metric::HiddenLead)
    );
    if spread && reached < of {
        text.push_str(&format!(" <small>{reached} of {of} reached</small>"));
    } else if found < metric.runs && !optional {
        text.push_str(&format!(
            " <small>{found} of {}</small>",
            count(metric.runs, "run", "runs")
        ));
    }
    Shown {
        html: text,
        sort: metric.sample.map(|sample| sample.mean),
    }
}
