//! Every operation is Burn's own, value and gradient, on data of any shape.

use burn::tensor::activation::{self, log_softmax, softmax};
use burn::tensor::{Bool, Device, Distribution, Int, Tensor, TensorData, module};
use gradual_ops::{
    AttentionMasks, AttentionSoftmax, attend, attention_weights, gelu, gelu_approximate,
    layer_norm, linear, log_likelihoods, silu,
};
use proptest::prelude::*;

/// Random numbers whose gradient is asked for.
fn leaf<const D: usize>(dims: [usize; D], spread: f64) -> Tensor<D> {
    constant(dims, spread).require_grad()
}

fn constant<const D: usize>(dims: [usize; D], spread: f64) -> Tensor<D> {
    Tensor::random(
        dims,
        Distribution::Normal(0.5, spread),
        &Device::flex().autodiff(),
    )
}

fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data().try_to_vec::<f32>().unwrap()
}

/// Whether both are the same but for rounding, measured by the largest entry. Where a softmax is saturated its gradients are small
/// differences of numbers of the size of one, so that there is rounding of that size as well.
fn near(what: &str, ours: &[f32], theirs: &[f32]) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours.len(), theirs.len());
    let largest = theirs
        .iter()
        .fold(0.1f32, |largest, x| largest.max(x.abs()));
    for (ours, theirs) in ours.iter().zip(theirs) {
        prop_assert!(
            (ours - theirs).abs() <= 1e-4 * largest,
            "{}: {} for {}, of {}",
            what,
            ours,
            theirs,
            largest
        );
    }
    Ok(())
}

/// What gives the gradient of a leaf.
type Gradient<'a> = &'a dyn Fn(&burn::tensor::Gradients) -> Option<Vec<f32>>;

