//! The tables and figures of `grouping-quality`, over the seeds of a folder.

mod aliases;
mod families;
mod how_many;
mod json;
mod sharing;
mod stages;
mod training;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use anyhow::bail;
use gradual::measure::statistics::{deviation, mean};
use gradual::runs::files::{self, EXPERIMENT};
use gradual::runs::{Done, ExperimentRecord, Lines, Place, comparable};
use gradual::train::Interrupt;
use gradual_report::{ReportError, ReportFolder, Sheet, csv_cell};

use super::LOOKED_AT;
use super::line::{Line, RowLine};
use crate::training::Written;
use training::Trained;

/// A number of a row.
type Measure = (&'static str, fn(&RowLine) -> Option<f64>);

const MEASURES: [Measure; 6] = [
    ("adjusted_rand", |row| row.adjusted_rand),
    ("mutual_information", |row| row.mutual_information),
    ("purity", |row| row.purity),
    ("purity_by_chance", |row| row.purity_by_chance),
    ("homogeneity", |row| row.homogeneity),
    ("weight_mass_slope", |row| row.weight_mass_slope),
];

/// The lines of all finished runs, by step.
struct Runs {
    steps: BTreeMap<u64, Vec<Line>>,
    first: Line,
    seeds: usize,
    /// What training on groups gives, where some arms do.
    trained: Vec<Trained>,
}

/// Reads the runs of `task` in `folder`, writes `report/` and says what the tables say.
pub(super) fn write(
    folder: &Path,
    file: &str,
    task: &str,
    interrupt: &Interrupt,
) -> anyhow::Result<Written> {
    let runs = Runs::read(folder, file)?;
    if interrupt.asked() {
        return Err(ReportError::Interrupted.into());
    }
    let record: ExperimentRecord = files::read(&folder.join(EXPERIMENT))?;
    let sheet = runs.sheet(&record, task);
    let mut report = ReportFolder::new(&folder.join("report"))?;
    for figure in sheet.figures() {
        report.write(&format!("{}.svg", figure.name), figure.svg()?)?;
    }
    let json = serde_json::to_string_pretty(&runs.json(&record, task))?;
    report.write("quality.json", json + "\n")?;
    report.write("quality.csv", runs.csv())?;
    report.write("quality.md", sheet.markdown())?;
    report.write("index.html", sheet.html()?)?;
    Ok(Written {
        page: report.swap_while(|| !interrupt.asked())?.join("index.html"),
        text: Some(sheet.markdown()),
    })
}

fn listed(steps: &BTreeSet<u64>) -> String {
    let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
    steps.join(", ")
}

impl Runs {
    fn read(folder: &Path, file: &str) -> anyhow::Result<Self> {
        let mut steps: BTreeMap<u64, Vec<Line>> = BTreeMap::new();
        let mut configs = Vec::new();
        let places = Place::all(folder)?.runs.into_iter();
        for place in places.filter(|place| place.arm == LOOKED_AT) {
            let Some((done, config)) = Done::read(&place.folder)?.zip(place.config()?) else {
                continue;
            };
            done.check(&place.folder, &config)?;
            let lines = Lines::<Line>::read(&place.folder.join(file), true)?;
            let found: BTreeSet<u64> = lines.records.iter().map(|line| line.step).collect();
            let named = config.task["quality"]["steps"].as_array().into_iter();
            let named = named.flatten().filter_map(serde_json::Value::as_u64);
            let named = named.filter(|&step| step < config.steps);
            let asked: BTreeSet<u64> = named.chain([config.steps]).collect();
            if found != asked {
                bail!(
                    "{}: its looks are at the steps {}, and config.json beside it asks for {}",
                    place.folder.join(file).display(),
                    listed(&found),
                    listed(&asked)
                );
            }
            for line in lines.records {
                steps.entry(line.step).or_default().push(line);
            }
            configs.push((place.folder, config));
        }
        comparable::check(configs.iter().map(|(folder, config)| (folder, config)))?;
        let Some(mut first) = steps.values().flatten().next().cloned() else {
            bail!("no run in {} is finished", folder.display());
        };
        // Some views show nothing before training, such as changes of losses.
        let key = |row: &RowLine| (row.against.clone(), name(row));
        let mut seen: HashSet<_> = first.rows.iter().map(key).collect();
        for row in steps.values().flatten().flat_map(|line| &line.rows) {
            if seen.insert(key(row)) {
                first.rows.push(row.clone());
            }
        }
        Ok(Self {
            steps,
            first,
            seeds: configs.len(),
            trained: Trained::read(folder)?,
        })
    }

    fn sheet(&self, record: &ExperimentRecord, task: &str) -> Sheet {
        let mut sheet = Sheet::new(&record.title);
        let seeds = if self.seeds == 1 { "seed" } else { "seeds" };
        sheet.text(&format!(
            "Along an ordinary training run on {task}, a draw of examples is grouped at a few \
             steps and held against what is known of it. Mean ± standard deviation over {} {seeds}. \
             Groupings were told the true number of groups, but for HDBSCAN, the eigengap and diffusion, \
             whose groups are soft. All numbers are in quality.json.",
            self.seeds
        ));
        for each in &record.commands {
            sheet.command(&each.command);
        }
        let steps: Vec<String> = self.steps.keys().map(u64::to_string).collect();
        let heads = |first: &'static str| {
            let names = steps.iter().map(String::as_str);
            std::iter::once(first).chain(names).collect::<Vec<_>>()
        };
        let mut known: Vec<&str> = Vec::new();
        for row in &self.first().rows {
            if !known.contains(&row.against.as_str()) {
                known.push(&row.against);
            }
        }

        sheet.heading("How far training had come");
        sheet.table(
            &heads("step"),
            vec![
                self.of_lines("mean accuracy", |line| Some(line.mean_accuracy)),
                self.of_lines(
                    &format!("{} learned", known.first().copied().unwrap_or_default()),
                    |line| Some(line.learned as f64),
                ),
            ],
        );
        self.add_stages(&mut sheet);
        training::add(&mut sheet, &self.trained);
        for against in known {
            let rows = self.first().rows.iter();
            let rows = families::in_order(rows.filter(|row| row.against == against).collect());
            let table = |of: fn(&RowLine) -> Option<f64>| {
                let cells = |row: &&RowLine| {
                    let mut cells = vec![name(row)];
                    cells.extend(
                        self.steps
                            .values()
                            .map(|lines| said(&values(lines, row, of))),
                    );
                    cells
                };
                rows.iter().map(cells).collect::<Vec<_>>()
            };
            sheet.heading(&format!("Recovery of the {against}: adjusted Rand index"));
            for figure in families::figures(&rows, against, &self.steps) {
                sheet.figure(&figure);
            }
            sheet.table(&heads("groups"), table(|row| row.adjusted_rand));
            if let Some((step, lines)) = self.before() {
                sheet.heading(&format!(
                    "Recovery of the {against} at step {step}: other measures"
                ));
                let cells = |row: &&RowLine| {
                    let of = |of| said(&values(lines, row, of));
                    vec![
                        name(row),
                        of(|row| row.mutual_information),
                        format!(
                            "{} ({})",
                            of(|row| row.purity),
                            of(|row| row.purity_by_chance)
                        ),
                        of(|row| row.homogeneity),
                        of(|row| row.weight_mass_slope),
                    ]
                };
                sheet.table(
                    &[
                        "groups",
                        "NMI",
                        "purity (by chance)",
                        "homogeneity",
                        "weight-mass slope",
                    ],
                    rows.iter().map(cells).collect(),
                );
            }
            sheet.heading(&format!(
                "Weight-mass slope of groups asked for as {against}"
            ));
            sheet.text(
                "Slope of the logarithm of a capability's coefficient mass, under the sum of squares over \
                 these groups, on that of its frequency in the draw: 1 for the plain mean loss, 0 for the true \
                 groups at equal losses. After some are learned they no longer have equal losses.",
            );
            sheet.table(&heads("groups"), table(|row| row.weight_mass_slope));
        }

        if !self.first().names.is_empty() {
            let steps = self.steps.iter().map(|(&step, lines)| (step, lines));
            sharing::add(&mut sheet, steps);
        }
        self.add_how_many(&mut sheet, &heads("rule"));
        if !self.first().aliases.is_empty() {
            self.add_aliases(&mut sheet, &heads("seen"));
        }
        sheet
    }

    /// Any line: all have the same rows.
    fn first(&self) -> &Line {
        &self.first
    }

    /// The last step at which nothing was learned by any seed.
    fn before(&self) -> Option<(u64, &Vec<Line>)> {
        let unlearned = |lines: &&Vec<Line>| lines.iter().all(|line| line.learned == 0);
        let mut latest_first = self.steps.iter().rev();
        let last = latest_first.find(|(_, lines)| unlearned(lines));
        last.map(|(&step, lines)| (step, lines))
    }

    /// A row of a table: one number of each line, step by step.
    fn of_lines(&self, name: &str, of: impl Fn(&Line) -> Option<f64>) -> Vec<String> {
        let mut cells = vec![name.to_owned()];
        cells.extend(self.steps.values().map(|lines| {
            let values: Vec<f64> = lines.iter().filter_map(&of).collect();
            said(&values)
        }));
        cells
    }

    /// A line for each row and step; a field is empty where there is no number.
    fn csv(&self) -> String {
        let number =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
        let mut text = "grouping,metric,part,layers,against,number,groups,step,seeds".to_owned();
        for (measure, _) in MEASURES {
            text.push_str(&format!(",{measure}_mean,{measure}_sd"));
        }
        text.push('\n');
        for (step, lines) in &self.steps {
            for row in &self.first().rows {
                text.push_str(&format!(
                    "{},{},{},{},{},{},{},{step},{}",
                    csv_cell(&row.grouping),
                    csv_cell(&row.metric),
                    csv_cell(&row.part),
                    csv_cell(&row.layers),
                    csv_cell(&row.against),
                    if row.told { "told" } else { "found" },
                    row.groups,
                    lines.len()
                ));
                for (_, of) in MEASURES {
                    let found = values(lines, row, of);
                    let (mean, sd) = (number(mean(&found)), number(deviation(&found)));
                    text.push_str(&format!(",{mean},{sd}"));
                }
                text.push('\n');
            }
        }
        text
    }
}

