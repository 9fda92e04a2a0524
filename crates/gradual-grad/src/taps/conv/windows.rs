//! The windows that a convolution looks through, over any number of axes.

use burn::tensor::ops::PadMode;
use burn::tensor::{Int, Tensor, TensorData};

/// Where the windows over `S` spatial axes lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows<const S: usize> {
    pub(super) kernel: [usize; S],
    pub(super) stride: [usize; S],
    pub(super) dilation: [usize; S],
    /// Before and after, per axis.
    pub(super) padding: [(usize, usize); S],
}

impl<const S: usize> Windows<S> {
    /// What `count` windows per axis see of an input `[n, channels, …]` of rank `S + 2`, `[n, positions,
    /// channels · kernel]`, in the order of a convolution's weight: one pass over the output, from a table of
    /// where each entry comes from. The table is as large as the patches of one example.
    pub(super) fn patches<const D: usize>(&self, input: Tensor<D>, count: [usize; S]) -> Tensor<3> {
        let padded = match self.padding == [(0, 0); S] {
            true => input,
            false => input.pad(self.padding, PadMode::Constant(0.0)),
        };
        let dims = padded.dims();
        let (n, channels) = (dims[0], dims[1]);
        let mut size = [0; S];
        size.copy_from_slice(&dims[2..]);
        let starts = offsets(count, self.stride, size);
        let within = offsets(self.kernel, self.dilation, size);
        let volume = size.iter().product::<usize>();
        let columns = channels * within.len();
        let mut from = Vec::with_capacity(starts.len() * columns);
        for start in &starts {
            for channel in 0..channels {
                let base = start + channel * volume;
                from.extend(within.iter().map(|offset| (base + offset) as i32));
            }
        }
        let from = TensorData::new(from, [starts.len() * columns]);
        let from = Tensor::<1, Int>::from_data(from, &padded.device());
        padded
            .reshape([n, channels * volume])
            .select(1, from)
            .reshape([n, starts.len(), columns])
    }
}

/// Offsets in a flattened block of this `size` of all points of a grid with `count` points per axis, `step` apart.
fn offsets<const S: usize>(count: [usize; S], step: [usize; S], size: [usize; S]) -> Vec<usize> {
    (0..S).fold(vec![0], |before, axis| {
        let line = size[axis + 1..].iter().product::<usize>() * step[axis];
        let along = |start: usize| (0..count[axis]).map(move |point| start + point * line);
        before.into_iter().flat_map(along).collect()
    })
}

/// Padding before and after that makes the output ⌈size / stride⌉ long.
pub(crate) fn same(size: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let needed = size.div_ceil(stride).saturating_sub(1) * stride + kernel;
    let total = needed.saturating_sub(size);
    (total / 2, total - total / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// Of counted entries, each patch reads off where it comes from.
    #[test]
    fn patches_are_in_the_order_of_the_weight() {
        let windows = Windows {
            kernel: [2, 1, 2],
            stride: [1, 2, 1],
            dilation: [1, 1, 2],
            padding: [(0, 0), (0, 1), (1, 0)],
        };
        let input = Tensor::<1, Int>::arange(1..25, &Device::flex()).float();
        let patches = windows.patches(input.reshape([1, 2, 2, 2, 3]), [1, 2, 2]);
        assert_eq!(patches.dims(), [1, 4, 8]);
        let rows: Vec<f32> = patches.into_data().try_to_vec().expect("f32");
        let expected = [
            [0., 2., 0., 8., 0., 14., 0., 20.],
            [1., 3., 7., 9., 13., 15., 19., 21.],
            [0.; 8],
            [0.; 8],
        ];
        assert_eq!(rows, expected.concat());
    }
}
