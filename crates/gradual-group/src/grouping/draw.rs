//! What is known of the examples of one step.

use burn::tensor::{DType, Device, Tensor, TensorCreationOptions};
use gradual_grad::{ExampleGradients, Traced};

use crate::error::GroupError;
use crate::grouping::groups::averaging;

/// What is known of the examples of one step.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    losses: &'a Tensor<1>,
    seen_losses: Option<&'a Tensor<1>>,
    shown: Option<Shown<'a>>,
    labels: Option<&'a [Option<usize>]>,
    more_labels: &'a [Vec<Option<usize>>],
}

/// What a draw tells of its gradients.
#[derive(Debug, Clone, Copy)]
enum Shown<'a> {
    Gradients(&'a ExampleGradients),
    /// Their inner products alone.
    Gram(&'a Tensor<2>),
}

impl<'a> Draw<'a> {
    /// A draw of which only the losses `[n]` are known.
    pub fn new(losses: &'a Tensor<1>) -> Self {
        Self {
            losses,
            seen_losses: None,
            shown: None,
            labels: None,
            more_labels: &[],
        }
    }

    /// The same draw with the gradients of its examples.
    #[must_use]
    pub fn with_gradients(self, gradients: &'a ExampleGradients) -> Self {
        Self {
            shown: Some(Shown::Gradients(gradients)),
            ..self
        }
    }

    /// The same draw with the inner products of the gradients of its examples alone, K = G Gᵀ `[n, n]`: for gradients that
    /// another program computed. It is taken to be symmetric.
    ///
    /// Groupings that look at inner products alone find the same groups as in the gradients themselves. A grouping that
    /// needs more (sketches, sums of gradients, a metric, the products with an earlier draw) refuses the draw with
    /// [`GroupError::InnerProductsAlone`]; gradients that are given as a matrix are shown to it by
    /// [`ExampleGradients::from_rows`].
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use gradual_group::{Draw, Grouping, Spectral};
    ///
    /// let device = Device::flex();
    /// let losses = Tensor::from_floats([0.3, 0.1, 0.2, 0.4], &device);
    /// let gram = Tensor::from_floats(
    ///     [[2.0, 0.0, 1.9, 0.0], [0.0, 1.0, 0.0, 0.9], [1.9, 0.0, 2.0, 0.0], [0.0, 0.9, 0.0, 1.0]],
    ///     &device,
    /// );
    /// let groups = Spectral::new(2, 0).group(&Draw::new(&losses).with_gram(&gram))?;
    /// let assignment = groups.assignment().expect("hard groups");
    /// assert_eq!(assignment[0], assignment[2]);
    /// assert_ne!(assignment[0], assignment[1]);
    /// # Ok::<(), gradual_group::GroupError>(())
    /// ```
    #[must_use]
    pub fn with_gram(self, gram: &'a Tensor<2>) -> Self {
        Self {
            shown: Some(Shown::Gram(gram)),
            ..self
        }
    }

    /// The same draw, whose examples have these losses `[n]` under the model that they are seen by: a
    /// [lens](https://docs.rs/gradual-train/latest/gradual_train/lens/).
    #[must_use]
    pub fn with_seen_losses(self, losses: &'a Tensor<1>) -> Self {
        Self {
            seen_losses: Some(losses),
            ..self
        }
    }

    /// The same draw with the label of each example; an example may carry none.
    #[must_use]
    pub fn with_labels(self, labels: &'a [Option<usize>]) -> Self {
        Self {
            labels: Some(labels),
            ..self
        }
    }

    /// The same draw with the labels of further groupings of its examples: for example by length,
    /// where those of [`with_labels`](Self::with_labels) are by skill. See
    /// [`Labels::and`](crate::Labels::and).
    #[must_use]
    pub fn with_more_labels(self, labels: &'a [Vec<Option<usize>>]) -> Self {
        Self {
            more_labels: labels,
            ..self
        }
    }

    /// Number of examples n.
    pub fn num_examples(&self) -> usize {
        self.losses.dims()[0]
    }

    /// Losses, `[n]`.
    pub fn losses(&self) -> &'a Tensor<1> {
        self.losses
    }

    /// Losses under the model that the examples are seen by, `[n]`: those under a lens, if there is one, and
    /// [`losses`](Self::losses) if not.
    pub fn seen_losses(&self) -> &'a Tensor<1> {
        self.seen_losses.unwrap_or(self.losses)
    }

    /// The device that the losses are on, without autodiff.
    pub fn device(&self) -> Device {
        self.losses.device().inner()
    }

    /// The precision in which losses are averaged: double if they are in double precision, single otherwise.
    pub fn precision(&self) -> DType {
        averaging(self.losses.dtype())
    }

    /// Where groups of this draw are held, and in which [precision](Self::precision): for [`Groups::hard`](crate::Groups::hard) and its
    /// like.
    pub fn options(&self) -> TensorCreationOptions {
        TensorCreationOptions::new(self.device()).with_dtype(self.precision())
    }

    /// The gradients of its examples, for the grouping called `operation`. A grouping that looks at inner products alone
    /// asks for [`gram`](Self::gram) instead.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`]; [`GroupError::NoGradients`] for a draw without gradients: one of a step that took
    /// none, as [`Grouping::needs`](crate::Grouping::needs) did not ask for them; [`GroupError::InnerProductsAlone`] for a
    /// draw [with a Gram matrix](Self::with_gram).
    pub fn gradients(&self, operation: &'static str) -> Result<&'a ExampleGradients, GroupError> {
        match self.shown(operation)? {
            Shown::Gradients(gradients) => Ok(gradients),
            Shown::Gram(_) => Err(GroupError::InnerProductsAlone { operation }),
        }
    }

    /// The Gram matrix K `[n, n]` of the gradients of its examples, for the grouping called `operation`.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`], [`GroupError::NoGradients`] for a draw that tells nothing of its gradients, and
    /// [`GroupError::Gram`] for a matrix that is not `[n, n]`.
    pub fn gram(&self, operation: &'static str) -> Result<Tensor<2>, GroupError> {
        match self.shown(operation)? {
            Shown::Gradients(gradients) => Ok(gradients.gram()),
            Shown::Gram(gram) => Ok(gram.clone()),
        }
    }

    /// The most directions that the gradients span, for the grouping called `operation`: min(n, p), and n where only
    /// their inner products are known, which do not tell p.
    ///
    /// # Errors
    ///
    /// Those of [`gram`](Self::gram).
    pub fn most_directions(&self, operation: &'static str) -> Result<usize, GroupError> {
        let n = self.num_examples();
        Ok(match self.shown(operation)? {
            Shown::Gradients(gradients) => n.min(gradients.num_parameters()),
            Shown::Gram(_) => n,
        })
    }

    fn shown(&self, operation: &'static str) -> Result<Shown<'a>, GroupError> {
        let n = self.nonempty(operation)?;
        match self.shown.ok_or(GroupError::NoGradients { operation })? {
            Shown::Gram(gram) if gram.dims() != [n, n] => Err(GroupError::Gram {
                operation,
                examples: n,
                got: gram.dims(),
            }),
            shown => Ok(shown),
        }
    }

    /// The label of each example, `[n]`, for the grouping called `operation`; none for an example that carries none.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`], [`GroupError::NoLabels`] for a draw without labels, and [`GroupError::LabelCount`]
    /// unless there is one for each example.
    pub fn labels(&self, operation: &'static str) -> Result<&'a [Option<usize>], GroupError> {
        let examples = self.nonempty(operation)?;
        let labels = self.labels.ok_or(GroupError::NoLabels { operation })?;
        one_each(operation, examples, labels)
    }

    /// The labels of each of `wanted` labellings of its examples, `[wanted][n]`, for the grouping called `operation`:
    /// first those of [`with_labels`](Self::with_labels), then those of [`with_more_labels`](Self::with_more_labels).
    ///
    /// # Errors
    ///
    /// Those of [`labels`](Self::labels), and [`GroupError::Labellings`] for a draw with more or fewer labellings.
    pub fn all_labels(
        &self,
        operation: &'static str,
        wanted: usize,
    ) -> Result<Vec<&'a [Option<usize>]>, GroupError> {
        let first = self.labels(operation)?;
        if wanted != 1 + self.more_labels.len() {
            return Err(GroupError::Labellings {
                operation,
                expected: wanted,
                got: 1 + self.more_labels.len(),
            });
        }
        let more = self.more_labels.iter();
        let more = more.map(|labels| one_each(operation, self.num_examples(), labels));
        std::iter::once(Ok(first)).chain(more).collect()
    }

    /// Number of examples n of a draw that holds some, for the grouping called `operation`.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`] without examples.
    pub fn nonempty(&self, operation: &'static str) -> Result<usize, GroupError> {
        match self.num_examples() {
            0 => Err(GroupError::EmptyDraw { operation }),
            n => Ok(n),
        }
    }
}

fn one_each<'a>(
    operation: &'static str,
    examples: usize,
    labels: &'a [Option<usize>],
) -> Result<&'a [Option<usize>], GroupError> {
    match labels.len() {
        got if got == examples => Ok(labels),
        labels => Err(GroupError::LabelCount {
            operation,
            examples,
            labels,
        }),
    }
}

impl<'a> From<&'a Traced> for Draw<'a> {
    fn from(traced: &'a Traced) -> Self {
        Draw::new(&traced.losses).with_gradients(&traced.gradients)
    }
}
