//! The losses of all examples of a draw, from those of each rank.

use burn::tensor::{Device, Tensor};

use super::error::RanksError;
use super::group::Ranks;
use super::message::Point;
use super::numbers::Numbers;
use crate::error::TrainError;
use crate::step::pass::{Pass, joined};

/// Bytes of the digest of a draw.
const DIGEST: usize = 8;

/// Losses of all examples of a draw, rank after rank.
pub(crate) struct AllLosses {
    losses: Numbers,
    /// Number of examples of the ranks before this one.
    pub(crate) before: usize,
}

impl AllLosses {
    /// In single precision.
    pub(crate) fn single(&self) -> Vec<f32> {
        self.losses.single()
    }

    /// Those at the positions `at`, on a device.
    pub(crate) fn tensor(&self, at: &[usize], device: &Device) -> Tensor<1> {
        self.losses.select(at).tensor([at.len()], device)
    }
}

impl Ranks {
    /// The losses of all ranks' examples, and a rank's own passes. `digest` is of what all know of the draw.
    ///
    /// # Errors
    ///
    /// [`RanksError::Differs`] where ranks do not know the same.
    pub(crate) fn losses(
        &self,
        digest: u64,
        own: Result<Vec<Pass>, TrainError>,
    ) -> Result<(AllLosses, Vec<Pass>), TrainError> {
        let own = own.and_then(|passes| {
            let losses = of_passes(&passes)?.bytes();
            Ok(([&digest.to_le_bytes(), losses.as_slice()].concat(), passes))
        });
        let (all, passes) = self.gather_with(Point::Losses, own)?;
        let read = all.iter().enumerate().map(|(rank, bytes)| {
            let unread = RanksError::Message {
                rank,
                at: Point::Losses.name(),
            };
            let read = bytes.split_first_chunk::<DIGEST>();
            let read = read.and_then(|(digest, losses)| Some((digest, Numbers::read(losses)?)));
            read.ok_or(unread)
        });
        let read = read.collect::<Result<Vec<_>, RanksError>>()?;
        let hex = |digest: &[u8; DIGEST]| format!("{:016x}", u64::from_le_bytes(*digest));
        if let Some((first, _)) = read.first()
            && let Some(rank) = read.iter().position(|(digest, _)| digest != first)
        {
            return Err(RanksError::Differs {
                rank,
                entry: "the digest of the labels and items of a draw".to_owned(),
                expected: hex(first),
                got: hex(read[rank].0),
            }
            .into());
        }
        let before = read[..self.rank()].iter();
        let before = before.map(|(_, losses)| losses.len()).sum();
        let losses = Numbers::joined(read.into_iter().map(|(_, losses)| losses).collect());
        Ok((AllLosses { losses, before }, passes))
    }
}

/// The losses of all examples of some passes, those that are no numbers too.
fn of_passes(passes: &[Pass]) -> Result<Numbers, TrainError> {
    Ok(match Numbers::of("loss", joined(passes)?)? {
        Numbers::Single(present) => Numbers::Single(woven(passes, &present, |loss| loss)),
        Numbers::Double(present) => Numbers::Double(woven(passes, &present, f64::from)),
    })
}

/// Losses of examples that have one, with what is in the place of the others.
fn woven<V: Copy>(passes: &[Pass], present: &[V], absent: fn(f32) -> V) -> Vec<V> {
    let mut rest = present.iter();
    let mut all = Vec::new();
    for pass in passes {
        let from = all.len();
        all.resize(from + pass.num_examples(), absent(f32::NAN));
        for &(at, loss) in pass.absent() {
            all[from + at] = absent(loss);
        }
        for (at, &loss) in pass.present().into_iter().zip(rest.by_ref()) {
            all[from + at] = loss;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_without_a_loss_keep_their_place() {
        let losses = |values: &[f32]| Tensor::<1>::from_floats(values, &Device::flex());
        let nan = f32::NAN;
        let whole = Pass::plain(losses(&[1.0, 2.0]));
        let first = Pass::plain(losses(&[nan, 3.0, nan, 4.0]));
        let first = first
            .without(vec![(0, nan), (2, nan)], &mut || None)
            .unwrap();
        let none = Pass::plain(losses(&[nan]));
        let none = none.without(vec![(0, nan)], &mut || None).unwrap();
        let all = of_passes(&[first, none, whole]).unwrap().single();
        let expected = [nan, 3.0, nan, 4.0, nan, 1.0, 2.0];
        let bits = |values: &[f32]| -> Vec<u32> { values.iter().map(|v| v.to_bits()).collect() };
        assert_eq!(bits(&all), bits(&expected));
    }
}
