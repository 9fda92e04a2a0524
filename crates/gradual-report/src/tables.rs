//! The tables of the report, with numbers in full.

use gradual_measure::{Emergence, Measure, Sample};

use crate::column::Column;
use crate::folder::{Folder, Run};
use crate::order::orders;
use crate::results::Results;
use crate::table::{Cell, Table};

/// All tables.
pub(crate) fn all(folder: &Folder, results: &Results) -> Vec<Table> {
    let tables = [
        verdicts(results),
        metrics(results),
        runs(folder),
        order(folder),
        capabilities(folder),
        curves(folder),
        found_groups(folder),
    ];
    let shared = results.arms.iter().any(|arm| !arm.shares.is_empty());
    let shares = shared.then(|| shares(results));
    let looked = each(folder).any(|(_, run)| !run.looks.is_empty());
    let looks = looked.then(|| looks(folder));
    tables.into_iter().chain(shares).chain(looks).collect()
}

fn verdicts(results: &Results) -> Table {
    let mut table = Table::new(
        "verdicts",
        &[
            "experiment",
            "statement",
            "source",
            "arm",
            "baseline",
            "metric",
            "capability",
            "direction",
            "smallest_effect",
            "ratio",
            "low",
            "high",
            "bootstrap_low",
            "bootstrap_high",
            "p",
            "adjusted_p",
            "seeds",
            "verdict",
            "reason",
        ],
    );
    for held in &results.verdicts {
        let (claim, effect) = (&held.claim, held.effect.as_ref());
        let bootstrap = effect.and_then(|effect| effect.bootstrap);
        table.push([
            held.experiment.as_str().into(),
            claim.statement.as_str().into(),
            claim.source.as_str().into(),
            claim.arm.as_str().into(),
            Cell::Text(held.baseline.to_string()),
            claim.metric.name().into(),
            claim.capability.as_deref().unwrap_or_default().into(),
            Cell::Text(format!("{:?}", claim.direction).to_lowercase()),
            claim.smallest_effect.into(),
            effect.map(|effect| effect.ratio).into(),
            effect.and_then(|effect| effect.low).into(),
            effect.and_then(|effect| effect.high).into(),
            bootstrap.map(|interval| interval.low).into(),
            bootstrap.map(|interval| interval.high).into(),
            held.p.into(),
            held.adjusted_p.into(),
            effect.map_or(0, |effect| effect.seeds).into(),
            held.verdict.label().into(),
            held.reason.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

/// Whether capabilities come in the same order, in each arm against the baseline and between its seeds.
fn order(folder: &Folder) -> Table {
    let mut table = Table::new(
        "order",
        &[
            "arm",
            "seeds_with_baseline",
            "with_baseline",
            "with_baseline_low",
            "with_baseline_high",
            "seeds",
            "between_seeds",
            "between_seeds_low",
            "between_seeds_high",
        ],
    );
    for order in orders(folder) {
        let numbers = |found: &Option<Sample>| -> [Cell; 3] {
            let interval = found.as_ref().and_then(|sample| sample.interval);
            [
                found.as_ref().map(|sample| sample.mean).into(),
                interval.map(|interval| interval.low).into(),
                interval.map(|interval| interval.high).into(),
            ]
        };
        let count = |found: &Option<Sample>| found.as_ref().map_or(0, |sample| sample.count).into();
        let row = [order.arm.name.as_str().into(), count(&order.with_baseline)].into_iter();
        let row = row.chain(numbers(&order.with_baseline));
        let row = row.chain([count(&order.between_seeds)]);
        table.push(row.chain(numbers(&order.between_seeds)));
    }
    table
}

fn metrics(results: &Results) -> Table {
    let mut table = Table::new(
        "metrics",
        &[
            "arm",
            "metric",
            "runs",
            "count",
            "mean",
            "deviation",
            "median",
            "low",
            "high",
            "bootstrap_low",
            "bootstrap_high",
            "ratio",
            "ratio_low",
            "ratio_high",
        ],
    );
    for arm in &results.arms {
        for metric in &arm.metrics {
            let sample = metric.sample.as_ref();
            let interval = sample.and_then(|sample| sample.interval);
            let bootstrap = sample.and_then(|sample| sample.bootstrap);
            let effect = metric.effect.as_ref();
            table.push([
                arm.name.as_str().into(),
                metric.metric.into(),
                metric.runs.into(),
                sample.map_or(0, |sample| sample.count).into(),
                sample.map(|sample| sample.mean).into(),
                sample.and_then(|sample| sample.deviation).into(),
                sample.map(|sample| sample.median).into(),
                interval.map(|interval| interval.low).into(),
                interval.map(|interval| interval.high).into(),
                bootstrap.map(|interval| interval.low).into(),
                bootstrap.map(|interval| interval.high).into(),
                effect.map(|effect| effect.ratio).into(),
                effect.and_then(|effect| effect.low).into(),
                effect.and_then(|effect| effect.high).into(),
            ]);
        }
    }
    table
}

/// What share of the reference's effect every arm has.
fn shares(results: &Results) -> Table {
    let mut table = Table::new(
        "shares",
        &[
            "arm",
            "reference",
            "metric",
            "share",
            "low",
            "high",
            "seeds",
        ],
    );
    for arm in &results.arms {
        for one in &arm.shares {
            let interval = one.share.interval;
            table.push([
                arm.name.as_str().into(),
                arm.reference.as_deref().unwrap_or_default().into(),
                one.metric.name().into(),
                one.share.share.into(),
                interval.map(|interval| interval.low).into(),
                interval.map(|interval| interval.high).into(),
                one.share.seeds.into(),
            ]);
        }
    }
    table
}

/// Every run with its arm's name.
fn each(folder: &Folder) -> impl Iterator<Item = (&str, &Run)> {
    let arms = folder.arms.iter();
    arms.flat_map(|arm| arm.runs.iter().map(|run| (arm.name.as_str(), run)))
}

fn runs(folder: &Folder) -> Table {
    let mut heads = vec!["arm", "seed", "finished", "last_step", "reached", "of"];
    let columns: Vec<Column> = Column::of(folder).collect();
    heads.extend(columns.iter().map(|column| column.key()));
    let mut table = Table::new("runs", &heads);
    for arm in &folder.arms {
        for run in &arm.runs {
            let summary = &run.summary;
            let mut row: Vec<Cell> = vec![
                arm.name.as_str().into(),
                run.seed.into(),
                run.finished.into(),
                summary.last_step.into(),
                summary.spread.reached.into(),
                summary.spread.of.into(),
            ];
            let base = folder.paired(arm, run.seed);
            row.extend(
                columns
                    .iter()
                    .map(|column| Cell::from(column.value(run, base))),
            );
            table.push(row);
        }
    }
    table
}

/// Numbers of one capability by one measure.
type Number = fn(&Emergence) -> Option<f64>;

const EMERGENCE: [(&str, Number); 14] = [
    ("t10", |one| one.t10),
    ("t50", |one| one.t50),
    ("t90", |one| one.t90),
    ("width", |one| one.width),
    ("relative_width", |one| one.relative_width),
    ("log_width", |one| one.log_width),
    ("largest_rise", |one| one.largest_rise),
    ("factor_rise", |one| one.factor_rise),
    ("break_time", |one| one.break_time),
    ("effective_increments", |one| one.effective_increments),
    ("linearity", |one| one.linearity),
    ("breakthroughness", |one| one.breakthroughness),
    ("logistic_midpoint", |one| Some(one.logistic?.midpoint)),
    ("logistic_r_squared", |one| Some(one.logistic?.r_squared)),
];

fn capabilities(folder: &Folder) -> Table {
    let mut heads = vec!["arm", "seed", "capability", "measure", "frequency"];
    heads.extend(EMERGENCE.map(|(name, _)| name));
    heads.extend(["final_accuracy", "final_loss"]);
    let mut table = Table::new("capabilities", &heads);
    for (arm, run) in each(folder) {
        for (name, capability) in &run.summary.capabilities {
            for measure in Measure::ALL {
                let Some(one) = capability.by(measure) else {
                    continue;
                };
                let mut row: Vec<Cell> = vec![
                    arm.into(),
                    run.seed.into(),
                    name.as_str().into(),
                    measure.name().into(),
                    capability.frequency.into(),
                ];
                row.extend(EMERGENCE.map(|(_, number)| Cell::from(number(one))));
                row.push(capability.final_accuracy.into());
                row.push(capability.final_loss.into());
                table.push(row);
            }
        }
    }
    table
}

/// The found groups of every record, with their most typical example.
fn found_groups(folder: &Folder) -> Table {
    let mut table = Table::new(
        "found_groups",
        &[
            "arm", "seed", "step", "group", "name", "share", "loss", "nearest",
        ],
    );
    for (arm, run) in each(folder) {
        for record in &run.members {
            for members in &record.found {
                let name = run.names.get(&members.group);
                table.push([
                    arm.into(),
                    run.seed.into(),
                    record.step.into(),
                    members.group.into(),
                    name.map_or("", String::as_str).into(),
                    members.share.into(),
                    members.loss.into(),
                    members.nearest.first().map_or("", String::as_str).into(),
                ]);
            }
        }
    }
    table
}

/// Every look of every search for a lens.
fn looks(folder: &Folder) -> Table {
    let mut table = Table::new(
        "looks",
        &[
            "arm",
            "seed",
            "step",
            "layer",
            "metric",
            "groups",
            "stability",
            "explained",
            "recovery",
            "chosen",
            "taken",
        ],
    );
    for (arm, run) in each(folder) {
        for record in &run.looks {
            for (at, look) in (0..).zip(&record.looks) {
                let chosen = record.chosen == Some(at);
                table.push([
                    arm.into(),
                    run.seed.into(),
                    record.step.into(),
                    look.layer.as_str().into(),
                    look.metric.as_str().into(),
                    look.groups.into(),
                    look.stability.into(),
                    look.explained.into(),
                    look.recovery.into(),
                    chosen.into(),
                    (chosen && record.taken).into(),
                ]);
            }
        }
    }
    table
}

/// Every evaluation of every capability, as it was recorded.
fn curves(folder: &Folder) -> Table {
    let mut table = Table::new(
        "curves",
        &[
            "arm",
            "seed",
            "step",
            "examples",
            "capability",
            "accuracy",
            "loss",
            "probability",
            "progress",
            "skill",
        ],
    );
    for (arm, run) in each(folder) {
        for one in &run.evaluations {
            for (name, capability) in &one.capabilities {
                table.push([
                    arm.into(),
                    run.seed.into(),
                    one.step.into(),
                    one.examples.into(),
                    name.as_str().into(),
                    capability.accuracy.into(),
                    capability.loss.into(),
                    capability.probability.into(),
                    capability.progress.into(),
                    capability.skill().into(),
                ]);
            }
        }
    }
    table
}
