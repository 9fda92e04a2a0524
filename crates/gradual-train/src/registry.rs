//! Samplers, lenses and optimizers by name.

use burn::optim::ModuleOptimizer;
use gradual_registry::Registry;

use crate::lens::Lens;
use crate::lens::entries;
pub use crate::lens::entries::LensContext;
use crate::optimizers::{adam, adamw, egalitarian, muon, sgd};
pub use crate::samplers::context::SamplerContext;
use crate::samplers::sampler::Sampler;
use crate::samplers::{curriculum, epochs, mixture, stratified, task_mixture};

/// All samplers.
///
/// ```
/// use gradual_train::registry::{SAMPLERS, SamplerContext};
///
/// let context = SamplerContext { frequencies: vec![0.9, 0.1], steps: 1_000 };
/// let sampler = SAMPLERS.build(&"curriculum(until = 0.25)".parse()?, context)?;
/// # drop(sampler);
/// # Ok::<(), gradual_registry::RegistryError>(())
/// ```
pub static SAMPLERS: Registry<SamplerContext, Box<dyn Sampler>> = Registry::new(
    "sampler",
    &[
        &task_mixture::ENTRY,
        &mixture::BALANCED,
        &mixture::REWEIGHTED,
        &stratified::ENTRY,
        &curriculum::ENTRY,
        &epochs::ENTRY,
    ],
);

/// All lenses.
pub static LENSES: Registry<LensContext, Lens> =
    Registry::new("lens", &[&entries::SNAPSHOT, &entries::SEARCH]);

/// All optimizers. The learning rate is not a parameter of theirs: a trainer has it.
pub static OPTIMIZERS: Registry<(), ModuleOptimizer> = Registry::new(
    "optimizer",
    &[
        &adam::ENTRY,
        &adamw::ENTRY,
        &sgd::ENTRY,
        &muon::ENTRY,
        &egalitarian::ENTRY,
    ],
);
