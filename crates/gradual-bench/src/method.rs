//! The steps that are timed.

use std::hint::black_box;

use anyhow::Context as _;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use gradual::prelude::*;
use gradual::train::{Gathering, Ranks, ThreadRank};
use serde::{Deserialize, Serialize};

use crate::model::Model;

/// Groups of `grouped` and `k-means`, as far as there are examples.
const GROUPS: usize = 8;

/// Dimensions of the sketch that is timed.
const SKETCH: usize = 256;

/// Standing examples of the step that is computed twice.
const LANDMARKS: usize = 64;

/// Examples of a part of a draw that is computed twice.
const PART: usize = 32;

/// One way to make a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    /// Burn's own: forward, mean loss, backward, Adam. The yardstick.
    Ordinary,
    /// One trace, combined gradient, Adam: no Gram matrix.
    Trace,
    /// One trace, exact Gram matrix, combined gradient, Adam.
    Exact,
    /// One trace, the Gram matrix of a sketch, combined gradient, Adam.
    Sketch,
    /// The whole grouped step over known groups.
    Grouped,
    /// The whole step over k-means clusters of gradients.
    #[serde(rename = "k-means")]
    KMeans,
    /// The same from a sketch.
    #[serde(rename = "k-means-sketch")]
    KMeansSketch,
    /// The whole step under the SVD loss as published.
    Svd,
    /// The same from a sketch.
    SvdSketch,
    /// The whole step over landmarks that compares sketches, of which parts of the draw are traced one at a time, and computed again for
    /// the update.
    Recomputed,
}

impl Method {
    /// Those that are timed.
    pub(crate) const ALL: [Self; 9] = [
        Self::Ordinary,
        Self::Trace,
        Self::Exact,
        Self::Sketch,
        Self::Grouped,
        Self::KMeans,
        Self::KMeansSketch,
        Self::Svd,
        Self::SvdSketch,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Trace => "trace",
            Self::Exact => "exact",
            Self::Sketch => "sketch",
            Self::Grouped => "grouped",
            Self::KMeans => "k-means",
            Self::KMeansSketch => "k-means-sketch",
            Self::Svd => "svd",
            Self::SvdSketch => "svd-sketch",
            Self::Recomputed => "recomputed",
        }
    }

    /// The update of one step.
    pub(crate) fn update<M: Model>(
        self,
        model: &M,
        draw: &M::Draw,
        n: usize,
    ) -> anyhow::Result<GradientsParams> {
        if self == Self::Ordinary {
            let loss = model.losses(draw).mean();
            return Ok(GradientsParams::from_grads(loss.backward(), model));
        }
        let grouped = |mut objective: Objective, labels: Option<&[Option<usize>]>| {
            let stepped = step(model, &mut objective, labels, |m| m.losses(draw))?;
            anyhow::Ok(stepped.update)
        };
        let groups = GROUPS.min(n);
        match self {
            Self::Grouped => {
                let labels: Vec<Option<usize>> = (0..n).map(|j| Some(j % groups)).collect();
                let objective = Objective::new(Labels::new(groups), SumOfSquares);
                return grouped(objective, Some(&labels));
            }
            Self::KMeans => {
                return grouped(Objective::new(KMeans::new(groups, 0), SumOfSquares), None);
            }
            Self::KMeansSketch => {
                let grouping = KMeans::new(groups, 0).with_sketch(SKETCH, 0)?;
                return grouped(Objective::new(grouping, SumOfSquares), None);
            }
            Self::Svd => {
                return grouped(
                    Objective::new(SingularVectors::default(), SumOfSquares),
                    None,
                );
            }
            Self::SvdSketch => {
                let grouping = SingularVectors::default().with_sketch(SKETCH, 0)?;
                return grouped(Objective::new(grouping, SumOfSquares), None);
            }
            Self::Recomputed => return recomputed(model, draw, n),
            _ => {}
        }
        let traced = trace(model, |m| m.losses(draw))?;
        match self {
            Self::Exact => drop(black_box(traced.gradients.gram().into_data())),
            Self::Sketch => {
                drop(black_box(
                    traced.gradients.sketch_gram(SKETCH, 0).into_data(),
                ));
            }
            _ => {}
        }
        let coefficients = Tensor::<1>::full([n], 1.0 / n as f64, &traced.losses.device());
        Ok(traced.gradients.combine(&coefficients)?)
    }
}

/// A step over landmarks that holds the gradients of one part of the draw at a time.
fn recomputed<M: Model>(model: &M, draw: &M::Draw, n: usize) -> anyhow::Result<GradientsParams> {
    let parts = (0..n).step_by(PART);
    let parts: Vec<M::Draw> = parts
        .map(|first| M::part(draw, first..n.min(first + PART)))
        .collect();
    let gathering = Gathering::Sketch {
        dim: SKETCH,
        seed: 0,
    };
    let alone = ThreadRank::several(1);
    let alone = alone.into_iter().next().context("one thread is one rank")?;
    let ranks = Ranks::new(alone).with_gathering(gathering).recomputing();
    let standing = n.min(LANDMARKS);
    let landmarks = Landmarks::new(GROUPS.min(n), Metric::default(), 0).with_examples(standing)?;
    let mut objective = Objective::new(landmarks, SumOfSquares);
    let (stepper, labels) = (Stepper::default(), LabelSet::default());
    let first = M::part(draw, 0..standing);
    ranks.stand(stepper, model, &mut objective, |m| m.losses(&first))?;
    let stepped = ranks.step(stepper, model, &mut objective, labels, &parts, |m, part| {
        m.losses(part)
    })?;
    Ok(stepped.update)
}
