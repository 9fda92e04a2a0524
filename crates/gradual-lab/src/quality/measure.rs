//! One draw of examples at one step: every row, the number of groups, and the aliases.

use std::cell::Cell;

use anyhow::bail;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gradual::grad::ExampleGradients;
use gradual::group::{
    Cosines, adjusted_rand, homogeneity, normalised_mutual_information, purity, soft_adjusted_rand,
    weight_mass_slope,
};
use gradual::prelude::*;
use gradual::runs::SCHEMA;
use gradual::train::{Drawn, Interrupt, Task, TrainError};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::aliases::joined;
use super::cut::{Cut, Found, together};
use super::kernel;
use super::line::{AliasLine, Answer, Line, RowLine};
use super::look::Look;
use super::subject::{Aliases, Batch, Known, Subject};
use super::trajectory::Trajectories;

/// The stream of random numbers of the draws: the trainer uses those before.
const STREAM: u64 = 4;
/// Runs of k-means for each number of groups that the silhouette tries.
const SILHOUETTE_RESTARTS: usize = 2;

/// All that stays the same over the steps of one run.
pub(super) struct Measure<'a, S> {
    subject: &'a S,
    seed: u64,
    device: Device,
    interrupt: Interrupt,
    /// Whether a look was given up for an interrupt.
    given_up: Cell<bool>,
}

/// The draw as one look shows it.
struct Shown {
    gradients: ExampleGradients,
    cosines: Cosines,
}

/// A draw under the model of one step.
struct Seen {
    traced: Traced,
    /// The capability of each example, and how many there are.
    labels: Vec<Option<usize>>,
    capabilities: usize,
    known: Vec<Known>,
    /// Which capabilities are past half of their rise.
    learned: Vec<bool>,
}

impl<'a, S: Subject> Measure<'a, S> {
    pub(super) fn new(subject: &'a S, seed: u64, device: &Device, interrupt: &Interrupt) -> Self {
        Self {
            subject,
            seed,
            device: device.clone(),
            interrupt: interrupt.clone(),
            given_up: Cell::new(false),
        }
    }

    /// Whether a look was given up, for somebody asked to stop. A look may take minutes, and none of it is kept.
    pub(super) fn was_given_up(&self) -> bool {
        self.given_up.get()
    }

    /// # Errors
    ///
    /// Once somebody asked to stop.
    fn goes_on(&self) -> Result<(), TrainError> {
        if !self.interrupt.asked() {
            return Ok(());
        }
        self.given_up.set(true);
        Err(TrainError::Data(
            "stopped while groups were looked for".into(),
        ))
    }

    /// Refuses fewer examples than groups that are asked for.
    ///
    /// # Errors
    ///
    /// Which, and what to change.
    pub(super) fn check_size(&self) -> anyhow::Result<()> {
        let known = self.subject.known(&self.drawn()?);
        let (examples, most) = (
            self.subject.num_examples(),
            known.iter().map(|known| known.groups).max().unwrap_or(0),
        );
        if examples < most {
            bail!(
                "quality.examples = {examples}, and groupings are asked for {most} groups of them: give at least {most}"
            );
        }
        Ok(())
    }

