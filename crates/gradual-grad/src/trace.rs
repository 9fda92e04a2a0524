//! One forward and one backward pass that keep every example's gradient, in factors.

use std::collections::{HashMap, HashSet};

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::gradients::{ExampleGradients, ParameterGradients};
use crate::parameters::{Copied, Parameter, glob, parameters};
use crate::tape::{Tape, Use, with_tape};
use crate::views::Views;
use crate::{BurnFault, GradError, strategy};

/// What a trace yields: the losses of a draw, and their gradients.
#[derive(Debug, Clone)]
pub struct Traced {
    /// Losses ℓ, `[n]`, without autodiff.
    pub losses: Tensor<1>,
    /// Gradients ∇ℓ_j of all trainable parameters, in factored form.
    pub gradients: ExampleGradients,
}

/// Runs `losses` on `model` once, forward and backward, and keeps every example's gradient.
///
/// `losses` is given a copy of the model and must use it: the taps of this copy, and of no other module, are seen.
/// It must return one loss per example, `[n]`, and must not let one example's loss depend on another example's
/// input, which [`verify`](crate::verify()) checks.
///
/// # Errors
///
/// [`GradError`] when a trainable parameter was not seen by a tap or was also used outside of one, when a tapped
/// input does not have one row per loss, when two parameters have one identity, when the draw is empty, when nothing
/// is trainable or when traces are nested.
pub fn trace<M, F>(model: &M, losses: F) -> Result<Traced, GradError>
where
    M: Module,
    F: FnOnce(&M) -> Tensor<1>,
{
    Tracer::default().trace(model, losses)
}

/// A trace with options.
///
/// ```
/// # use burn::nn::LinearConfig;
/// # use burn::tensor::{Device, Tensor};
/// # use gradual_grad::{Tap, Tracer};
/// let device = Device::flex();
/// let layer = LinearConfig::new(3, 1).init(&device);
/// let x = Tensor::<2>::ones([4, 3], &device);
/// let traced = Tracer::default()
///     .without("bias")
///     .trace(&layer, |layer| layer.tap(x).reshape([4]))?;
/// assert_eq!(traced.gradients.paths().collect::<Vec<_>>(), ["weight"]);
/// assert_eq!(traced.gradients.coverage().left_out(), ["bias"]);
/// # Ok::<(), gradual_grad::GradError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tracer {
    left_out: Vec<String>,
    may_be_unused: Vec<String>,
    views: Option<Views>,
}

impl Tracer {
    /// Leaves out parameters whose path matches a glob, such as `*.norm*` or `embedding.*`: they need
    /// no tap, have no gradients, and are not updated by `combine`. To leave parameters out of a
    /// similarity only, use [`ExampleGradients::select`].
    #[must_use]
    pub fn without(mut self, pattern: &str) -> Self {
        self.left_out.push(pattern.to_owned());
        self
    }

    /// Lets parameters whose path matches a glob, such as `experts.*`, be used by no layer in a draw: an expert that
    /// nothing was routed to, a layer that was dropped. Their gradients are then zero for every example, and
    /// [`combine`](ExampleGradients::combine) has none for them, so that an optimizer leaves them as they are, as it
    /// does after Burn's own backward pass. A use that goes round the taps is still an error.
    ///
    /// ```
    /// # use burn::module::Module;
    /// # use burn::nn::{Linear, LinearConfig};
    /// # use burn::tensor::{Device, Tensor};
    /// # use gradual_grad::{Tap, Tracer};
    /// #[derive(Module, Debug)]
    /// struct Model {
    ///     experts: [Linear; 2],
    /// }
    ///
    /// # let device = Device::flex();
    /// let model = Model { experts: [0, 1].map(|_| LinearConfig::new(3, 1).init(&device)) };
    /// let x = Tensor::<2>::ones([4, 3], &device);
    /// let traced = Tracer::default()
    ///     .allow_unused("experts.*")
    ///     .trace(&model, |m| m.experts[1].tap(x).reshape([4]))?;
    /// assert_eq!(traced.gradients.coverage().unused().collect::<Vec<_>>(), ["experts.0.weight", "experts.0.bias"]);
    /// # Ok::<(), gradual_grad::GradError>(())
    /// ```
    #[must_use]
    pub fn allow_unused(mut self, pattern: &str) -> Self {
        self.may_be_unused.push(pattern.to_owned());
        self
    }

