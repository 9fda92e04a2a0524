//! A group of random labels under the grouped loss: its share of the coefficients falls.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Tensor, TensorData, activation::softplus};
use gradual_group::{Damped, Draw, Grouping, Labels};
use gradual_loss::{Composition, Scale, SumOfSquares};

const DIM: usize = 8;
const GROUPS: usize = 4;
const EACH: usize = 16;

#[derive(Module, Debug)]
struct Model {
    layer: Linear,
}

impl Model {
    /// Logistic losses at labels ±1.
    fn losses(&self, x: &Tensor<2>, y: &Tensor<1>) -> Tensor<1> {
        let [n, _] = x.dims();
        let margins = self.layer.forward(x.clone()).reshape([n]) * y.clone();
        softplus(margins.neg(), 1.0)
    }
}

/// Shares of the coefficients that each group gets, after each of `steps` steps. In the last group
/// labels are drawn at random in every draw; in the others the sign of one coordinate each.
fn shares(grouping: &mut dyn Grouping, steps: usize) -> Vec<Vec<f32>> {
    let device = Device::flex().autodiff();
    device.seed(7);
    let mut model = Model {
        layer: LinearConfig::new(DIM, 1).init(&device),
    };
    let mut optimizer = SgdConfig::new().init();
    let n = GROUPS * EACH;
    let labels: Vec<Option<usize>> = (0..n).map(|j| Some(j % GROUPS)).collect();
    let mut all = Vec::new();
    for _ in 0..steps {
        let x = Tensor::<2>::random([n, DIM], Distribution::Uniform(-1.0, 1.0), &device);
        let mut rows: Vec<f32> = x.into_data().try_to_vec().expect("f32");
        let mut signs = Vec::new();
        for (row, label) in rows.chunks_mut(DIM).zip(labels.iter().flatten()) {
            // Every group has a coordinate of its own.
            let own = row[*label];
            let random = row[DIM - 1];
            row[..GROUPS].fill(0.0);
            row[*label] = own;
            row[DIM - 1] = 0.0;
            let by = if *label + 1 == GROUPS { random } else { own };
            signs.push(1f32.copysign(by));
        }
        let x = Tensor::<2>::from_data(TensorData::new(rows, [n, DIM]), &device);
        let y = Tensor::<1>::from_floats(signs.as_slice(), &device);
        let losses = model.losses(&x, &y);
        let plain = losses.clone().inner();
        let draw = Draw::new(&plain).with_labels(&labels);
        let groups = grouping.group(&draw).expect("groups");
        let composed = SumOfSquares.compose(&plain, &groups).expect("composed");
        let coefficients = Scale::UnitSum.apply(composed.coefficients).unwrap();
        let values: Vec<f32> = coefficients.clone().into_data().try_to_vec().expect("f32");
        let mut shares = vec![0.0; GROUPS];
        for (value, label) in values.iter().zip(labels.iter().flatten()) {
            shares[*label] += value;
        }
        all.push(shares);
        let gradients = (losses * coefficients).sum().backward();
        let update = GradientsParams::from_grads(gradients, &model);
        model = optimizer.step(1.0, model, update);
    }
    all
}

#[test]
fn random_labels_lose_their_share() {
    let steps = 900;
    let plain = shares(&mut Labels::new(GROUPS), steps);
    let damped = Damped::new(Labels::new(GROUPS))
        .with_memory(0.95)
        .expect("a memory")
        .with_patience(100)
        .unwrap();
    let mut damped = damped.with_least_move(0.1).expect("a move");
    let found = shares(&mut damped, steps);
    let noise = |shares: &[Vec<f32>]| -> f32 {
        let last = &shares[steps - 50..];
        last.iter().map(|shares| shares[GROUPS - 1]).sum::<f32>() / 50.0
    };
    // Undamped, what can't be learned ends up with nearly all of the weight.
    assert!(noise(&plain) > 0.6, "{}", noise(&plain));
    assert!(noise(&found) < 0.5 * noise(&plain), "{}", noise(&found));
    let factors = damped.factors();
    assert_eq!(factors[..GROUPS - 1], [1.0; GROUPS - 1], "{factors:?}");
    assert!(factors[GROUPS - 1] <= 0.1, "{factors:?}");
    // At first nobody is touched.
    assert_eq!(found[..100], plain[..100]);
}
