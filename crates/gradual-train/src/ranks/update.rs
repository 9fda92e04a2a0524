//! The sum of the updates of all ranks.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};

use super::error::RanksError;
use super::group::Ranks;
use super::message::Point;
use super::numbers::Numbers;
use crate::error::TrainError;

/// An update over all ranks, and the number of numbers in it.
pub(crate) struct Reduced {
    pub(crate) update: GradientsParams,
    pub(crate) size: usize,
}

impl Ranks {
    /// The sum of all ranks' updates, of which one may lack parameters that no gradient of its own has reached, and what
    /// goes with a rank's own here.
    pub(crate) fn reduced<M: Module, V>(
        &self,
        model: &M,
        own: Result<(GradientsParams, V), TrainError>,
    ) -> Result<(Reduced, V), TrainError> {
        let own = own.map(|own| (bits(&present(model, &own.0)), own));
        let (all, (own, value)) = self.gather_with(Point::Update, own)?;
        let used = union(&all)?;
        let mut flat = Flat {
            update: &own,
            used: Walk::new(&used),
            numbers: Vec::new(),
            wide: DType::F32,
        };
        model.visit(&mut flat);
        let Flat { numbers, wide, .. } = flat;
        if numbers.is_empty() {
            let nothing = Reduced {
                update: GradientsParams::new(),
                size: 0,
            };
            return Ok((nothing, value));
        }
        let numbers = numbers.into_iter().map(|each| each.cast(wide)).collect();
        let numbers = Tensor::cat(numbers, 0);
        let device = numbers.device();
        let mut sums = Numbers::of("update", numbers)?;
        self.reduce(&mut sums)?;
        let size = sums.len();
        let mut shaped = Shaped {
            used: Walk::new(&used),
            sums: sums.tensor([size], &device),
            from: 0,
            update: GradientsParams::new(),
        };
        model.visit(&mut shaped);
        let reduced = Reduced {
            update: shaped.update,
            size,
        };
        Ok((reduced, value))
    }
}

/// Whether each of the parameters has a gradient, in the order of the model.
fn present<M: Module>(model: &M, update: &GradientsParams) -> Vec<bool> {
    struct Present<'a>(&'a GradientsParams, Vec<bool>);
    impl ModuleVisitor for Present<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.push(self.0.get::<D>(param.id).is_some());
        }
    }
    let mut present = Present(update, Vec::new());
    model.visit(&mut present);
    present.1
}

/// Eight to a byte, the first in the lowest bit.
fn bits(present: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| {
        let bits = eight.iter().enumerate();
        bits.fold(0, |byte, (at, &bit)| byte | u8::from(bit) << at)
    };
    present.chunks(8).map(byte).collect()
}

/// The bits that any of the ranks has.
fn union(all: &[Vec<u8>]) -> Result<Vec<u8>, RanksError> {
    let mut used = all.first().cloned().unwrap_or_default();
    for (rank, each) in all.iter().enumerate() {
        if each.len() != used.len() {
            return Err(RanksError::Message {
                rank,
                at: Point::Update.name(),
            });
        }
        for (used, bits) in used.iter_mut().zip(each) {
            *used |= bits;
        }
    }
    Ok(used)
}

/// The parameters that are used, each once: one that is in several places is visited in each.
struct Walk<'a> {
    used: &'a [u8],
    at: usize,
    seen: HashSet<ParamId>,
}

impl<'a> Walk<'a> {
    fn new(used: &'a [u8]) -> Self {
        Self {
            used,
            at: 0,
            seen: HashSet::new(),
        }
    }

    fn takes(&mut self, id: ParamId) -> bool {
        let byte = self.used.get(self.at / 8).copied().unwrap_or(0);
        let used = byte >> (self.at % 8) & 1 == 1;
        self.at += 1;
        used && self.seen.insert(id)
    }
}

/// Gradients as one list, zeros where there is none.
struct Flat<'a> {
    update: &'a GradientsParams,
    used: Walk<'a>,
    numbers: Vec<Tensor<1>>,
    /// The precision that they are summed in.
    wide: DType,
}

impl ModuleVisitor for Flat<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.used.takes(param.id) {
            return;
        }
        let value = param.val().inner();
        let gradient = self.update.get::<D>(param.id);
        let size = value.shape().num_elements();
        if value.dtype() == DType::F64 {
            self.wide = DType::F64;
        }
        let gradient = gradient.unwrap_or_else(|| value.zeros_like());
        self.numbers.push(gradient.inner().reshape([size]));
    }
}

/// The list as gradients again, each in the precision of its parameter.
struct Shaped<'a> {
    used: Walk<'a>,
    sums: Tensor<1>,
    from: usize,
    update: GradientsParams,
}

impl ModuleVisitor for Shaped<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.used.takes(param.id) {
            return;
        }
        let value = param.val().inner();
        let size = value.shape().num_elements();
        let sums = self.sums.clone().narrow(0, self.from, size);
        self.from += size;
        let gradient = sums.cast(value.dtype()).reshape(value.dims());
        self.update.register(param.id, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_rank_uses_is_used() {
        let one = [true, false, false, true, false, false, false, false, false];
        let other = [false, false, true, false, false, false, false, false, true];
        assert_eq!(bits(&one), [0b1001, 0]);
        let used = union(&[bits(&one), bits(&other)]).unwrap();
        assert_eq!(used, [0b1101, 1]);
        let mut walk = Walk::new(&used);
        let taken: Vec<u64> = (0..9).filter(|&id| walk.takes(ParamId::from(id))).collect();
        assert_eq!(taken, [0, 2, 3, 8]);
        assert!(union(&[vec![1], vec![1, 0]]).is_err());
    }

    #[test]
    fn a_parameter_in_several_places_is_summed_once() {
        let mut walk = Walk::new(&[0b111]);
        let taken = [5, 6, 5].map(|id| walk.takes(ParamId::from(id)));
        assert_eq!(taken, [true, true, false]);
    }
}
