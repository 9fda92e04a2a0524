//! One forward and one backward pass that keep every example's gradient, in factors.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::GradError;
use crate::gradients::{ExampleGradients, ParameterGradients};
use crate::parameters::{Parameter, glob, parameters};
use crate::tape::{Tape, with_tape};

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
/// `losses` is given a copy of the model whose parameters are untracked, so the backward pass
/// computes output-gradients only. It must return one loss per example, `[n]`, and must not let
/// one example's loss depend on another example's input.
///
/// # Errors
///
/// [`GradError`] when a trainable parameter was not seen by a tap, when a tapped input does not
/// have one row per loss, when the draw is empty or when traces are nested.
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

    /// [`trace`](crate::trace()) with these options.
    ///
    /// # Errors
    ///
    /// Those of [`trace`](crate::trace()), and [`GradError::Glob`] for a malformed glob or one that
    /// matches no parameter.
    pub fn trace<M, F>(&self, model: &M, losses: F) -> Result<Traced, GradError>
    where
        M: Module,
        F: FnOnce(&M) -> Tensor<1>,
    {
        let known = parameters(model);
        let left_out = self.left_out(&known)?;
        let untracked = model.clone().no_grad();
        let (losses, tape) = with_tape(|| losses(&untracked))?;
        let wanted =
            |parameter: &&Parameter| parameter.trainable && !left_out.contains(&parameter.path);
        check(&known, wanted, &tape, &losses)?;

        let mut backward = losses.clone().sum().backward();
        let mut gradients: Vec<ParameterGradients> = known
            .iter()
            .filter(wanted)
            .cloned()
            .map(ParameterGradients::new)
            .collect();
        for seen in tape.uses {
            for id in &seen.parameters {
                let found = gradients.iter_mut().find(|each| each.parameter.id == *id);
                let Some(each) = found else { continue };
                each.uses.push(seen.layer.into());
                if let Some((weight, bias)) = seen.pair
                    && bias == *id
                {
                    each.weight = Some(weight);
                }
            }
            // No gradient arrives at a layer whose output is not used: it contributes nothing.
            let Some(deltas) = seen.leaf.grad_remove(&mut backward) else {
                continue;
            };
            for (id, factor) in (seen.resolve)(deltas) {
                if let Some(each) = gradients.iter_mut().find(|each| each.parameter.id == id) {
                    each.add(factor);
                }
            }
        }

        let losses = losses.inner();
        Ok(Traced {
            gradients: ExampleGradients::new(&losses, gradients, left_out),
            losses,
        })
    }

    /// Paths of the parameters that are left out.
    fn left_out(&self, known: &[Parameter]) -> Result<Vec<String>, GradError> {
        let mut paths = Vec::new();
        for pattern in &self.left_out {
            let matcher = glob(pattern)?;
            let before = paths.len();
            let matching = known.iter().map(|parameter| &parameter.path);
            paths.extend(matching.filter(|path| matcher.is_match(path)).cloned());
            if paths.len() == before {
                let known: Vec<&str> = known.iter().map(|each| each.path.as_str()).collect();
                let problem = format!("matches none of the parameters {}", known.join(", "));
                return Err(GradError::Glob {
                    pattern: pattern.clone(),
                    problem,
                });
            }
        }
        paths.sort();
        paths.dedup();
        Ok(paths)
    }
}

/// Finds what would make the backward pass panic, or its result wrong.
fn check(
    known: &[Parameter],
    wanted: impl Fn(&&Parameter) -> bool,
    tape: &Tape,
    losses: &Tensor<1>,
) -> Result<(), GradError> {
    let path = |id| {
        let parameter = known.iter().find(|parameter| parameter.id == id);
        parameter.map(|parameter| parameter.path.clone())
    };
    let [n] = losses.dims();
    if n == 0 {
        return Err(GradError::EmptyDraw);
    }
    if let Some(refusal) = tape.refusals.first() {
        return Err(GradError::Input {
            path: path(refusal.parameter).ok_or(GradError::Foreign)?,
            problem: refusal.problem.clone(),
        });
    }
    for seen in &tape.uses {
        let path = seen
            .parameters
            .first()
            .and_then(|id| path(*id))
            .ok_or(GradError::Foreign)?;
        if seen.examples != n {
            return Err(GradError::Examples {
                path,
                examples: seen.examples,
                losses: n,
            });
        }
    }
    let covered = |parameter: &Parameter| {
        tape.uses
            .iter()
            .any(|seen| seen.parameters.contains(&parameter.id))
    };
    let missing = known
        .iter()
        .filter(|parameter| wanted(parameter) && !covered(parameter));
    let paths: Vec<String> = missing.map(|parameter| parameter.path.clone()).collect();
    if !paths.is_empty() {
        return Err(GradError::Uncovered { paths });
    }
    if !losses.is_tracked() {
        return Err(GradError::Untracked);
    }
    Ok(())
}