/// Compares the values of two tensors, and the gradients of a weighted sum of each with respect to `leaves`.
fn same<const D: usize>(
    ours: Tensor<D>,
    theirs: Tensor<D>,
    leaves: &[(&str, Gradient<'_>)],
) -> Result<(), TestCaseError> {
    near("value", &floats(&ours), &floats(&theirs))?;
    let weights = constant(ours.dims(), 1.0);
    let ours = (ours * weights.clone()).sum().backward();
    let theirs = (theirs * weights).sum().backward();
    for (name, gradient) in leaves {
        let (ours, theirs) = (gradient(&ours), gradient(&theirs));
        prop_assert!(ours.is_some(), "no gradient of {}", name);
        near(name, &ours.unwrap(), &theirs.unwrap())?;
    }
    Ok(())
}

macro_rules! gradient {
    ($tensor:expr) => {
        &|gradients: &burn::tensor::Gradients| $tensor.grad(gradients).map(|found| floats(&found))
    };
}

/// Burn's own way to weights.
fn plain_weights(
    query: &Tensor<3>,
    key: &Tensor<3>,
    heads: usize,
    masks: &AttentionMasks,
) -> Tensor<4> {
    let of_heads = |x: &Tensor<3>| {
        let [n, t, width] = x.dims();
        x.clone()
            .reshape([n, t, heads, width / heads])
            .swap_dims(1, 2)
    };
    let [n, t, width] = query.dims();
    let [_, s, _] = key.dims();
    let scores = of_heads(query).matmul(of_heads(key).transpose());
    let mut scores = scores.div_scalar(((width / heads) as f32).sqrt());
    if let Some(mask) = &masks.padding {
        scores = scores.mask_fill(mask.clone().reshape([n, 1, 1, s]), masks.score);
    }
    if let Some(mask) = &masks.pairs {
        scores = scores.mask_fill(mask.clone().reshape([n, 1, t, s]), masks.score);
    }
    softmax(scores, 3)
}

fn bools<const D: usize>(dims: [usize; D], seed: usize) -> Tensor<D, Bool> {
    let all: usize = dims.iter().product();
    let entries: Vec<bool> = (0..all)
        .map(|at| (at * 7 + seed).is_multiple_of(3))
        .collect();
    Tensor::from_data(TensorData::new(entries, dims), &Device::flex().autodiff())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn weights_of_attention(
        n in 1usize..4, t in 1usize..20, s in 1usize..40, heads in 1usize..4, d in 1usize..20,
        pad: bool, pairs: bool, causal: bool, seed in 0usize..100, spread in 0.1f64..4.0,
    ) {
        let (query, key) = (leaf([n, t, heads * d], spread), leaf([n, s, heads * d], spread));
        let future = Tensor::<2, Bool>::tril_mask([t, s], 0, &Device::flex().autodiff());
        let future: Tensor<3, Bool> = future.reshape([1, t, s]).expand([n, t, s]);
        let masks = AttentionMasks {
            padding: pad.then(|| bools([n, s], seed)),
            pairs: match (pairs, causal) {
                (true, true) => Some(future),
                (true, false) => Some(bools([n, t, s], seed)),
                _ => None,
            },
            ..AttentionMasks::default()
        };
        let ours = attention_weights(query.clone(), key.clone(), heads, &masks, AttentionSoftmax::Usual);
        let theirs = plain_weights(&query, &key, heads, &masks);
        same(ours, theirs, &[("query", gradient!(query)), ("key", gradient!(key))])?;
    }

    #[test]
    fn weights_times_values(
        n in 1usize..4, t in 1usize..20, s in 1usize..40, heads in 1usize..4, d in 1usize..20,
    ) {
        let (weights, value) = (leaf([n, heads, t, s], 1.0), leaf([n, s, heads * d], 1.0));
        let values = value.clone().reshape([n, s, heads, d]).swap_dims(1, 2);
        let theirs = weights.clone().matmul(values).swap_dims(1, 2).reshape([n, t, heads * d]);
        let ours = attend(weights.clone(), value.clone());
        same(ours, theirs, &[("weights", gradient!(weights)), ("value", gradient!(value))])?;
    }

    #[test]
    fn norms_of_layers(
        n in 1usize..600, width in 4usize..40, shifts: bool, spread in 0.1f64..30.0,
        epsilon in prop::sample::select(vec![1e-5, 1e-12, 0.1]),
    ) {
        let (x, gamma) = (leaf([n, 2, width], spread), leaf([width], 1.0));
        let beta = shifts.then(|| leaf([width], 1.0));
        let ours = layer_norm(x.clone(), gamma.clone(), beta.clone(), epsilon);
        let theirs = module::layer_norm(x.clone(), gamma.clone(), beta.clone(), epsilon);
        let (of_x, of_gamma) = (gradient!(x), gradient!(gamma));
        match beta {
            Some(beta) => same(ours, theirs, &[("x", of_x), ("gamma", of_gamma), ("beta", gradient!(beta))])?,
            None => same(ours, theirs, &[("x", of_x), ("gamma", of_gamma)])?,
        }
    }

    #[test]
    fn linear_layers(
        n in 1usize..600, d in 1usize..40, e in 1usize..40, biased: bool, frozen: bool,
    ) {
        let x = leaf([n, 2, d], 1.0);
        let weight = if frozen { constant([d, e], 1.0) } else { leaf([d, e], 1.0) };
        let bias = biased.then(|| leaf([e], 1.0));
        let ours = linear(x.clone(), weight.clone(), bias.clone());
        let theirs = module::linear(x.clone(), weight.clone(), bias.clone());
        let of_x = |gradients: &burn::tensor::Gradients| x.grad(gradients).map(|found| floats(&found));
        let mut leaves: Vec<(&str, Gradient<'_>)> = vec![("x", &of_x)];
        let of_bias = bias.as_ref().map(|bias| move |gradients: &burn::tensor::Gradients| {
            bias.grad(gradients).map(|found| floats(&found))
        });
        if let Some(of_bias) = &of_bias {
            leaves.push(("bias", of_bias));
        }
        let of_weight = |gradients: &burn::tensor::Gradients| {
            weight.grad(gradients).map(|found| floats(&found))
        };
        if !frozen {
            leaves.push(("weight", &of_weight));
        }
        same(ours, theirs, &leaves)?;
    }

    #[test]
    fn activations(n in 0usize..600, width in 1usize..40, turned: bool, spread in 0.1f64..30.0) {
        let x = leaf([n, 3, width], spread);
        let seen = || if turned { x.clone().swap_dims(0, 2) } else { x.clone() };
        for (ours, theirs) in [
            (gelu(seen()), activation::gelu(seen())),
            (gelu_approximate(seen()), activation::gelu_approximate(seen())),
            (silu(seen()), activation::silu(seen())),
        ] {
            same(ours, theirs, &[("x", gradient!(x))])?;
        }
    }

    #[test]
    fn likelihoods_of_targets(
        rows in 1usize..200, classes in 1usize..70, seed in 0usize..100, spread in 0.1f64..30.0,
    ) {
        let logits = leaf([rows, classes], spread);
        let targets: Vec<i32> = (0..rows).map(|row| ((row * 31 + seed) % classes) as i32).collect();
        let targets = TensorData::new(targets, [rows]);
        let targets = Tensor::<1, Int>::from_data(targets, &Device::flex().autodiff());
        let theirs = log_softmax(logits.clone(), 1).gather(1, targets.clone().reshape([rows, 1]));
        let ours = log_likelihoods(logits.clone(), targets);
        same(ours, theirs.reshape([rows]), &[("logits", gradient!(logits))])?;
    }
}

/// Outside of a graph, too, and where one side alone is in it.
#[test]
fn values_need_no_graph() {
    let (query, key) = (leaf([2, 3, 8], 1.0), leaf([2, 5, 8], 1.0));
    let masks = AttentionMasks::default();
    let weights = |query: &Tensor<3>, key: &Tensor<3>| {
        attention_weights(
            query.clone(),
            key.clone(),
            2,
            &masks,
            AttentionSoftmax::Usual,
        )
    };
    let inside = weights(&query, &key);
    let outside = weights(&query.clone().inner(), &key.clone().inner());
    assert_eq!(floats(&inside), floats(&outside));
    let mixed = weights(&query, &key.clone().inner());
    assert_eq!(floats(&inside), floats(&mixed));
    let gradients = (mixed.clone() * mixed).sum().backward();
    assert!(query.grad(&gradients).is_some());
    assert!(key.grad(&gradients).is_none());
}

/// Rows of one or two: normalised to 0, or to ±1, whatever they hold, so that their gradients are nothing but rounding.
#[test]
fn short_rows_are_normalised() {
    let device = Device::flex();
    let one = Tensor::<2>::from_floats([[3.0], [-7.0]], &device);
    let ones = |width: usize| Tensor::<1>::ones([width], &Device::flex());
    assert_eq!(floats(&layer_norm(one, ones(1), None, 1e-5)), [0.0, 0.0]);
    let two = Tensor::<2>::from_floats([[3.0, 5.0], [-7.0, -9.0]], &device);
    let found = floats(&layer_norm(two, ones(2), None, 0.0));
    assert_eq!(found, [-1.0, 1.0, 1.0, -1.0]);
}

/// What is not a number is not hidden, and a row of which everything is masked has equal weights.
#[test]
fn odd_numbers_stay_odd() {
    let device = Device::flex();
    let x = Tensor::<2>::from_floats([[0.0, f32::NAN], [1.0, f32::INFINITY], [1.0, 2.0]], &device);
    let targets = Tensor::<1, Int>::from_ints([0, 0, 0], &device);
    let found = floats(&log_likelihoods(x.clone(), targets));
    assert!(found[0].is_nan() && !found[1].is_finite() && found[2].is_finite());
    let normalised = floats(&layer_norm(x, Tensor::ones([2], &device), None, 1e-5));
    assert!(normalised[..4].iter().all(|x| x.is_nan()) && normalised[4] < 0.0);
    let query = Tensor::<3>::ones([1, 2, 2], &device);
    let all = Tensor::<3, Bool>::from_data([[[true, true], [false, true]]], &device);
    let masks = AttentionMasks {
        pairs: Some(all),
        ..AttentionMasks::default()
    };
    let usual = AttentionSoftmax::Usual;
    let weights = floats(&attention_weights(query.clone(), query, 1, &masks, usual));
    assert_eq!(weights, [0.5, 0.5, 1.0, 0.0]);
}

/// A quiet softmax is Burn's.
#[test]
fn a_quiet_head_attends_to_little() {
    let device = Device::flex();
    let (query, key) = (
        Tensor::<3>::zeros([1, 1, 4], &device),
        Tensor::ones([1, 3, 4], &device),
    );
    let quiet = AttentionSoftmax::Quiet;
    let weights = attention_weights(query, key, 2, &AttentionMasks::default(), quiet);
    assert_eq!(floats(&weights), [0.25; 6]);
}

/// What does not fit, or is empty, is left to Burn.
#[test]
fn nothing_and_doubles_are_left_to_burn() {
    let device = Device::flex();
    let nothing = Tensor::<3>::zeros([0, 3, 4], &device);
    let masks = AttentionMasks::default();
    let usual = AttentionSoftmax::Usual;
    let weights = attention_weights(nothing.clone(), nothing.clone(), 2, &masks, usual);
    assert_eq!(weights.dims(), [0, 2, 3, 3]);
    assert_eq!(attend(weights, nothing).dims(), [0, 3, 4]);
    let x = Tensor::<2>::from_data(
        TensorData::new(vec![1.0f64, 3.0], [1, 2]),
        (&device, burn::tensor::DType::F64),
    );
    let ones = Tensor::<1>::ones([2], (&device, burn::tensor::DType::F64));
    let normalised = layer_norm(x, ones, None, 0.0);
    assert_eq!(
        normalised.into_data().try_to_vec::<f64>().unwrap(),
        [-1.0, 1.0]
    );
}

#[test]
#[should_panic(expected = "of 3 heads do not fit")]
fn heads_have_to_fit() {
    let x = Tensor::<3>::zeros([1, 2, 4], &Device::flex());
    let _ = attention_weights(
        x.clone(),
        x,
        3,
        &AttentionMasks::default(),
        AttentionSoftmax::Usual,
    );
}

/// Numbers in waves, so many that threads share them.
fn waves<const D: usize>(dims: [usize; D]) -> Tensor<D> {
    let all: usize = dims.iter().product();
    let numbers: Vec<f32> = (0..all).map(|at| (at as f32 * 0.37).sin()).collect();
    Tensor::from_data(TensorData::new(numbers, dims), &Device::flex().autodiff()).require_grad()
}

/// Values and gradients of all operations in one after the other.
fn all_of_them() -> Vec<Vec<f32>> {
    let (n, t, width) = (24, 40, 96);
    let x = waves([n, t, width]);
    let (gamma, beta) = (waves([width]), waves([width]));
    let (weight, bias) = (waves([width, width]), waves([width]));
    let normalised = layer_norm(x.clone(), gamma.clone(), Some(beta.clone()), 1e-5);
    let projected = linear(normalised.clone(), weight.clone(), Some(bias.clone()));
    let projected = gelu(silu(projected));
    let masks = AttentionMasks::default();
    let usual = AttentionSoftmax::Usual;
    let weights = attention_weights(projected.clone(), normalised, 3, &masks, usual);
    let context = attend(weights.clone(), projected);
    let targets: Vec<i32> = (0..n * t).map(|at| (at % width) as i32).collect();
    let device = Device::flex().autodiff();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [n * t]), &device);
    let likelihoods = log_likelihoods(context.reshape([n * t, width]), targets);
    let gradients = likelihoods.clone().neg().mean().backward();
    let grad = |tensor: &Tensor<1>| floats(&tensor.grad(&gradients).unwrap());
    vec![
        floats(&weights),
        floats(&likelihoods),
        floats(&x.grad(&gradients).unwrap()),
        floats(&weight.grad(&gradients).unwrap()),
        grad(&gamma),
        grad(&beta),
        grad(&bias),
    ]
}

#[test]
fn threads_make_no_difference() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(all_of_them)
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(3));
}
