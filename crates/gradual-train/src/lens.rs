//! A frozen snapshot of the model whose gradients decide the groups.
//!
//! # The idea
//!
//! Groups that are found in the gradients of step s are lost as the model moves on: an example's gradient under the model
//! of step s + 1000 is another one. A snapshot θ_s keeps them. An example's gradient ∇ℓ_j(θ_s) never changes, so the same
//! example gets the same group for the whole run. The update still uses the true gradients at θ.
//!
//! # The steps
//!
//! 1. For the first steps all examples are one group, so that a step is one of the plain mean loss.
//! 2. After [`after`](Lens::after) steps the snapshot is taken. The grouping is shown its standing examples, with their
//!    gradients under the snapshot, and finds groups among them.
//! 3. In every step from then on the examples of the draw get their gradients under the snapshot, the grouping assigns
//!    them, and the step goes on as one with known labels: with a backward pass of the weighted losses, and no gradients
//!    of single examples under the model that is trained.
//! 4. A [search] chooses the step, the layer, the metric and the number of groups, if nobody knows them.
//! 5. With [`renewed_every`](Lens::renewed_every) a new snapshot takes the place of the old one now and then, and finds
//!    groups anew. They keep the identities of those that they have the most standing examples in common with.
//! 6. With a [proxy](crate::Trainer::with_proxy) the snapshot is one of another, smaller model, which learns before the run
//!    begins.
//!
//! # The cost
//!
//! A forward and a backward pass of the snapshot in each step, and twice as many gradients in all. The backward pass ends
//! at the lowest of the layers that the lens [looks at](Lens::looking_at). Evaluations count these gradients
//! ([`gradient_evaluations`](gradual_runs::Evaluation::gradient_evaluations)). The snapshot takes as much memory as the
//! weights, and is part of every checkpoint.
//!
//! Of finite data each example is grouped once: its group is written down, and from then on it costs nothing. That needs
//! a grouping that [lasts](gradual_group::Grouping::is_lasting), such as landmarks, and a task that says which
//! [items](crate::Drawn::with_items) it draws, as [`Epochs`](crate::Epochs) does for every finite one.
//!
//! # When to use it
//!
//! With groups that have to be found in gradients, where the gradients of fresh weights do not show the capabilities yet,
//! or those of later weights do not any more. Let [`Landmarks`](gradual_group::Landmarks) keep all of their landmarks
//! ([`with_kept`](gradual_group::Landmarks::with_kept)): under a snapshot they assign better than axes do. Where groups
//! show at the start and last, as in sparse parity, landmarks under the model itself do the same for less.

pub(crate) mod entries;
pub(crate) mod matched;
pub mod search;

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::Module;
use gradual_grad::Tracer;
use gradual_group::Grouping;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::objective::{Objective, Sight};
use matched::Matched;
use search::{LensSearch, Look};

/// A frozen snapshot of the model whose gradients decide the groups. See the [module](self).
///
/// For [`Trainer::with_lens`](crate::Trainer::with_lens), and [`Phase::with_lens`](crate::Phase::with_lens). In a loop of
/// your own keep `model.valid()`, [trace](gradual_grad::trace()) it on the standing examples and on each draw, show the
/// results to the grouping, and take a [`step`](crate::step()) with the groups as labels.
///
/// ```
/// use gradual_grad::Metric;
/// use gradual_group::Landmarks;
/// use gradual_loss::SumOfSquares;
/// use gradual_train::{Lens, Objective};
///
/// let look = ["blocks.1.attention.value.weight"];
/// let landmarks = Landmarks::new(8, Metric::whitened().with_layers(&look)?, 0);
/// let landmarks = landmarks.with_examples(800)?.with_kept(usize::MAX)?;
/// let objective = Objective::new(landmarks, SumOfSquares);
/// let lens = Lens::after(100).looking_at(&look);
/// // Trainer::new(&task, objective, …).with_lens(lens)
/// # drop((objective, lens));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Lens {
    pub(crate) when: When,
    pub(crate) every: Option<u64>,
    /// Globs of the parameters that are differentiated; all where there are none.
    pub(crate) layers: Vec<String>,
}

/// When the snapshot is taken, and of what look.
#[derive(Debug, Clone)]
pub(crate) enum When {
    /// After so many steps.
    After(u64),
    /// When a search finds one.
    Searched(Arc<LensSearch>),
}

impl Lens {
    /// A snapshot of the model after so many steps of the run, or of its phase; 0 for the weights that it begins with.
    pub fn after(steps: u64) -> Self {
        Self {
            when: When::After(steps),
            every: None,
            layers: Vec::new(),
        }
    }

