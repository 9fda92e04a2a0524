//! The grouped step, the trainer, and what it records.
//!
//! - [`step()`]: one draw in, one gradient update out, under any [`Objective`] (grouping, composition
//!   or rule on group gradients, and scale). Any training loop can call it.
//! - [`Trainer`]: draws, steps, and evaluates every capability of a [`Task`] on a fixed grid of
//!   steps.
//! - [`Observer`]: what happens with what the trainer sees: [`RunFolder`] writes it down,
//!   [`Progress`] shows it.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::{Linear, LinearConfig};
//! use burn::optim::SgdConfig;
//! use burn::tensor::{Device, Tensor};
//! use gradual_grad::Tap;
//! use gradual_group::SingularVectors;
//! use gradual_loss::SumOfSquares;
//! use gradual_train::{Objective, step};
//!
//! #[derive(Module, Debug)]
//! struct Model {
//!     layer: Linear,
//! }
//!
//! impl Model {
//!     fn losses(&self, x: Tensor<2>) -> Tensor<1> {
//!         let n = x.dims()[0];
//!         (self.layer.tap(x) - 1.0).powi_scalar(2).reshape([n])
//!     }
//! }
//!
//! let device = Device::flex().autodiff();
//! let mut model = Model { layer: LinearConfig::new(2, 1).init(&device) };
//! let mut optimizer = SgdConfig::new().init();
//! let mut objective = Objective::new(SingularVectors::squared(), SumOfSquares);
//! let x = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], &device);
//!
//! let before = model.losses(x.clone()).sum().into_scalar::<f32>();
//! for _ in 0..20 {
//!     let stepped = step(&model, &mut objective, None, |m| m.losses(x.clone()))?;
//!     model = optimizer.step(0.1, model, stepped.update);
//! }
//! assert!(model.losses(x).sum().into_scalar::<f32>() < before);
//! # Ok::<(), gradual_train::TrainError>(())
//! ```

mod checkpoint;
mod error;
mod folder;
mod grouped_step;
mod interrupt;
mod journal_names;
mod label_set;
mod objective;
mod observer;
mod observers;
mod optimizers;
pub mod registry;
mod samplers;
mod snapshot;
mod step;
mod task;
mod trainer;

pub use checkpoint::Keep;
pub use error::TrainError;
pub use folder::{FolderState, Resumed, RunFolder};
pub use grouped_step::GroupedStep;
pub use interrupt::Interrupt;
pub use label_set::LabelSet;
pub use objective::Objective;
pub use observer::{CONTINUE, End, Flow, Observer, SeenStep};
pub use observers::{Progress, Selected, StopAtTarget, StopOnDivergence, When};
pub use samplers::curriculum::Curriculum;
pub use samplers::epochs::Epochs;
pub use samplers::mixture::Mixture;
pub use samplers::sampler::{Sampler, TaskSize, Wanted};
pub use samplers::stratified::Stratified;
pub use samplers::task_mixture::TaskMixture;
pub use snapshot::Snapshot;
pub use step::stepped::Stepped;
pub use step::stepper::Stepper;
pub use step::{stand, step, step_in_parts};
pub use task::{Capability, Drawn, Score, Task};
pub use trainer::builder::{Trainer, Watch};
pub use trainer::config::{NotFinite, TrainerConfig};
pub use trainer::schedule::evaluation_steps;
pub use trainer::train::Ended;
