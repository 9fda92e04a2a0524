//! The groups that runs found: what each holds, its size and its loss over time, and the name that somebody gave it.

use std::collections::BTreeMap;

use gradual_runs::{GroupMembers, MembersRecord};

use crate::folder::{Folder, Run};
use crate::numbers::{count, number};
use crate::text::{escape, shown};

/// The style of this section.
pub(super) const STYLE: &str = include_str!("found_groups.css");

/// Bytes of the section, about: a run more than fits is left out.
const BYTES: usize = 300_000;
/// Groups of a run that are shown, the largest first.
const GROUPS: usize = 40;
/// Letters of a name, of an example, and of the name of a capability.
const NAME: usize = 120;
const EXAMPLE: usize = 200;
const CAPABILITY: usize = 40;
/// Width and height of a small curve, in its own units.
const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 40.0;

/// One group over a run.
struct Found<'a> {
    group: u64,
    /// By step; the last is what is shown of its examples.
    seen: Vec<(u64, &'a GroupMembers)>,
}

impl<'a> Found<'a> {
    fn last(&self) -> Option<(u64, &'a GroupMembers)> {
        self.seen.last().copied()
    }
}

/// The section; nothing where no run has found groups.
pub(super) fn html(folder: &Folder) -> String {
    let runs = runs(folder);
    if runs.is_empty() {
        return String::new();
    }
    let (mut body, mut left_out) = (String::new(), 0);
    for (at, (arm, run)) in runs.iter().enumerate() {
        let text = of_run(arm, run, at == 0);
        match at > 0 && body.len() + text.len() > BYTES {
            true => left_out += 1,
            false => body += &text,
        }
    }
    let more = match left_out {
        0 => String::new(),
        _ => format!(
            "<p class=\"small\">{}: their members.jsonl has them.</p>\n",
            count(left_out, "more run found groups", "more runs found groups")
        ),
    };
    format!(
        "<h2 id=\"found-groups\">Found groups</h2>\n<p class=\"small\">What the groups hold that a run found in its \
         gradients, told by a set of training examples that stays the same over the run. The examples shown are those whose \
         gradients are most alike to the others of their group. Curves: share of these examples, and their mean loss; nothing \
         here is held out. \
         To name a group, write a file <code>names.toml</code> into the folder of the experiment, such as \
         <code>[{}.seed-{}]</code> and below it <code>{} = \"a name\"</code>, and make the report again.</p>\n{body}{more}",
        runs.first()
            .map_or_else(String::new, |(_, run)| escape(&run.config.arm)),
        runs.first().map_or(0, |(_, run)| run.seed),
        runs.first()
            .and_then(|(_, run)| run.members.last()?.found.first())
            .map_or(0, |first| first.group),
    )
}

/// The runs that have found groups, with the labels of their arms: those with names first, then one of each arm, and so on.
fn runs(folder: &Folder) -> Vec<(&str, &Run)> {
    let mut runs = Vec::new();
    for arm in folder.shown() {
        let with = arm.runs.iter().filter(|run| !run.members.is_empty());
        runs.extend(
            with.enumerate()
                .map(|(at, run)| (at, arm.label.as_str(), run)),
        );
    }
    runs.sort_by_key(|(at, _, run)| (run.names.is_empty(), *at));
    runs.into_iter().map(|(_, arm, run)| (arm, run)).collect()
}

fn of_run(arm: &str, run: &Run, open: bool) -> String {
    let found = found(&run.members);
    let last = run.members.last().map_or(0, |record| record.step);
    let living = found.iter().filter(|group| lives(group, last)).count();
    let cards: String = found
        .iter()
        .take(GROUPS)
        .map(|group| card(run, group, last))
        .collect();
    let gone = match found.len() - living {
        0 => String::new(),
        gone => format!(", {gone} that came and went"),
    };
    let more = match found.len().saturating_sub(GROUPS) {
        0 => String::new(),
        more => format!(
            "<p class=\"small\">{} in members.jsonl.</p>\n",
            count(more, "smaller group is", "smaller groups are")
        ),
    };
    format!(
        "<details class=\"more\"{}><summary><code>{}</code>, seed {}: {} at step {last}{gone}</summary>\n\
         <div class=\"found\">\n{cards}</div>\n{more}</details>\n",
        if open { " open" } else { "" },
        escape(arm),
        run.seed,
        count(living, "group", "groups"),
    )
}

