//! The experiment on sparse parity, with one code for each task or several.

use gradual::grad::Part::{Gradients, Inputs, OutputGradients};
use gradual::group::Sign;
use gradual::prelude::*;
use gradual::train::Drawn;
use gradual_tasks::{ParityBatch, SettingError, SparseParity as Task, SparseParityConfig};

use super::cut::Cut;
use super::look::{KRONECKER, Layers, Look, RAW, WHITE};
use super::subject::{Aliases, Known, Subject};

/// The tasks, and the codes that announce them.
pub(crate) struct Parity {
    task: Task,
    config: SparseParityConfig,
    examples: usize,
}

impl Parity {
    /// The task of a seed, of which so many examples are grouped.
    pub(crate) fn new(
        config: &SparseParityConfig,
        seed: u64,
        examples: usize,
    ) -> Result<Self, SettingError> {
        Ok(Self {
            task: Task::new(config.clone(), seed)?,
            config: config.clone(),
            examples,
        })
    }
}

impl Subject for Parity {
    type Task = Task;

    const NAME: &'static str = "sparse parity";

    fn task(&self) -> &Task {
        &self.task
    }

    fn num_examples(&self) -> usize {
        self.examples
    }

    fn rows(&self) -> Vec<(Look, Vec<Cut>)> {
        rows(self.config.depth)
    }

    fn estimated(&self, look: &Look) -> bool {
        *look == Look::new(WHITE, Gradients, &layer(0, self.config.depth))
    }

    fn known(&self, drawn: &Drawn<ParityBatch>) -> Vec<Known> {
        let known = |against, labels, groups| Known {
            against,
            labels,
            groups,
            names: Vec::new(),
        };
        let mut all = vec![known("tasks", drawn.labels.clone(), self.config.tasks)];
        if let Some(codes) = self.codes() {
            let of = drawn.batch.codes().iter().copied().map(Some);
            all.push(known("codes", of.collect(), codes));
        }
        all
    }

    fn aliases(&self, drawn: &Drawn<ParityBatch>) -> Option<Aliases> {
        self.codes().map(|_| Aliases {
            codes: drawn.batch.codes().to_vec(),
            each: self.config.codes_of_each(),
        })
    }
}

impl Parity {
    /// How many codes there are, where tasks have several. More codes than examples are no groups.
    fn codes(&self) -> Option<usize> {
        let each = self.config.codes_of_each();
        let codes = self.config.tasks.saturating_mul(each);
        (each > 1 && codes < self.examples).then_some(codes)
    }
}

/// The weight of one layer of a model with `hidden` hidden layers.
fn layer(index: usize, hidden: usize) -> Layers {
    let name = match index {
        0 => "first layer".to_owned(),
        _ if index == hidden => "last layer".to_owned(),
        _ => format!("layer {}", index + 1),
    };
    Layers::of(name, [format!("layers.{index}.weight")])
}

/// All rows for a model with `hidden` hidden layers: looks, and how each is cut.
fn rows(hidden: usize) -> Vec<(Look, Vec<Cut>)> {
    use Similarity::{Angular, Squared};
    let all = Layers::all();
    let first = layer(0, hidden);
    let every = vec![
        Cut::KMeans,
        Cut::Spherical(Sign::Ignored),
        Cut::Spectral(Squared),
        Cut::Spectral(Angular),
        Cut::Singular,
    ];
    let unknown = [Cut::Eigengap, Cut::Density, Cut::Diffusion];
    let also = |cuts: &[Cut], more: &[Cut]| [cuts, more].concat();
    let best = |whitening, part, layers: &Layers| {
        let look = Look::new(whitening, part, layers);
        (look, vec![Cut::Spectral(Squared)])
    };
    let mut rows = vec![
        (
            Look::new(RAW, Gradients, &all),
            vec![Cut::KMeans, Cut::Singular],
        ),
        (Look::new(RAW, Gradients, &first), every.clone()),
        (Look::new(WHITE, Gradients, &first), also(&every, &unknown)),
        best(KRONECKER, Gradients, &first),
        best(KRONECKER, OutputGradients, &first),
        best(WHITE, Gradients, &all),
        (
            Look::new(RAW, Inputs, &first),
            also(&[Cut::KMeans, Cut::Spectral(Squared)], &unknown),
        ),
        (
            Look::new(WHITE, Inputs, &first),
            also(&[Cut::KMeans, Cut::Spectral(Squared)], &unknown),
        ),
        best(WHITE, OutputGradients, &first),
    ];
    // The inputs of a later layer are the activations of the one before. The output-gradient of the
    // last is one number, so that its inputs have the squared cosines of its gradients.
    for index in 1..=hidden {
        let layer = layer(index, hidden);
        let (look, cuts) = best(WHITE, Gradients, &layer);
        rows.push((look, also(&cuts, &[Cut::Eigengap, Cut::Diffusion])));
        if index < hidden {
            rows.push(best(WHITE, Inputs, &layer));
            rows.push(best(WHITE, OutputGradients, &layer));
            rows.push(best(KRONECKER, Gradients, &layer));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_of_their_own() {
        for hidden in [1, 3] {
            let rows = rows(hidden);
            let name = |look: &Look, cut: &Cut| format!("{} {}", cut.name(), look.name());
            let names: Vec<String> = rows
                .iter()
                .flat_map(|(look, cuts)| cuts.iter().map(move |cut| name(look, cut)))
                .collect();
            let mut distinct = names.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), names.len(), "{names:?}");
            assert!((12..=60).contains(&names.len()), "{}", names.len());
            let first = Look::new(WHITE, Gradients, &layer(0, hidden));
            assert!(rows.iter().any(|row| row.0 == first));
        }
    }
}
