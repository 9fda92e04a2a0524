//! Which groupings of which gradients find the capabilities, before, during and after they emerge.

mod aliases;
mod cut;
mod line;
mod look;
mod measure;
mod parity;
mod report;
mod skills;
mod subject;

use gradual::prelude::*;
use gradual::runs::Record;

use crate::experiment::{Arm, Book, Finished, Run};
use measure::Quality;
use subject::Subject;

pub(crate) use parity::GroupingQuality;
pub(crate) use skills::SkillsQuality;

/// Evaluations beside the run folder's usual ones, a line for each step that is looked at.
const FILE: &str = "quality.jsonl";

/// The only run that there is.
const ERM: Arm = Arm {
    name: "erm",
    about: "the plain mean loss",
};

const CLAIM: &str = "Clusters of gradients, or singular vectors of the gradient matrix, find the capabilities \
     (after A. Jermyn, 2022): in which metric, in which layers, and how early?";

/// How the model that is looked at is trained.
struct Training {
    rate: f64,
    /// Steps between evaluations of the capabilities.
    every: u64,
    /// The steps that are looked at, beside the last.
    looks: &'static [u64],
}

/// Trains on the plain mean loss and writes down what is found on the way.
fn follow<S: Subject>(
    run: &Run<'_>,
    subject: &S,
    training: &Training,
    book: Book,
) -> anyhow::Result<Finished> {
    let mut journal = book.folder.journal(FILE)?;
    let quality = Quality::new(subject, run);
    let erm = Objective::new(OneGroup, Mean);
    let pace = (training.rate, training.every);
    let trainer = run.trainer(subject.task(), erm, None, pace, book);
    let watched = trainer.watch(|step, model| {
        if step != run.steps && !training.looks.contains(&step) {
            return Ok(());
        }
        Ok(journal.append(quality.at(step, model)?.to_line()?)?)
    });
    Ok(watched.run()?.into())
}