fn same(a: &RowLine, b: &RowLine) -> bool {
    let alike = |of: fn(&RowLine) -> &String| of(a) == of(b);
    alike(|row| &row.grouping)
        && alike(|row| &row.against)
        && alike(|row| &row.metric)
        && (a.metric.is_empty() || (alike(|row| &row.part) && alike(|row| &row.layers)))
}

/// A number of one row, seed by seed.
fn values(lines: &[Line], row: &RowLine, of: fn(&RowLine) -> Option<f64>) -> Vec<f64> {
    let found = lines
        .iter()
        .filter_map(|line| line.rows.iter().find(|other| same(other, row)));
    found.filter_map(of).collect()
}

fn name(row: &RowLine) -> String {
    if row.metric.is_empty() {
        return row.grouping.clone();
    }
    format!(
        "{}, {} {}, {}",
        row.grouping, row.metric, row.part, row.layers
    )
}

/// `mean ± deviation` over seeds, whole numbers without decimals.
fn said(values: &[f64]) -> String {
    let whole = values.iter().all(|value| value.fract() == 0.0);
    let digits = match whole {
        true if values.windows(2).all(|pair| pair[0] == pair[1]) => 0,
        true => 1,
        false => 2,
    };
    let number = |value: f64| {
        let text = format!("{value:.digits$}");
        // Rounding leaves the sign of what it takes away.
        match text
            .trim_start_matches('-')
            .chars()
            .all(|letter| "0.".contains(letter))
        {
            true => text.trim_start_matches('-').to_owned(),
            false => text.replace('-', "−"),
        }
    };
    match (mean(values), deviation(values)) {
        (None, _) => "–".to_owned(),
        (Some(mean), Some(deviation)) if deviation > 0.0 => {
            format!("{} ± {}", number(mean), number(deviation))
        }
        (Some(mean), _) => number(mean),
    }
}
