#![doc = include_str!("../README.md")]

pub use gradual_grad as grad;
pub use gradual_group as group;
pub use gradual_loss as loss;
pub use gradual_measure as measure;
pub use gradual_ops as ops;
pub use gradual_runs as runs;
pub use gradual_train as train;

/// What a training loop usually needs.
pub mod prelude {
    pub use gradual_grad::{ExampleGradients, Metric, Tap, Traced, frozen_copy, trace, verify};
    pub use gradual_group::{
        Average, Draw, EachExample, Grouping, Groups, HowMany, InMetric, KMeans, Labels, Landmarks,
        NoisyLabels, OneGroup, Priors, RandomGroups, Similarity, SingularVectors, Spectral,
    };
    pub use gradual_loss::{
        Composition, Cvar, ExcessLoss, Focal, GramComposition, GroupDro, Mean, Mgda, PcGrad,
        PowerMean, Scale, Shifted, SumOfSquares, Tilted, UpGrad,
    };
    pub use gradual_train::{LabelSet, Objective, Stepper, stand, step};
}

/// The code of the repository's first page.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Repository;