    /// A snapshot at a step, of a layer, in a metric and with a number of groups that a [search] chooses without
    /// labels. The grouping of the objective is replaced by that of the chosen look; till then all examples are one group.
    pub fn searched(search: LensSearch) -> Self {
        Self {
            when: When::Searched(Arc::new(search)),
            every: None,
            layers: Vec::new(),
        }
    }

    /// Takes gradients of these parameters alone under the snapshot, given as globs: those that the metric of the grouping
    /// looks at. A search chooses them itself. The groups are the same, and the backward pass ends at the lowest of them.
    ///
    /// A run fails with [`GradError::Glob`](gradual_grad::GradError::Glob) for a glob that matches nothing.
    #[must_use]
    pub fn looking_at(self, globs: &[&str]) -> Self {
        Self {
            layers: globs.iter().map(|&glob| glob.to_owned()).collect(),
            ..self
        }
    }

    /// Takes a new snapshot every so many steps after the first.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] for none.
    pub fn renewed_every(self, steps: u64) -> Result<Self, TrainError> {
        match steps {
            0 => Err(TrainError::Setting {
                name: "steps until a lens is renewed",
                least: 1,
                got: 0,
            }),
            steps => Ok(Self {
                every: Some(steps),
                ..self
            }),
        }
    }
}

impl Lens {
    /// Refuses a search that can't be, as a run does at its start.
    ///
    /// # Errors
    ///
    /// [`TrainError::Search`] without layers, for more groups than a set has examples, and for a grouping that keeps no
    /// standing examples; [`GroupError`](gradual_group::GroupError) of the grouping.
    pub fn check(&self) -> Result<(), TrainError> {
        match &self.when {
            When::After(_) => Ok(()),
            When::Searched(search) => search.check(),
        }
    }

    /// Globs of the parameters that it looks at; all where there are none.
    pub(crate) fn globs(&self) -> &[String] {
        match &self.when {
            When::After(_) => &self.layers,
            When::Searched(search) => &search.layers,
        }
    }

    /// Whether a snapshot that was taken so many steps ago is to be renewed.
    pub(crate) fn is_old(&self, steps: u64) -> bool {
        self.every.is_some_and(|every| steps >= every)
    }
}

/// A lens, and the grouping that looks through it as it was before it saw any example.
pub(crate) struct Fitted {
    pub(crate) lens: Lens,
    pub(crate) fresh: Box<dyn Grouping>,
}

impl Fitted {
    /// The lens before the grouping of `objective`, which waits for it from now on.
    pub(crate) fn new(lens: Lens, objective: &mut Objective) -> Self {
        objective.sight = Sight::Waiting;
        Self {
            lens,
            fresh: objective.grouping.clone(),
        }
    }

    /// Refuses a lens that makes no difference, and a search that can't be.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        if !self.fresh.goes_with_lens() {
            return Err(TrainError::Lens);
        }
        self.lens.check()
    }

    /// The grouping under a look that a search has chosen, if one has, before it saw any example.
    pub(crate) fn grouping(&self, look: Option<&Look>) -> Result<Box<dyn Grouping>, TrainError> {
        match (&self.lens.when, look) {
            (When::Searched(search), Some(look)) => search.grouping(look),
            _ => Ok(self.fresh.clone()),
        }
    }

    /// Globs of the parameters that are differentiated under such a look.
    pub(crate) fn layers(&self, look: Option<&Look>) -> Vec<String> {
        look.map_or_else(|| self.lens.layers.clone(), |look| vec![look.layer.clone()])
    }
}

/// A snapshot of the model.
#[derive(Debug, Clone)]
pub(crate) struct Frozen<M> {
    pub(crate) model: M,
    /// Globs of the parameters that are differentiated; all where there are none.
    pub(crate) layers: Vec<String>,
}

impl<M: Module> Frozen<M> {
    /// The model without training behaviour, and without anything that it shares with the model that learns on.
    pub(crate) fn new(model: &M, layers: Vec<String>) -> Self {
        Self {
            model: model.valid(),
            layers,
        }
    }

    /// The options of its traces, beside those of the run.
    pub(crate) fn tracer(&self, tracer: &Tracer) -> Tracer {
        let layers: Vec<&str> = self.layers.iter().map(String::as_str).collect();
        tracer.clone().only(&layers)
    }
}

/// What moves of a lens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LensState {
    /// Steps that were done when the snapshot was taken.
    pub(crate) step: u64,
    /// The look that a search has chosen.
    pub(crate) look: Option<Look>,
    /// Whether examples are grouped by it already.
    pub(crate) open: bool,
    /// What its groups are to those of the snapshot before it, if there was one.
    pub(crate) matched: Option<Matched>,
    /// The groups of the items of finite data that were seen so far.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) items: BTreeMap<usize, Option<usize>>,
}