    /// Takes a tapped input with several times as many rows as there are losses for that many views of each example:
    /// the crops of an image, both sides of a Siamese net. The gradients of an example's views are summed, as they
    /// would be over so many uses of the layer.
    #[must_use]
    pub fn with_views(mut self, views: Views) -> Self {
        self.views = Some(views);
        self
    }

    /// [`trace`](crate::trace()) with these options.
    ///
    /// # Errors
    ///
    /// Those of [`trace`](crate::trace()), and [`GradError::Glob`] for a malformed glob or one that
    /// matches no parameter of the model.
    pub fn trace<M, F>(&self, model: &M, losses: F) -> Result<Traced, GradError>
    where
        M: Module,
        F: FnOnce(&M) -> Tensor<1>,
    {
        let subject = self.subject(model)?;
        let passed = subject.forward(losses)?;
        let total = passed.losses.clone().sum();
        passed.backward(&total, |_, _| ())
    }

    /// What is to be traced of a model, and the copy of it that is run.
    pub(crate) fn subject<M: Module>(&self, model: &M) -> Result<Subject<M>, GradError> {
        let known = parameters(model)?;
        let left_out = matching(&self.left_out, &known)?;
        let may_be_unused = matching(&self.may_be_unused, &known)?;
        let untrained = |problem| Err(GradError::Untrained { problem });
        if !known.iter().any(|parameter| parameter.trainable) {
            return untrained("no parameter of the model is trainable (frozen, or `no_grad`)");
        }
        let wanted =
            |parameter: &Parameter| parameter.trainable && !left_out.contains(&parameter.path);
        let parameters: Vec<Parameter> =
            known.iter().filter(|each| wanted(each)).cloned().collect();
        if parameters.is_empty() {
            return untrained("`Tracer::without` leaves out every trainable parameter");
        }
        let ids: HashSet<ParamId> = parameters.iter().map(|parameter| parameter.id).collect();
        Ok(Subject {
            copied: Copied::of(model, &ids),
            paths: known.into_iter().map(|each| (each.id, each.path)).collect(),
            parameters,
            left_out,
            may_be_unused,
            views: self.views,
        })
    }

    /// An update of `model` without the gradients of the parameters that are [left out](Self::without): what comes of
    /// Burn's own backward pass, restricted to what a trace would update.
    ///
    /// # Errors
    ///
    /// [`GradError::Glob`] for a malformed glob or one that matches no parameter of the model.
    pub fn restrict<M: Module>(
        &self,
        model: &M,
        update: GradientsParams,
    ) -> Result<GradientsParams, GradError> {
        struct Remove {
            ids: HashSet<ParamId>,
            update: GradientsParams,
        }
        impl ModuleVisitor for Remove {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if self.ids.contains(&param.id) {
                    self.update.remove::<D>(param.id);
                }
            }
        }
        if self.left_out.is_empty() {
            return Ok(update);
        }
        let known = parameters(model)?;
        let left_out = matching(&self.left_out, &known)?;
        let left_out = known.iter().filter(|each| left_out.contains(&each.path));
        let mut remove = Remove {
            ids: left_out.map(|each| each.id).collect(),
            update,
        };
        model.visit(&mut remove);
        Ok(remove.update)
    }
}

