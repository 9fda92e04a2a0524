//! The passes of a trace: forward with its taps seen, backward to factors.

use std::collections::{HashMap, HashSet};

use burn::module::{Module, ParamId};
use burn::tensor::Tensor;

use super::strategy;
use super::tape::{Tape, Use, with_tape};
use super::traced::Traced;
use super::views::Views;
use crate::error::GradError;
use crate::faults::BurnFault;
use crate::gradients::ExampleGradients;
use crate::gradients::parameter::ParameterGradients;
use crate::parameters::Parameter;
use crate::parameters::copied::Copied;

/// A model to be traced: a copy of it that is run, and all that does not depend on its type. The passes themselves know no
/// type, so that they are compiled once and not for every model and closure.
pub(crate) struct Subject<M> {
    pub(crate) model: M,
    pub(crate) wanted: Wanted,
}

/// A closure that runs the copy.
pub(crate) type Run<'a> = Box<dyn FnOnce() -> Tensor<1> + 'a>;

/// What is to be traced of a model.
pub(crate) struct Wanted {
    pub(crate) chosen: Chosen,
    pub(crate) copied: Copied,
    pub(crate) views: Option<Views>,
}

/// The parameters of a model, as a [`Tracer`](super::tracer::Tracer) chooses among them.
pub(crate) struct Chosen {
    /// The parameters whose gradients are wanted, by the model's own identities.
    pub(crate) parameters: Vec<Parameter>,
    pub(super) left_out: HashSet<String>,
    /// Paths of the parameters that a draw need not use.
    pub(super) may_be_unused: HashSet<String>,
    /// Of all parameters.
    pub(super) paths: HashMap<ParamId, String>,
}

impl Chosen {
    /// Of the parameters whose gradients are wanted.
    pub(super) fn ids(&self) -> HashSet<ParamId> {
        self.parameters.iter().map(|each| each.id).collect()
    }
}

/// A traced forward pass.
pub(crate) struct ForwardPass<'a> {
    pub(crate) wanted: &'a Wanted,
    pub(crate) losses: Tensor<1>,
    pub(crate) tape: Tape,
    /// From the copy's identities to the model's.
    pub(crate) originals: HashMap<ParamId, ParamId>,
}

impl<M: Module> Subject<M> {
    /// Runs the closure on the copy, its taps seen, and finds what would make a backward pass panic or its result
    /// wrong.
    pub(crate) fn forward(
        &self,
        losses: impl FnOnce(&M) -> Tensor<1>,
    ) -> Result<ForwardPass<'_>, GradError> {
        self.wanted.forward(Box::new(|| losses(&self.model)))
    }

    /// Runs the closure on the copy, its taps seen, whatever they see.
    pub(crate) fn look(
        &self,
        losses: impl FnOnce(&M) -> Tensor<1>,
    ) -> Result<ForwardPass<'_>, GradError> {
        self.wanted.look(Box::new(|| losses(&self.model)))
    }
}