    /// The examples that are grouped: the same at every step, so that only the model changes.
    fn drawn(&self) -> Result<Drawn<Batch<S>>, TrainError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(STREAM);
        let (task, examples) = (self.subject.task(), self.subject.num_examples());
        task.draw(examples, &mut random, &self.device)
    }

    /// Their losses under `model`.
    pub(super) fn losses(&self, model: &<S::Task as Task>::Model) -> Result<Vec<f32>, TrainError> {
        let drawn = self.drawn()?;
        host(&self.subject.task().losses(&model.valid(), &drawn.batch))
    }

    /// Groups the examples under `model`, as it is after `step` steps, and by their losses so far.
    pub(super) fn at(
        &self,
        step: u64,
        model: &<S::Task as Task>::Model,
        losses: &Trajectories,
    ) -> Result<Line, TrainError> {
        let task = self.subject.task();
        let scores = task.evaluate(&model.valid(), &self.device)?;
        // A capability that is never drawn is not asked about.
        let trained = scores.iter().zip(task.capabilities());
        let trained = trained.filter(|(_, capability)| capability.frequency > 0.0);
        let (accuracy, learned): (Vec<f64>, Vec<bool>) = trained
            .map(|(score, capability)| {
                let half = (1.0 + capability.chance) / 2.0;
                (score.accuracy, score.accuracy > half)
            })
            .unzip();
        let drawn = self.drawn()?;
        let aliases = self.subject.aliases(&drawn);
        let seen = Seen {
            traced: trace(model, |m| task.losses(m, &drawn.batch))?,
            known: self.subject.known(&drawn),
            capabilities: learned.len(),
            learned,
            labels: drawn.labels.clone(),
        };

        let (mut rows, mut alias_lines, mut how_many) = (Vec::new(), Vec::new(), Vec::new());
        for (look, cuts) in self.subject.rows() {
            self.goes_on()?;
            let shown = Shown::new(&look, &seen.traced.gradients)?;
            rows.extend(self.rows(&seen, &look, look.part_name(), &cuts, &shown)?);
            if let Some(aliases) = &aliases {
                alias_lines.push(alias_line(&look, &seen, aliases, &shown.cosines));
            }
            if self.subject.estimated(&look) {
                how_many.extend(self.how_many(&look.name(), &seen, &shown.cosines)?);
            }
        }
        let controls = self.subject.controls(&drawn)?.into_iter();
        let kernel = kernel::control(
            &model.valid(),
            |model| host(&task.losses(model, &drawn.batch)),
            self.seed,
            &self.device,
        )?;
        let forward = losses.controls(&self.device)?.into_iter().chain([kernel]);
        for control in controls.chain(forward) {
            for (look, cuts) in &control.rows {
                self.goes_on()?;
                let shown = Shown::new(look, &control.traced.gradients)?;
                rows.extend(self.rows(&seen, look, control.name, cuts, &shown)?);
            }
        }
        rows.extend(self.references(&seen)?);
        let codes = aliases.map_or(1, |aliases| aliases.each) * seen.capabilities;
        let named = seen.known.iter().find(|known| !known.names.is_empty());
        Ok(Line {
            schema: SCHEMA,
            step,
            examples: seen.labels.len() as u64,
            tasks: seen.capabilities as u64,
            codes: codes as u64,
            mean_accuracy: accuracy.iter().sum::<f64>() / accuracy.len() as f64,
            learned: seen.learned.iter().filter(|&&learned| learned).count() as u64,
            names: named.map(|known| known.names.clone()).unwrap_or_default(),
            rows,
            how_many,
            aliases: alias_lines,
        })
    }

    /// What `look` shows, cut in all ways and compared with all that is known.
    fn rows(
        &self,
        seen: &Seen,
        look: &Look,
        part: &str,
        cuts: &[Cut],
        shown: &Shown,
    ) -> Result<Vec<RowLine>, TrainError> {
        let mut lines = Vec::new();
        let draw = Draw::new(&seen.traced.losses).with_gradients(&shown.gradients);
        let mut found = Vec::new();
        for &cut in cuts.iter().filter(|cut| !cut.is_told()) {
            self.goes_on()?;
            // Whatever they are compared with.
            found.push((cut, cut.cut(&draw, &shown.cosines, 0, self.seed)?));
        }
        for known in &seen.known {
            let mut add = |cut: Cut, found: &Found| -> Result<(), TrainError> {
                lines.push(RowLine {
                    grouping: cut.name().to_owned(),
                    metric: look.metric_name().to_owned(),
                    part: part.to_owned(),
                    layers: look.layers.name.clone(),
                    told: cut.is_told(),
                    ..self.row(seen, found, known)?
                });
                Ok(())
            };
            for &cut in cuts.iter().filter(|cut| cut.is_told()) {
                self.goes_on()?;
                add(
                    cut,
                    &cut.cut(&draw, &shown.cosines, known.groups, self.seed)?,
                )?;
            }
            for (cut, found) in &found {
                add(*cut, found)?;
            }
        }
        Ok(lines)
    }

    /// The measures of found groups, without the names of what found them.
    fn row(&self, seen: &Seen, found: &Found, known: &Known) -> Result<RowLine, TrainError> {
        let labels = &known.labels;
        let mut row = RowLine {
            grouping: String::new(),
            metric: String::new(),
            part: String::new(),
            layers: String::new(),
            against: known.against.to_owned(),
            told: true,
            groups: found.groups as u64,
            found: 0,
            adjusted_rand: None,
            mutual_information: None,
            purity: None,
            purity_by_chance: None,
            homogeneity: None,
            weight_mass_slope: None,
            contingency: Vec::new(),
        };
        if let Some(soft) = &found.soft {
            let (together, number) = together(soft)?;
            row.groups = number.round() as u64;
            row.found = row.groups;
            row.adjusted_rand = soft_adjusted_rand(&together, labels);
            row.weight_mass_slope = slope(seen, soft)?;
            return Ok(row);
        }
        let assignment = &found.assignment;
        let purity = purity(assignment, labels);
        row.adjusted_rand = adjusted_rand(assignment, labels);
        row.mutual_information = normalised_mutual_information(assignment, labels);
        row.purity = purity.map(|purity| purity.purity);
        row.purity_by_chance = purity.map(|purity| purity.chance);
        row.homogeneity = homogeneity(assignment, labels);
        row.contingency = contingency(found, known);
        let hard = Groups::hard(
            assignment.clone(),
            found.groups,
            Average::Mean,
            &self.device,
        )?;
        row.found = hard.sizes().iter().filter(|&&size| size > 0.0).count() as u64;
        row.weight_mass_slope = slope(seen, &hard)?;
        Ok(row)
    }

    /// The true groups and random ones: between them everything else lies.
    fn references(&self, seen: &Seen) -> Result<Vec<RowLine>, TrainError> {
        let mut lines = Vec::new();
        let draw = Draw::new(&seen.traced.losses).with_labels(&seen.labels);
        for known in &seen.known {
            let random = RandomGroups::new(known.groups, self.seed).group(&draw)?;
            let random = random.assignment().map(<[_]>::to_vec).unwrap_or_default();
            let mut add = |name: &str, found, groups| -> Result<(), TrainError> {
                lines.push(RowLine {
                    grouping: name.to_owned(),
                    ..self.row(seen, &Found::hard(found, groups), known)?
                });
                Ok(())
            };
            add("the true groups", known.labels.clone(), known.groups)?;
            add("random groups", random, known.groups)?;
            // What else is known of the examples, such as what inputs show: finding no more than that is finding nothing of these.
            let others = seen.known.iter();
            for other in others.filter(|other| other.against != known.against) {
                let name = format!("the {}", other.against);
                add(&name, other.labels.clone(), other.groups)?;
            }
        }
        Ok(lines)
    }

    /// What each rule says of the number of groups in squared cosines.
    fn how_many(
        &self,
        look: &str,
        seen: &Seen,
        cosines: &Cosines,
    ) -> Result<Vec<Answer>, TrainError> {
        // Room for more than there are.
        let most = seen.known.iter().map(|known| known.groups).max();
        let most = (most.unwrap_or(0) * 3 / 2).max(32);
        let squared = cosines.similarity(Similarity::Squared);
        let ask = |rule: HowMany, restarts| -> Result<_, TrainError> {
            self.goes_on()?;
            let spectral = Spectral::new(rule, self.seed).with_at_most(most)?;
            Ok(spectral.with_restarts(restarts)?.clusters(&squared)?)
        };
        let answer = |rule: &str, groups: usize| Answer {
            seen: look.to_owned(),
            rule: rule.to_owned(),
            groups: groups as u64,
        };
        let cheap = ask(HowMany::Eigengap, 1)?.estimates;
        let cheap = cheap.iter().map(|&(rule, said)| answer(rule, said));
        let said = ask(HowMany::Silhouette, SILHOUETTE_RESTARTS)?.groups;
        let silhouette = answer(HowMany::Silhouette.name(), said);
        Ok(cheap.chain([silhouette]).collect())
    }
}

