use proptest::prelude::*;

use super::*;

const FLOOR: f64 = 1e-5;

/// U Vᵀ over the singular values that count, by a singular value decomposition.
fn by_svd(gradient: &Mat<f64>, floor: f64) -> Mat<f64> {
    let svd = gradient.thin_svd().unwrap();
    let values: Vec<f64> = svd.S().column_vector().iter().copied().collect();
    let largest = values.iter().copied().fold(0.0, f64::max);
    let mut sum = Mat::zeros(gradient.nrows(), gradient.ncols());
    for (at, &value) in values.iter().enumerate() {
        if value > floor * largest {
            sum += svd.U().col(at) * svd.V().col(at).transpose();
        }
    }
    sum
}

fn singular_values(matrix: &Mat<f64>) -> Vec<f64> {
    let svd = matrix.thin_svd().unwrap();
    svd.S().column_vector().iter().copied().collect()
}

fn difference(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    (a - b).norm_l2()
}

/// A product of two random matrices: of a rank that may be lower than either of its sides.
fn gradients() -> impl Strategy<Value = (Mat<f64>, usize)> {
    (2usize..9, 2usize..9, 1usize..9).prop_flat_map(|(rows, columns, inner)| {
        let rank = inner.min(rows).min(columns);
        let numbers = proptest::collection::vec(-1.0f64..1.0, (rows + columns) * rank);
        numbers.prop_map(move |numbers| {
            let (left, right) = numbers.split_at(rows * rank);
            let left = MatRef::from_row_major_slice(left, rows, rank);
            let right = MatRef::from_row_major_slice(right, rank, columns);
            (left * right, rank)
        })
    })
}

proptest! {
    #[test]
    fn all_singular_values_are_one_or_zero((gradient, rank) in gradients()) {
        let equal = equalised(gradient.as_ref(), FLOOR).unwrap();
        let values = singular_values(&equal);
        let ones = values.iter().filter(|&&value| (value - 1.0).abs() < 1e-4).count();
        let zeros = values.iter().filter(|&&value| value < 1e-4).count();
        prop_assert_eq!(ones + zeros, values.len(), "{:?}", values);
        prop_assert!(ones <= rank, "{ones} directions of a gradient of rank {rank}");
    }

    #[test]
    fn it_is_what_a_singular_value_decomposition_gives((gradient, _) in gradients()) {
        // Not with a singular value that either counts or not by the last bit.
        let values = singular_values(&gradient);
        let largest = values.iter().copied().fold(0.0, f64::max);
        prop_assume!(values.iter().all(|value| (value / largest / FLOOR).ln().abs() > 0.1));
        let equal = equalised(gradient.as_ref(), FLOOR).unwrap();
        prop_assert!(difference(&equal, &by_svd(&gradient, FLOOR)) < 1e-4);
    }

    #[test]
    fn the_size_of_a_gradient_does_not_count((gradient, _) in gradients(), power in -900i32..900) {
        // A power of two changes no digit.
        let scaled = Mat::from_fn(gradient.nrows(), gradient.ncols(), |row, column| {
            gradient[(row, column)] * 2f64.powi(power)
        });
        // Digits are lost below the range of normal numbers alone.
        prop_assume!(power > -900 || scaled.norm_max() > 1e-250);
        let [a, b] = [&gradient, &scaled].map(|one| equalised(one.as_ref(), FLOOR).unwrap());
        prop_assert!(difference(&a, &b) < 1e-6);
    }
}

#[test]
fn zero_stays_zero_and_what_is_not_finite_is_refused() {
    let zero = Mat::<f64>::zeros(3, 4);
    assert_eq!(equalised(zero.as_ref(), FLOOR).unwrap(), zero);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut gradient = Mat::<f64>::identity(3, 4);
        gradient[(1, 2)] = bad;
        assert!(equalised(gradient.as_ref(), FLOOR).is_none());
    }
}

#[test]
fn directions_at_the_floor_do_not_move() {
    let diagonal = |last: f64| {
        let mut gradient = Mat::<f64>::zeros(3, 2);
        (gradient[(0, 0)], gradient[(1, 1)]) = (4.0, last);
        equalised(gradient.as_ref(), 0.01).unwrap()
    };
    let near = |entry: f64, expected: f64| (entry - expected).abs() < 1e-6;
    assert!(near(diagonal(0.0401)[(1, 1)], 1.0));
    for low in [0.0399, 1e-12, 0.0] {
        let equal = diagonal(low);
        assert!(
            near(equal[(0, 0)], 1.0) && near(equal[(1, 1)], 0.0),
            "{low}"
        );
    }
}

/// As a whole: what a step takes away of a matrix is U Vᵀ times the rate, in single precision; of a bias, a kernel and a
/// vector that is written as a matrix it is the gradient times the rate.
#[test]
fn matrices_are_replaced_and_all_others_are_not() {
    let device = Device::flex();
    let egalitarian = Egalitarian {
        penalty: None,
        floor: FLOOR,
        descent: SgdConfig::new().build(),
    };
    let numbers =
        |count: usize| -> Vec<f32> { (0..count).map(|i| (i as f32 * 1.7).sin()).collect() };
    let step = |shape: [usize; 2]| {
        let grad = TensorData::new(numbers(shape[0] * shape[1]), shape);
        let grad = Tensor::<2>::from_data(grad, &device);
        let (moved, _) = egalitarian.step(0.5, Tensor::zeros(shape, &device), grad, None);
        let moved: Vec<f64> = read(moved).unwrap();
        moved
            .into_iter()
            .map(|number| -2.0 * number)
            .collect::<Vec<f64>>()
    };
    for shape in [[5, 3], [3, 5], [4, 4]] {
        let [rows, columns] = shape;
        let wide: Vec<f64> = numbers(rows * columns).into_iter().map(f64::from).collect();
        let gradient = MatRef::from_row_major_slice(&wide, rows, columns).to_owned();
        let moved = step(shape);
        let moved = MatRef::from_row_major_slice(&moved, rows, columns).to_owned();
        assert!(
            difference(&moved, &by_svd(&gradient, FLOOR)) < 1e-5,
            "{shape:?}"
        );
    }
    for shape in [[6, 1], [1, 6]] {
        let expected: Vec<f64> = numbers(6).into_iter().map(f64::from).collect();
        for (moved, expected) in step(shape).into_iter().zip(expected) {
            assert!((moved - expected).abs() < 1e-6);
        }
    }
    let kernel = Tensor::<3>::from_data(TensorData::new(numbers(8), [2, 2, 2]), &device);
    let (moved, _) = egalitarian.step(1.0, Tensor::zeros([2, 2, 2], &device), kernel.clone(), None);
    assert_eq!(
        read::<f64, 3>(moved.neg()).unwrap(),
        read::<f64, 3>(kernel).unwrap()
    );
    // What is not finite is not hidden.
    let bad = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, f32::NAN]], &device);
    let (moved, _) = egalitarian.step(1.0, Tensor::zeros([2, 2], &device), bad, None);
    assert!(
        read::<f64, 2>(moved)
            .unwrap()
            .iter()
            .all(|number| number.is_nan())
    );
}