impl Wanted {
    /// [`Subject::forward`], of a closure that has the copy.
    pub(crate) fn forward(&self, run: Run<'_>) -> Result<ForwardPass<'_>, GradError> {
        let passed = self.look(run)?;
        passed.check()?;
        Ok(passed)
    }

    fn look(&self, run: Run<'_>) -> Result<ForwardPass<'_>, GradError> {
        let renamed = &self.copied.renamed;
        let originals = self.chosen.ids();
        let tape = Tape {
            wanted: originals.iter().map(|id| renamed[id]).collect(),
            originals,
            context: self.copied.context.clone(),
            ..Tape::default()
        };
        let (losses, tape) = strategy::run(|| with_tape(tape, run))??;
        Ok(ForwardPass {
            wanted: self,
            losses,
            tape,
            originals: renamed.iter().map(|(&own, &copy)| (copy, own)).collect(),
        })
    }
}

impl ForwardPass<'_> {
    /// The path of a parameter of the copy.
    pub(crate) fn path(&self, id: ParamId) -> Option<&str> {
        let own = self.originals.get(&id)?;
        self.wanted.chosen.paths.get(own).map(String::as_str)
    }

    /// Parameters whose gradient Burn's own backward pass gets wrong in a use that was seen, by path.
    pub(crate) fn faults(&self) -> Vec<(String, BurnFault)> {
        let mut faults: Vec<(String, BurnFault)> = Vec::new();
        for (id, fault) in &self.tape.faults {
            let path = self.path(*id).unwrap_or_default().to_owned();
            if !faults.iter().any(|(known, _)| *known == path) {
                faults.push((path, *fault));
            }
        }
        faults
    }

    /// The paths of all parameters of the copy.
    pub(crate) fn paths(&self) -> HashMap<ParamId, String> {
        let ids = self.originals.keys();
        ids.filter_map(|&id| Some((id, self.path(id)?.to_owned())))
            .collect()
    }

    /// How many rows of a tapped input belong to one example.
    pub(crate) fn rows_each(&self, rows: usize) -> Option<usize> {
        let [n] = self.losses.dims();
        match self.wanted.views {
            _ if rows == n => Some(1),
            Some(views) if rows == n * views.count() => Some(views.count()),
            _ => None,
        }
    }

    fn check(&self) -> Result<(), GradError> {
        let [n] = self.losses.dims();
        if n == 0 {
            return Err(GradError::EmptyDraw);
        }
        let tape = &self.tape;
        let named = |id| self.path(id).unwrap_or("of no known name").to_owned();
        if let Some(refusal) = tape.refusals.first() {
            return Err(GradError::Input {
                path: named(refusal.parameter),
                problem: refusal.problem.clone(),
            });
        }
        for seen in &tape.uses {
            if self.rows_each(seen.examples).is_none() {
                return Err(GradError::Examples {
                    path: seen
                        .parameters
                        .first()
                        .map(|id| named(*id))
                        .unwrap_or_default(),
                    examples: seen.examples,
                    losses: n,
                });
            }
        }
        let covered: HashSet<ParamId> = tape
            .uses
            .iter()
            .flat_map(|seen| &seen.parameters)
            .copied()
            .collect();
        let Wanted { chosen, copied, .. } = self.wanted;
        let missing = |parameter: &&Parameter| !covered.contains(&copied.renamed[&parameter.id]);
        let missing: Vec<&Parameter> = chosen.parameters.iter().filter(missing).collect();
        if !missing.is_empty() && tape.bypassed {
            return Err(GradError::Bypassed);
        }
        let is_allowed = |parameter: &&Parameter| chosen.may_be_unused.contains(&parameter.path);
        let (unused, missing): (Vec<_>, Vec<_>) = missing.into_iter().partition(is_allowed);
        if !missing.is_empty() {
            let paths = missing.into_iter().map(|parameter| parameter.path.clone());
            return Err(GradError::Uncovered {
                paths: paths.collect(),
            });
        }
        // Without autodiff no gradient would show that the closure used the model itself.
        if copied.context.is_none() && unused.iter().any(|each| tape.met.contains(&each.id)) {
            return Err(GradError::Bypassed);
        }
        if !self.losses.is_tracked() {
            return Err(GradError::Untracked);
        }
        Ok(())
    }

    /// The backward pass of `total`, a sum of the losses (of some of them, the gradients of the others are then zero).
    /// `watch` is shown every use with the gradient that arrived at its output.
    pub(crate) fn backward(
        self,
        total: &Tensor<1>,
        watch: &mut dyn FnMut(&Use, &Tensor<2>),
    ) -> Result<Traced, GradError> {
        let mut backward = total.backward();
        let reached = self.wanted.copied.reached(&backward);
        if !reached.is_empty() {
            let mut paths: Vec<String> = reached
                .keys()
                .filter_map(|&id| self.path(id).map(str::to_owned))
                .collect();
            paths.sort();
            return Err(GradError::Unseen { paths });
        }
        let parameters = self.wanted.chosen.parameters.iter().cloned();
        let mut gradients: Vec<ParameterGradients> =
            parameters.map(ParameterGradients::new).collect();
        let places = gradients.iter().enumerate();
        let places: HashMap<ParamId, usize> =
            places.map(|(at, each)| (each.parameter.id, at)).collect();
        let place = |id: &ParamId| {
            let own = self.originals.get(id)?;
            places.get(own).copied()
        };
        let [n] = self.losses.dims();
        for seen in self.tape.uses {
            let pair = seen
                .pair
                .and_then(|(weight, bias)| Some((*self.originals.get(&weight)?, bias)));
            for id in &seen.parameters {
                let Some(at) = place(id) else { continue };
                gradients[at].uses.push(seen.layer.into());
                if let Some((weight, bias)) = pair
                    && bias == *id
                {
                    gradients[at].weight = Some(weight);
                }
            }
            // No gradient arrives at a layer whose output is not used: it contributes nothing.
            let Some(deltas) = seen.leaf.grad_remove(&mut backward) else {
                continue;
            };
            watch(&seen, &deltas);
            for (id, factor) in (seen.resolve)(deltas) {
                if let Some(at) = place(&id) {
                    gradients[at].add(match self.wanted.views {
                        Some(views) if seen.examples != n => views.fold(factor),
                        _ => factor,
                    });
                }
            }
        }
        let losses = self.losses.inner();
        let mut left_out: Vec<String> = self.wanted.chosen.left_out.iter().cloned().collect();
        left_out.sort();
        Ok(Traced {
            gradients: ExampleGradients::new(&losses, gradients, left_out),
            losses,
        })
    }
}