/// Paths of the parameters that match one of several globs, each of which must match some.
fn matching(patterns: &[String], known: &[Parameter]) -> Result<HashSet<String>, GradError> {
    let mut paths = HashSet::new();
    for pattern in patterns {
        let matcher = glob(pattern)?;
        let all = known.iter().map(|parameter| &parameter.path);
        let found: Vec<&String> = all.filter(|path| matcher.is_match(path)).collect();
        if found.is_empty() {
            let known: Vec<&str> = known.iter().map(|each| each.path.as_str()).collect();
            let problem = format!("matches none of the parameters {}", known.join(", "));
            return Err(GradError::Glob {
                pattern: pattern.clone(),
                problem,
            });
        }
        paths.extend(found.into_iter().cloned());
    }
    Ok(paths)
}

/// A model to be traced.
pub(crate) struct Subject<M> {
    pub(crate) copied: Copied<M>,
    /// The parameters whose gradients are wanted, by the model's own identities.
    pub(crate) parameters: Vec<Parameter>,
    left_out: HashSet<String>,
    /// Paths of the parameters that a draw need not use.
    may_be_unused: HashSet<String>,
    paths: HashMap<ParamId, String>,
    pub(crate) views: Option<Views>,
}

/// A traced forward pass.
pub(crate) struct Passed<'a, M> {
    pub(crate) subject: &'a Subject<M>,
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
    ) -> Result<Passed<'_, M>, GradError> {
        let passed = self.look(losses)?;
        passed.check()?;
        Ok(passed)
    }

    /// Runs the closure on the copy, its taps seen, whatever they see.
    pub(crate) fn look(
        &self,
        losses: impl FnOnce(&M) -> Tensor<1>,
    ) -> Result<Passed<'_, M>, GradError> {
        let renamed = &self.copied.renamed;
        let originals: HashSet<ParamId> = self.parameters.iter().map(|each| each.id).collect();
        let tape = Tape {
            wanted: originals.iter().map(|id| renamed[id]).collect(),
            originals,
            context: self.copied.context.clone(),
            ..Tape::default()
        };
        let (losses, tape) = strategy::run(|| with_tape(tape, || losses(&self.copied.model)))??;
        Ok(Passed {
            subject: self,
            losses,
            tape,
            originals: renamed.iter().map(|(&own, &copy)| (copy, own)).collect(),
        })
    }
}

impl<M: Module> Passed<'_, M> {
    /// The path of a parameter of the copy.
    pub(crate) fn path(&self, id: ParamId) -> Option<&str> {
        let own = self.originals.get(&id)?;
        self.subject.paths.get(own).map(String::as_str)
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
        match self.subject.views {
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
        let Subject {
            copied,
            parameters,
            may_be_unused,
            ..
        } = self.subject;
        let missing = |parameter: &&Parameter| !covered.contains(&copied.renamed[&parameter.id]);
        let missing: Vec<&Parameter> = parameters.iter().filter(missing).collect();
        if !missing.is_empty() && tape.bypassed {
            return Err(GradError::Bypassed);
        }
        let is_allowed = |parameter: &&Parameter| may_be_unused.contains(&parameter.path);
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
        mut watch: impl FnMut(&Use, &Tensor<2>),
    ) -> Result<Traced, GradError> {
        let mut backward = total.backward();
        let reached = self.subject.copied.reached(&backward);
        if !reached.is_empty() {
            let mut paths: Vec<String> = reached
                .keys()
                .filter_map(|&id| self.path(id).map(str::to_owned))
                .collect();
            paths.sort();
            return Err(GradError::Unseen { paths });
        }
        let parameters = self.subject.parameters.iter().cloned();
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
                    gradients[at].add(match self.subject.views {
                        Some(views) if seen.examples != n => views.fold(factor),
                        _ => factor,
                    });
                }
            }
        }
        let losses = self.losses.inner();
        let mut left_out: Vec<String> = self.subject.left_out.iter().cloned().collect();
        left_out.sort();
        Ok(Traced {
            gradients: ExampleGradients::new(&losses, gradients, left_out),
            losses,
        })
    }
}