/// The groups of all records: those of the last one by size, then those that were gone before, the latest first.
fn found(records: &[MembersRecord]) -> Vec<Found<'_>> {
    let mut groups: BTreeMap<u64, Found<'_>> = BTreeMap::new();
    for record in records {
        for members in &record.found {
            let group = groups.entry(members.group).or_insert_with(|| Found {
                group: members.group,
                seen: Vec::new(),
            });
            group.seen.push((record.step, members));
        }
    }
    let mut found: Vec<Found<'_>> = groups.into_values().collect();
    let order = |group: &Found<'_>| group.last().map(|(step, members)| (step, members.share));
    found.sort_by(|a, b| {
        let order = order(b).partial_cmp(&order(a));
        order
            .unwrap_or(std::cmp::Ordering::Equal)
            .then(a.group.cmp(&b.group))
    });
    found
}

fn lives(group: &Found<'_>, last: u64) -> bool {
    group.last().is_some_and(|(step, _)| step == last)
}

fn card(run: &Run, found: &Found<'_>, last: u64) -> String {
    let Some((step, members)) = found.last() else {
        return String::new();
    };
    let number_of = format!("group {}", found.group);
    let title = match run.names.get(&found.group) {
        Some(name) => format!("<b>{}</b> <small>{number_of}</small>", shown(name, NAME)),
        None => format!("<b>{number_of}</b>"),
    };
    let (class, when) = match lives(found, last) {
        true => ("", String::new()),
        false => (" class=\"gone\"", format!(" at step {step}, its last")),
    };
    let examples: String = members
        .nearest
        .iter()
        .map(|example| format!("<li>{}</li>", shown(example, EXAMPLE)))
        .collect();
    let curve = |title: &str, value: &dyn Fn(&GroupMembers) -> f64| {
        let points: Vec<(u64, f64)> = found
            .seen
            .iter()
            .map(|(step, members)| (*step, value(members)))
            .collect();
        small_curve(title, &points, run.config.steps)
    };
    format!(
        "<div{class}>{title}<br><small>{} % of the examples{when}, loss {}{}</small>\n<div class=\"lines\">{}{}</div>\
         <ul>{examples}</ul></div>\n",
        number(members.share * 100.0),
        number(members.loss),
        mostly(run, members),
        curve("share", &|members| members.share),
        curve("loss", &|members| members.loss),
    )
}

/// The capability that most of a group's examples are of, where these are known.
fn mostly(run: &Run, members: &GroupMembers) -> String {
    let all: u64 = members.capabilities.values().sum();
    let most = members
        .capabilities
        .iter()
        .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
    most.map_or_else(String::new, |(name, &most)| {
        let share = most as f64 / all.max(1) as f64;
        // As many of all examples are so, too, where groups have nothing to do with it.
        let all = run
            .evaluations
            .last()
            .and_then(|last| last.capabilities.get(name));
        let of_all = all.map_or_else(String::new, |one| {
            format!(" (of all {:.0} %)", one.frequency * 100.0)
        });
        format!(
            ", {:.0} % of them {}{of_all}",
            share * 100.0,
            shown(name, CAPABILITY)
        )
    })
}

/// A curve from the first step of a run to its last, from zero to its largest value.
fn small_curve(title: &str, points: &[(u64, f64)], steps: u64) -> String {
    let most = points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let place = |&(step, value): &(u64, f64)| {
        let x = WIDTH * step as f64 / steps.max(1) as f64;
        let y = match most > 0.0 {
            true => HEIGHT * (1.0 - value.max(0.0) / most),
            false => HEIGHT,
        };
        format!("{x:.1},{y:.1}")
    };
    let line: Vec<String> = points.iter().map(place).collect();
    // A single point is seen, too.
    let dot = points.last().map(place).unwrap_or_default();
    let (x, y) = dot.split_once(',').unwrap_or_default();
    format!(
        "<div><small>{title}, 0 to {}</small><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{title} over the run\"><path d=\"M0 {HEIGHT}H{WIDTH}\" stroke=\"var(--grid)\" \
         vector-effect=\"non-scaling-stroke\"/><polyline points=\"{}\" fill=\"none\" stroke=\"var(--r12)\" \
         stroke-width=\"1.5\" vector-effect=\"non-scaling-stroke\"/><path d=\"M{x} {y}h0\" stroke=\"var(--r12)\" \
         stroke-width=\"5\" stroke-linecap=\"round\" vector-effect=\"non-scaling-stroke\"/></svg></div>",
        number(most),
        line.join(" "),
    )
}
