//! Traces with options.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::pass::{Chosen, Subject, Wanted};
use super::traced::Traced;
use super::views::Views;
use crate::error::GradError;
use crate::parameters::copied::copied;
use crate::parameters::globs::matching;
use crate::parameters::{Parameter, parameters};

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
    /// Globs of the parameters that are traced; all where there are none.
    only: Vec<String>,
    may_be_unused: Vec<String>,
    views: Option<Views>,
}

impl Tracer {
    /// Leaves out parameters whose path matches a glob, such as `*.norm*` or `embedding.*`: they need
    /// no tap, have no gradients, and are not updated by `combine`. To leave parameters out of a
    /// similarity only, use [`ExampleGradients::select`](crate::ExampleGradients::select).
    #[must_use]
    pub fn without(mut self, pattern: &str) -> Self {
        self.left_out.push(pattern.to_owned());
        self
    }

    /// Leaves out all parameters but those whose path matches one of these globs; none leave out nothing. For who wants to
    /// look at some layers: the backward pass ends at the lowest of them.
    ///
    /// ```
    /// # use burn::nn::LinearConfig;
    /// # use burn::tensor::{Device, Tensor};
    /// # use gradual_grad::{Tap, Tracer};
    /// let device = Device::flex();
    /// let layer = LinearConfig::new(3, 1).init(&device);
    /// let x = Tensor::<2>::ones([4, 3], &device);
    /// let traced = Tracer::default()
    ///     .only(&["w*"])
    ///     .trace(&layer, |layer| layer.tap(x).reshape([4]))?;
    /// assert_eq!(traced.gradients.paths().collect::<Vec<_>>(), ["weight"]);
    /// # Ok::<(), gradual_grad::GradError>(())
    /// ```
    #[must_use]
    pub fn only(mut self, patterns: &[&str]) -> Self {
        self.only
            .extend(patterns.iter().map(|&pattern| pattern.to_owned()));
        self
    }

    /// Lets parameters whose path matches a glob, such as `experts.*`, be used by no layer in a draw: an expert that
    /// nothing was routed to, a layer that was dropped. Their gradients are then zero for every example, and
    /// [`combine`](crate::ExampleGradients::combine) has none for them, so that an optimizer leaves them as they are,
    /// as it does after Burn's own backward pass. A use that goes round the taps is still an error.
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
        passed.backward(&total, &mut |_, _| ())
    }

    /// What is to be traced of a model, and the copy of it that is run.
    pub(crate) fn subject<M: Module>(&self, model: &M) -> Result<Subject<M>, GradError> {
        let chosen = self.chosen(parameters(model)?)?;
        let (model, copied) = copied(model, &chosen.ids());
        Ok(Subject {
            model,
            wanted: Wanted {
                chosen,
                copied,
                views: self.views,
            },
        })
    }

    fn chosen(&self, known: Vec<Parameter>) -> Result<Chosen, GradError> {
        let left_out = self.left_out(&known)?;
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
            return untrained(
                "`Tracer::without` or `Tracer::only` leaves out every trainable parameter",
            );
        }
        Ok(Chosen {
            paths: known.into_iter().map(|each| (each.id, each.path)).collect(),
            parameters,
            left_out,
            may_be_unused,
        })
    }

    /// Paths of the parameters that are left out.
    fn left_out(&self, known: &[Parameter]) -> Result<HashSet<String>, GradError> {
        let mut left_out = matching(&self.left_out, known)?;
        if !self.only.is_empty() {
            let only = matching(&self.only, known)?;
            let others = known.iter().filter(|each| !only.contains(&each.path));
            left_out.extend(others.map(|each| each.path.clone()));
        }
        Ok(left_out)
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
        if self.left_out.is_empty() && self.only.is_empty() {
            return Ok(update);
        }
        let known = parameters(model)?;
        let left_out = self.left_out(&known)?;
        let left_out = known.iter().filter(|each| left_out.contains(&each.path));
        let mut remove = Remove {
            ids: left_out.map(|each| each.id).collect(),
            update,
        };
        model.visit(&mut remove);
        Ok(remove.update)
    }
}