impl Shown {
    /// Gradients as a look shows them, by the moments of this draw.
    fn new(look: &Look, gradients: &ExampleGradients) -> Result<Self, TrainError> {
        let mut metric = look.metric()?;
        metric.observe(gradients)?;
        let gradients = metric.apply(gradients)?;
        let gram = host(&gradients.gram())?;
        let cosines = Cosines::from_gram("grouping quality", gram, gradients.num_examples())?;
        Ok(Self { gradients, cosines })
    }
}

/// Examples of each label in each group, where labels have names.
fn contingency(found: &Found, known: &Known) -> Vec<Vec<u64>> {
    if known.names.is_empty() {
        return Vec::new();
    }
    let mut counts = vec![vec![0; known.groups]; found.groups];
    for (group, label) in found.assignment.iter().zip(&known.labels) {
        if let (Some(group), Some(label)) = (*group, *label) {
            counts[group][label] += 1;
        }
    }
    counts
}

/// Where the weight of a step would go, capability by capability.
fn slope(seen: &Seen, groups: &Groups) -> Result<Option<f64>, TrainError> {
    let composed = SumOfSquares.compose(&seen.traced.losses, groups)?;
    let coefficients = host(&composed.coefficients)?;
    let mut mass = vec![0.0; seen.capabilities];
    let mut frequency = vec![0.0; seen.capabilities];
    for (label, &coefficient) in seen.labels.iter().zip(&coefficients) {
        if let Some(label) = *label {
            mass[label] += f64::from(coefficient).abs();
            frequency[label] += 1.0;
        }
    }
    Ok(weight_mass_slope(&mass, &frequency))
}

fn alias_line(look: &Look, seen: &Seen, aliases: &Aliases, cosines: &Cosines) -> AliasLine {
    let of = |wanted: &dyn Fn(usize) -> bool| {
        joined(cosines.entries(), &aliases.codes, aliases.each, wanted)
    };
    let learned = seen.learned.iter().filter(|&&learned| learned).count();
    AliasLine {
        metric: look.metric_name().to_owned(),
        part: look.part_name().to_owned(),
        layers: look.layers.name.clone(),
        all: of(&|_| true),
        learned: (learned > 1).then(|| of(&|task| seen.learned[task])),
    }
}

/// The entries of a tensor, row-major.
fn host<const D: usize>(tensor: &Tensor<D>) -> Result<Vec<f32>, TrainError> {
    let data = tensor.clone().into_data().convert::<f32>();
    data.try_to_vec().map_err(|problem| TrainError::Read {
        operation: "grouping quality",
        problem: format!("{problem:?}"),
    })
}
