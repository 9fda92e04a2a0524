//! Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon; Liu et al. 2025, arXiv 2502.16982): the momentum of a
//! matrix, made orthogonal.
//!
//! It is for matrices; biases, norms and kernels of convolutions get AdamW, as the authors do. They give it embeddings
//! and read-outs, too, which nothing tells from hidden weights here.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdjustLrFn, ModuleOptimizer, MuonConfig};
use gradual_registry::{Entry, Parameter};

use super::adamw::adamw;
use super::moments::{BETA_1, BETA_2, EPSILON};
use super::rank::ByRank;

pub(crate) static ENTRY: Entry<(), ModuleOptimizer> = Entry {
    name: "muon",
    about: "momentum of matrices made orthogonal by a Newton-Schulz iteration; AdamW for all other parameters",
    facts: &[],
    parameters: &[
        Parameter::number(
            "momentum",
            "share of the last update that a step adds",
            0.95,
        )
        .at_least(0.0)
        .below(1.0),
        Parameter::flag("nesterov", "whether momentum looks ahead", true)
            .only_unless("momentum", "0.0"),
        Parameter::count("iterations", "Newton-Schulz iterations", 5)
            .at_least(1.0)
            .at_most(100.0),
        Parameter::choice(
            "adjustment",
            "factor of the rate for a d × e matrix: 0.2 √max(d, e), which gives updates the size of AdamW's, or √max(1, d/e)",
            &["adamw", "original"],
        ),
        Parameter::number(
            "weight_decay",
            "share of the weights that a step takes away, times the learning rate",
            0.0,
        )
        .at_least(0.0)
        .at_most(1e6),
        BETA_1,
        BETA_2,
        EPSILON,
    ],
    build: |arguments, ()| {
        let decay = arguments.number("weight_decay")?;
        let momentum = MomentumConfig {
            momentum: arguments.number("momentum")?,
            dampening: 0.0,
            nesterov: arguments.flag("nesterov")?,
        };
        let adjustment = match arguments.word("adjustment")? {
            "original" => AdjustLrFn::Original,
            _ => AdjustLrFn::MatchRmsAdamW,
        };
        let matrices = MuonConfig::new()
            .with_momentum(momentum)
            .with_ns_steps(arguments.count("iterations")?)
            .with_adjust_lr_fn(adjustment)
            .with_weight_decay((decay > 0.0).then(|| WeightDecayConfig::new(decay as f32)))
            .build();
        let others = adamw(arguments, decay, false, false)?;
        Ok(ByRank { matrices, others }.into())
    },
};
