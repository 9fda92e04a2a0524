//! Standing examples: those that a grouping keeps beside the draws, and wants to see again.

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{ExampleGradients, Traced};
use gradual_group::Standing;

use crate::statistics::unmoved;
use crate::{Objective, Stepper, TrainError};

/// Standing examples, draw by draw, the oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Kept<D> {
    draws: Vec<(usize, D)>,
    /// How many of the first have made room for later ones.
    dropped: usize,
}

impl<D> Default for Kept<D> {
    fn default() -> Self {
        Self::new(Vec::new(), 0)
    }
}

impl<D> Kept<D> {
    /// Draws with their numbers of examples, without the first `dropped` of these.
    pub(crate) fn new(draws: Vec<(usize, D)>, dropped: usize) -> Self {
        Self { draws, dropped }
    }

    /// Makes room for a wish. Gives the number of fresh examples to [add](Self::add), if it wants some.
    pub(crate) fn make_room(&mut self, wish: Standing) -> Option<usize> {
        match wish {
            Standing::Again => None,
            Standing::Fresh(examples) => {
                self.draws.clear();
                self.dropped = 0;
                Some(examples)
            }
            Standing::Replace(examples) => {
                self.dropped += examples;
                Some(examples)
            }
        }
    }

    /// Adds a draw of so many examples at the end, and lets go of draws that have made room as a whole.
    pub(crate) fn add(&mut self, examples: usize, drawn: D) {
        self.draws.push((examples, drawn));
        while let Some((first, _)) = self.draws.first()
            && *first <= self.dropped
        {
            self.dropped -= first;
            self.draws.remove(0);
        }
    }

    pub(crate) fn draws(&self) -> &[(usize, D)] {
        &self.draws
    }

    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    /// Number of examples that stand.
    pub(crate) fn examples(&self) -> usize {
        let all: usize = self.draws.iter().map(|(examples, _)| examples).sum();
        all.saturating_sub(self.dropped)
    }
}

/// Shows the grouping its standing examples, those of `parts` without the first `dropped`, and leaves running
/// statistics as they were. There should be `expected` of them. Gives the number of those that had no loss, and that others
/// stand for.
pub(crate) fn show<M: Module, B>(
    model: &M,
    (objective, stepper): (&mut Objective, Stepper),
    parts: &[&B],
    (dropped, expected): (usize, usize),
    mut losses: impl FnMut(&M, &B) -> Tensor<1>,
) -> Result<usize, TrainError> {
    let traced = unmoved(model, || {
        let tracer = objective.tracer();
        let each = parts
            .iter()
            .map(|part| tracer.trace(model, |m| losses(m, part)));
        each.collect::<Result<Vec<Traced>, _>>()
    })?;
    let (losses, gradients): (Vec<_>, Vec<_>) = traced
        .into_iter()
        .map(|traced| (traced.losses, traced.gradients))
        .unzip();
    // Refuses an empty list, which could not be put together below.
    let gradients = ExampleGradients::concat(&gradients)?;
    let losses = Tensor::cat(losses, 0);
    let got = gradients.examples().saturating_sub(dropped);
    if got != expected {
        return Err(TrainError::Standing {
            problem: format!("{expected} were asked for, and there are {got} losses"),
        });
    }
    let traced = match dropped {
        0 => Traced { losses, gradients },
        _ => {
            let rest: Vec<usize> = (dropped..dropped + got).collect();
            Traced {
                losses: losses.narrow(0, dropped, got),
                gradients: gradients.choose(&rest)?,
            }
        }
    };
    stepper.shown(objective, traced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let mut kept = Kept::default();
        let wish = |kept: &mut Kept<&'static str>, wish, drawn| {
            if let Some(examples) = kept.make_room(wish) {
                kept.add(examples, drawn);
            }
            let names: Vec<&str> = kept.draws().iter().map(|(_, name)| *name).collect();
            (names.concat(), kept.dropped(), kept.examples())
        };
        let mut wish = |wished, drawn| wish(&mut kept, wished, drawn);
        assert_eq!(wish(Standing::Fresh(5), "a"), ("a".into(), 0, 5));
        assert_eq!(wish(Standing::Again, "b"), ("a".into(), 0, 5));
        assert_eq!(wish(Standing::Replace(2), "c"), ("ac".into(), 2, 5));
        assert_eq!(wish(Standing::Replace(4), "d"), ("cd".into(), 1, 5));
        assert_eq!(wish(Standing::Replace(5), "e"), ("e".into(), 0, 5));
        assert_eq!(wish(Standing::Fresh(3), "f"), ("f".into(), 0, 3));
    }
}
