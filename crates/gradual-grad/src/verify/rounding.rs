//! What rounding explains.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor};

/// How far numbers may be apart that would be equal in exact arithmetic.
pub(super) struct Rounding {
    /// The distance from 1 to the next number, in the coarsest precision of losses, parameters and layers.
    epsilon: f64,
    /// Whether anything is in the precision that loses small numbers.
    narrow: bool,
}

/// The smallest positive number of half precision (`f16`), 2⁻²⁴.
const SMALLEST: f64 = 5.97e-8;

impl Rounding {
    pub(super) fn of<M: Module>(model: &M, losses: DType) -> Self {
        struct Coarsest(f64, bool);
        impl ModuleVisitor for Coarsest {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let dtype = param.base().dtype();
                self.0 = self.0.max(epsilon(dtype));
                self.1 |= dtype == DType::F16;
            }

            // Burn computes the root mean square of the one, and `flex` all of the other, in single precision.
            fn enter_module(&mut self, _name: &str, container: &str) {
                if matches!(container, "Struct:RmsNorm" | "Struct:DeformConv2d") {
                    self.0 = self.0.max(epsilon(DType::F32));
                }
            }
        }
        let mut coarsest = Coarsest(epsilon(losses), losses == DType::F16);
        model.visit(&mut coarsest);
        Self {
            epsilon: coarsest.0,
            narrow: coarsest.1,
        }
    }

    /// Of sums that were taken in another order, as a share of their largest entry.
    pub(super) fn allowed(&self) -> f64 {
        4.0 * self.epsilon.sqrt()
    }

    /// What may be left of gradients that cancel over the draw, as a share of the largest gradient of all. Each is rounded
    /// by itself, and they may be larger than any sum.
    pub(super) fn cancelled(&self) -> f64 {
        self.allowed().powi(2).max((128.0 * self.epsilon).min(1e-3))
    }

    /// Of numbers that are about as small as half precision has them, whatever their largest is. Scaled by up to
    /// eight between two weights, they are rounded to eight times as much.
    pub(super) fn underflow(&self) -> f64 {
        match self.narrow {
            true => 8.0 * SMALLEST,
            false => 0.0,
        }
    }

    /// Whether all passes gave the same losses, but for what a device may round otherwise each time.
    pub(super) fn repeats(&self, seen: &[Vec<f64>]) -> bool {
        let near = |(&a, &b): (&f64, &f64)| {
            (a - b).abs() <= 64.0 * self.epsilon * a.abs().max(b.abs()).max(f64::MIN_POSITIVE)
        };
        seen.windows(2)
            .all(|pair| pair[0].len() == pair[1].len() && pair[0].iter().zip(&pair[1]).all(near))
    }
}

/// The distance from 1 to the next number.
fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        DType::F16 => 9.77e-4,
        DType::BF16 => 7.81e-3,
        _ => f64::from(f32::EPSILON),
    }
}
