//! The mean of gradients that conflict with no group.

use gradual_registry::Entry;

use super::gram::{GramComposition, GroupGram, RuleContext};
use super::nonnegative::nonnegative;
use crate::error::LossError;

pub(crate) static ENTRY: Entry<RuleContext, Box<dyn GramComposition>> = Entry {
    name: "upgrad",
    about: "the mean of group gradients, each projected to where no group gets worse",
    facts: &[
        ("rule", "[`UpGrad`]"),
        (
            "direction",
            "mean of gradients, each projected to where none conflicts",
        ),
        ("use it", "no conflict, no leader"),
    ],
    parameters: &[],
    build: |_, _| Ok(Box::new(UpGrad)),
};

/// UPGrad: each group's gradient is projected to where no group suffers, and the projections are
/// averaged.
///
/// # The idea
///
/// Quinton & Rey 2024, "Jacobian descent for multi-objective optimization", arXiv 2406.16232. The dual
/// cone holds the directions x with x · γ_g ≥ 0 for all g, along which no group's loss rises. With π
/// the projection onto it, the direction is (1/k) Σ_i π(γ_i): it lies in the cone too, and an
/// increase of one γ_i scales only the part that comes from it. By their proposition 1
///
/// ```text
/// π(γ_i) = Σ_g v_g γ_g,   v = argmin vᵀΓv over v ≥ e_i        Γ = group Gram matrix
/// ```
///
/// # Steps
///
/// k programs with bounds alone, v = e_i + u and u ≥ 0, solved exactly by an active-set method. The
/// cone does not know how long the γ_g are, so all is done on unit gradients and scaled back. Rounding of the
/// Gram matrix is guarded by a ridge of 1e-6 (TorchJD: 1e-4). Because of it x · γ_g can fall short of
/// zero, in units of the norms by about 1e-6, and by 1e-3 where gradients are opposite to within an
/// angle of 1e-3.
///
/// # When
///
/// The safest of the three rules: no conflict is left, unlike [`PcGrad`](crate::PcGrad), and a small
/// gradient does not stop the others, unlike [`Mgda`](crate::Mgda). Without conflicts it is the mean
/// of group losses. About k³ operations without conflicts, k⁴ with many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpGrad;

impl GramComposition for UpGrad {
    fn weights(&mut self, gram: &GroupGram) -> Result<Vec<f64>, LossError> {
        let k = gram.count();
        let (norms, cosines) = (gram.norms(), gram.cosines());
        let mut sum = vec![0.0; k];
        for i in 0..k {
            sum[i] += 1.0;
            if norms[i] == 0.0 {
                continue;
            }
            // The slope of ½ vᵀCv at v = e_i is column i; z = u in units of unit gradients.
            let slope: Vec<f64> = cosines[i * k..(i + 1) * k].iter().map(|c| -c).collect();
            let scaled = nonnegative(&cosines, &slope);
            for ((sum, z), norm) in sum.iter_mut().zip(scaled).zip(&norms) {
                if z > 0.0 {
                    *sum += z * norms[i] / norm;
                }
            }
        }
        Ok(sum.iter().map(|sum| sum / k as f64).collect())
    }

    fn name(&self) -> &'static str {
        "UPGrad"
    }
}
