//! Whether what arrives at an example comes from its own loss alone.

use std::collections::HashMap;

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::read::host;
use super::rounding::Rounding;
use crate::error::GradError;
use crate::trace::pass::ForwardPass;

/// Share of the largest entry that may arrive at an example that is left out, for rounding of fused kernels.
const COUPLED: f64 = 1e-5;

/// Where all passes give the same losses, one example in so many is left out.
const LEFT_OUT: usize = 8;

/// Weights of an example in the two passes that are compared. No two of these pairs have one ratio, so that examples with
/// different ones are told apart. By a power of two, numbers are scaled without rounding, in whatever precision
/// activations are.
const WEIGHTS: [(f32, f32); 7] = [
    (2.0, 0.25),
    (0.25, 2.0),
    (1.0, 0.25),
    (0.5, 2.0),
    (1.0, 0.5),
    (0.5, 1.0),
    (1.0, 1.0),
];

/// Weights for the examples of a draw, each `[n]`.
pub(super) struct Parts {
    /// None for a draw of one example.
    pub(super) part: Option<Part>,
    /// Of the pass whose update is compared with Burn's own.
    pub(super) weights: Tensor<1>,
}

/// Weights of a pass that leaves some examples out: those have zeros.
pub(super) struct Part {
    half: Tensor<1>,
    most: Tensor<1>,
}

impl Part {
    /// Where passes `repeat`, most of the draw: two examples that depend on each other are told apart by their weights
    /// then, if these have different ratios. Elsewhere a half, which most pairs are not in together.
    pub(super) fn of(&self, repeat: bool) -> &Tensor<1> {
        match repeat {
            true => &self.most,
            false => &self.half,
        }
    }
}

impl Parts {
    pub(super) fn of(losses: &Tensor<1>) -> Self {
        let [n] = losses.dims();
        let device = losses.device().inner();
        let on = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, [n]), &device);
        // The same each time, so that a run that goes on checks what it checked before.
        let mut random = ChaCha8Rng::seed_from_u64(n as u64);
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut random);
        let (mut weights, mut most) = (vec![1.0; n], vec![1.0; n]);
        for (&j, (first, second)) in order.iter().zip(WEIGHTS.into_iter().cycle()) {
            (weights[j], most[j]) = (first, second);
        }
        // In another order, so that no ratio is left out more than others.
        order.shuffle(&mut random);
        let without = |left_out: usize, mut part: Vec<f32>| {
            for &j in &order[..left_out] {
                part[j] = 0.0;
            }
            on(part)
        };
        Self {
            part: (n > 1).then(|| Part {
                half: without(n / 2, vec![1.0; n]),
                most: without(n.div_ceil(LEFT_OUT), most),
            }),
            weights: on(weights),
        }
    }
}

/// What arrived at the output of one use of a layer.
struct Arrived {
    path: String,
    layer: &'static str,
    /// Largest entry at an example outside of the part, largest difference from before at one inside, and largest entry
    /// at all: `[3]`.
    largest: Tensor<1>,
}

/// Checks, for a backward pass from the losses weighted by `part`, that nothing arrives at the examples outside of it, and
/// at those inside what arrived `before` under other weights.
pub(super) fn separate(
    passed: ForwardPass<'_>,
    part: &Tensor<1>,
    before: Option<(&Tensor<1>, &[Tensor<2>])>,
    rounding: &Rounding,
    batch_norm: Option<&str>,
) -> Result<(), GradError> {
    let [n] = passed.losses.dims();
    let views = passed.wanted.views;
    let paths: HashMap<ParamId, String> = passed.paths();
    let total = (passed.losses.clone() * part.clone().cast(passed.losses.dtype())).sum();
    // The default precision of the device may be another one.
    let part = part.clone().cast(DType::F32);
    let inside = part.clone().sign();
    let outside = inside.clone().neg().add_scalar(1.0);
    let mut all: Vec<Arrived> = Vec::new();
    passed.backward(&total, &mut |seen, deltas| {
        let rows = seen.examples;
        let by_example = |deltas: Tensor<2>| {
            let size = deltas.shape().num_elements() / rows;
            let largest = deltas.abs().reshape([rows, size]).max_dim(1);
            let largest = largest.cast(DType::F32).reshape([rows]);
            match views {
                Some(views) if rows != n => views.largest(largest),
                _ => largest,
            }
        };
        let own = by_example(deltas.clone());
        let elsewhere = (own.clone() * outside.clone()).max();
        let otherwise = before.and_then(|(weights, arrived)| {
            let earlier = arrived.get(all.len())?;
            let [size, columns] = deltas.dims();
            let scale = part.clone() / weights.clone().cast(DType::F32);
            let scale = match views {
                Some(views) if rows != n => views.spread(scale),
                _ => scale,
            };
            let scale = scale.reshape([rows, 1]).expand([rows, size / rows]);
            let scale = scale.reshape([size, 1]).cast(deltas.dtype());
            (earlier.dims() == [size, columns]).then(|| {
                let difference = deltas.clone() - earlier.clone() * scale;
                (by_example(difference) * inside.clone()).max()
            })
        });
        let otherwise = otherwise.unwrap_or_else(|| elsewhere.clone().zeros_like());
        let path = seen.parameters.first().and_then(|id| paths.get(id));
        all.push(Arrived {
            path: path.cloned().unwrap_or_default(),
            layer: seen.layer,
            largest: Tensor::cat(vec![elsewhere, otherwise, own.max()], 0),
        });
    })?;
    if all.is_empty() {
        return Ok(());
    }
    let largest = Tensor::cat(all.iter().map(|each| each.largest.clone()).collect(), 0);
    let largest: Vec<f64> = host(largest)?;
    // What is nothing but rounding (before the root mean square of a single number) is as large as the others'
    // rounding.
    let overall = largest.chunks(3).map(|numbers| numbers[2]);
    let noise = rounding.allowed() * overall.fold(0.0, f64::max);
    // The last use that is coupled names the place: what mixes the examples comes after it.
    for (at, numbers) in largest.chunks(3).enumerate().rev() {
        let (elsewhere, otherwise, anywhere) = (numbers[0], numbers[1], numbers[2]);
        let same = rounding.allowed() * anywhere.max(noise) + rounding.underflow();
        if elsewhere > COUPLED * anywhere || otherwise > same {
            return Err(GradError::Coupled {
                path: all[at].path.clone(),
                layer: all[at].layer,
                share: elsewhere.max(otherwise) / anywhere,
                before: all.get(at + 1).map(|next| next.path.clone()),
                batch_norm: batch_norm.map(str::to_owned),
            });
        }
    }
    Ok(())
}

/// A batch norm of the model that takes its training form.
pub(super) fn batch_norm<M: Module>(model: &M) -> Option<String> {
    struct Find {
        path: Vec<(String, bool)>,
        found: Option<String>,
    }
    impl ModuleVisitor for Find {
        fn visit_flag(&mut self, flag: &Param<Flag>) {
            let inside = self.path.len().checked_sub(2).map(|at| &self.path[at]);
            if flag.is_enabled() && inside.is_some_and(|(_, batch_norm)| *batch_norm) {
                let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
                self.found.get_or_insert(names[..names.len() - 1].join("."));
            }
        }

        fn enter_module(&mut self, name: &str, container: &str) {
            // The type is that of the container of `name`.
            if let Some(last) = self.path.last_mut() {
                last.1 = container == "Struct:BatchNorm";
            }
            self.path.push((name.to_owned(), false));
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
    }
    let mut find = Find {
        path: Vec::new(),
        found: None,
    };
    model.visit(&mut find);
    find.found
}
