//! Standing examples: those that a grouping keeps beside the draws, and wants to see again.

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{Traced, Tracer};
use gradual_group::{Draw, Standing};

use super::chosen::chosen;
use super::finite::{all_finite, host};
use super::parts::trace_together;
use super::range::out_of_range;
use crate::error::TrainError;
use crate::objective::Objective;

/// Standing examples, draw by draw, the oldest first.
#[derive(Debug, Clone)]
pub(crate) struct StandingDraws<D> {
    draws: Vec<(usize, D)>,
    /// How many of the first have made room for later ones.
    dropped: usize,
}

impl<D> Default for StandingDraws<D> {
    fn default() -> Self {
        Self::new(Vec::new(), 0)
    }
}

impl<D> StandingDraws<D> {
    /// Draws with their numbers of examples, without the first `dropped` of these.
    pub(crate) fn new(draws: Vec<(usize, D)>, dropped: usize) -> Self {
        Self { draws, dropped }
    }

    /// Makes room for the examples that a grouping wants. Gives the number of fresh examples to [add](Self::add), if
    /// it wants some.
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
    pub(crate) fn num_examples(&self) -> usize {
        let all: usize = self.draws.iter().map(|(examples, _)| examples).sum();
        all.saturating_sub(self.dropped)
    }
}

/// Shows the grouping its standing examples, those of `parts` without the first `dropped`, and leaves running
/// statistics as they were. There should be `expected` of them. Gives the number of those that had no loss, and that
/// others stand for.
pub(crate) fn show<M: Module, B>(
    model: &M,
    (objective, leaves_out): (&mut Objective, bool),
    tracer: &Tracer,
    parts: &[&B],
    sizes: (usize, usize),
    losses: impl FnMut(&M, &B) -> Tensor<1>,
) -> Result<usize, TrainError> {
    let (traced, absent) = trace_standing(model, leaves_out, tracer, parts, sizes, losses)?;
    stood(objective, &traced)?;
    Ok(absent)
}

/// Losses and gradients of standing examples, those of `parts` without the first `dropped`, and the number of those that
/// others stand for. There should be `expected` of them. Running statistics stay as they were.
pub(crate) fn trace_standing<M: Module, B>(
    model: &M,
    leaves_out: bool,
    tracer: &Tracer,
    parts: &[&B],
    (dropped, expected): (usize, usize),
    losses: impl FnMut(&M, &B) -> Tensor<1>,
) -> Result<(Traced, usize), TrainError> {
    let parts = parts.iter().copied();
    let Traced { losses, gradients } = trace_together(model, tracer, parts, losses)?;
    let got = gradients.num_examples().saturating_sub(dropped);
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
    with_losses(leaves_out, traced)
}

/// Shows standing examples whose gradients were taken already. Gives the number of those that others stand for.
pub(super) fn shown(
    leaves_out: bool,
    objective: &mut Objective,
    traced: Traced,
) -> Result<usize, TrainError> {
    let (traced, absent) = with_losses(leaves_out, traced)?;
    stood(objective, &traced)?;
    Ok(absent)
}

/// Examples that all have a loss, where others stand for those that have none if these are to be left out, and the number
/// of these.
fn with_losses(leaves_out: bool, traced: Traced) -> Result<(Traced, usize), TrainError> {
    let losses = host("loss", &traced.losses)?;
    let first = losses.iter().position(|loss| loss.is_finite());
    let (true, Some(mut last)) = (leaves_out, first) else {
        all_finite("loss", losses)?;
        return Ok((traced, 0));
    };
    let absent = losses.iter().filter(|loss| !loss.is_finite()).count();
    let stands = losses.iter().enumerate().map(|(at, loss)| {
        if loss.is_finite() {
            last = at;
        }
        last
    });
    let stands: Vec<usize> = stands.collect();
    let traced = Traced {
        gradients: traced.gradients.choose(&stands)?,
        losses: chosen(traced.losses, &stands),
    };
    Ok((traced, absent))
}

/// Shows a grouping its standing examples, or says that their gradients are too large to be compared.
pub(crate) fn stood(objective: &mut Objective, traced: &Traced) -> Result<(), TrainError> {
    let shown = objective.grouping.stand(&Draw::from(traced));
    shown.or_else(|error| {
        let error = TrainError::from(error);
        match error.is_not_finite() {
            true => Err(out_of_range(&traced.gradients)?.unwrap_or(error)),
            false => Err(error),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let mut standing = StandingDraws::default();
        let wish = |standing: &mut StandingDraws<&'static str>, wish, drawn| {
            if let Some(examples) = standing.make_room(wish) {
                standing.add(examples, drawn);
            }
            let names: Vec<&str> = standing.draws().iter().map(|(_, name)| *name).collect();
            (names.concat(), standing.dropped(), standing.num_examples())
        };
        let mut wish = |wished, drawn| wish(&mut standing, wished, drawn);
        assert_eq!(wish(Standing::Fresh(5), "a"), ("a".into(), 0, 5));
        assert_eq!(wish(Standing::Again, "b"), ("a".into(), 0, 5));
        assert_eq!(wish(Standing::Replace(2), "c"), ("ac".into(), 2, 5));
        assert_eq!(wish(Standing::Replace(4), "d"), ("cd".into(), 1, 5));
        assert_eq!(wish(Standing::Replace(5), "e"), ("e".into(), 0, 5));
        assert_eq!(wish(Standing::Fresh(3), "f"), ("f".into(), 0, 3));
    }
}
