//! Groups from inner products alone: those of the gradients themselves, or a refusal.

use crate::common::entries::{context, grouping, variations, wrapped};
use crate::common::{device, draw, numbers, planted};
use burn::tensor::{Tensor, TensorData};
use gradual_grad::{ExampleGradients, Traced};
use gradual_group::registry::{GROUPINGS, WRAPPERS};
use gradual_group::{Draw, GroupError, Grouping, Groups, Spectral, Standing};
use gradual_registry::Spec;

const GROUPS: usize = 4;

fn example() -> (Vec<Vec<f32>>, Vec<Option<usize>>, Traced) {
    let (rows, labels) = planted(GROUPS, 10, 48, 8.0, true, 5);
    let losses: Vec<f32> = (0..rows.len())
        .map(|j| 0.5 + 0.1 * (j % 7) as f32)
        .collect();
    let traced = draw(&rows, &losses);
    (rows, labels, traced)
}

/// The groups of a draw; the standing examples, where they are wanted, are those of the draw.
fn groups(grouping: &mut dyn Grouping, draw: &Draw<'_>) -> Result<Groups, GroupError> {
    while let Some(standing) = grouping.wants() {
        assert!(matches!(standing, Standing::Fresh(_)), "{standing:?}");
        grouping.stand(draw)?;
    }
    grouping.group(draw)
}

fn same(one: &Groups, other: &Groups, what: &Spec) {
    assert_eq!(one.assignment(), other.assignment(), "{what}");
    assert_eq!(
        numbers(one.membership()),
        numbers(other.membership()),
        "{what}"
    );
    assert_eq!(numbers(one.weights()), numbers(other.weights()), "{what}");
    assert_eq!(one.sizes(), other.sizes(), "{what}");
    assert_eq!(one.estimates(), other.estimates(), "{what}");
    assert_eq!(one.spectrum(), other.spectrum(), "{what}");
}

/// Every grouping of the registry, with every setting: from inner products alone it yields what it yields from the model's
/// gradients, or it refuses by name.
#[test]
fn inner_products_alone_give_the_same_groups() {
    let (_, labels, traced) = example();
    let gram = traced.gradients.gram();
    let whole = Draw::from(&traced).with_labels(&labels);
    let alone = Draw::new(&traced.losses)
        .with_labels(&labels)
        .with_gram(&gram);
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for entry in GROUPINGS.iter() {
        // Standing examples are as many as the draw has here.
        let specs = variations(entry, GROUPS, &["k", "examples", "labellings"]);
        for spec in specs {
            let build = || {
                let standing = ["examples"].into_iter().filter(|name| {
                    entry
                        .parameters
                        .iter()
                        .any(|parameter| parameter.name == *name)
                });
                let spec = standing.fold(spec.clone(), |spec, name| {
                    spec.with(name, gradual_registry::Value::Count(40))
                });
                grouping(&spec, context(GROUPS, None))
            };
            let mut one = build();
            let of_gradients = groups(&mut *one, &whole).unwrap_or_else(|error| {
                panic!("{spec}: {error}");
            });
            match groups(&mut *build(), &alone) {
                Ok(of_products) => {
                    same(&of_products, &of_gradients, &spec);
                    if one.needs().gradients() {
                        found.push(entry.name);
                    }
                }
                Err(error @ GroupError::InnerProductsAlone { .. }) => {
                    assert!(error.to_string().contains("from_rows"), "{error}");
                    assert!(one.needs().gradients(), "{spec}");
                    refused.push(spec.to_string());
                }
                Err(error) => panic!("{spec}: {error}"),
            }
        }
    }
    found.dedup();
    assert_eq!(
        found,
        [
            "kmeans",
            "spherical",
            "spectral",
            "hdbscan",
            "singular-vectors"
        ]
    );
    let by_rows = |spec: &String| {
        let standing = ["landmarks", "centroids", "diffusion", "sparse-atoms"];
        standing.iter().any(|name| spec.starts_with(name)) || spec.contains("sketch")
    };
    assert!(refused.iter().all(by_rows), "{refused:?}");
    assert!(!refused.is_empty());
}

/// Wrappers pass inner products on, but for the one that compares draws.
#[test]
fn wrappers_take_inner_products() {
    let (_, labels, traced) = example();
    let gram = traced.gradients.gram();
    let alone = Draw::new(&traced.losses)
        .with_labels(&labels)
        .with_gram(&gram);
    let whole = Draw::from(&traced).with_labels(&labels);
    for entry in WRAPPERS.iter() {
        for spec in variations(entry, GROUPS, &[]) {
            let build = || {
                let inner = grouping(&"spectral".parse().unwrap(), context(GROUPS, None));
                wrapped(&spec, context(GROUPS, None), inner)
            };
            match build().group(&alone) {
                Ok(of_products) => same(&of_products, &build().group(&whole).unwrap(), &spec),
                Err(GroupError::InnerProductsAlone { operation }) => {
                    assert_eq!((entry.name, operation), ("tracked", "tracked groups"));
                }
                Err(error) => panic!("{spec}: {error}"),
            }
        }
    }
}

/// Gradients that are given as a matrix are those of a model, sketches but for their random numbers.
#[test]
fn rows_are_gradients() {
    let (rows, _, traced) = example();
    let (n, p) = (rows.len(), rows[0].len());
    let data = TensorData::new(rows.concat(), [n, p]);
    let given = ExampleGradients::from_rows(Tensor::from_data(data, &device()));
    assert_eq!(numbers(&given.rows()), rows.concat());
    let close = |one: Vec<f32>, other: Vec<f32>| {
        let largest = other
            .iter()
            .fold(0.0_f32, |most, each| most.max(each.abs()));
        one.iter()
            .zip(&other)
            .all(|(one, other)| (one - other).abs() <= 1e-5 * largest)
    };
    assert!(close(
        numbers(&given.gram()),
        numbers(&traced.gradients.gram())
    ));
    assert!(close(
        numbers(&given.norms()),
        numbers(&traced.gradients.norms())
    ));
    // A sketch keeps inner products, roughly.
    let sketch = numbers(&given.sketch_gram(4096, 3));
    let gram = numbers(&given.gram());
    let worst = sketch
        .iter()
        .zip(&gram)
        .map(|(one, other)| (one - other).abs());
    assert!(worst.fold(0.0_f32, f32::max) < 0.2);
    let draw = Draw::new(&traced.losses).with_gradients(&given);
    for name in ["landmarks(examples = 40)", "centroids(examples = 40)"] {
        let mut grouping = grouping(&name.parse().unwrap(), context(GROUPS, None));
        assert_eq!(groups(&mut *grouping, &draw).unwrap().num_examples(), n);
    }
    let again = given.choose(&[0, 1]).unwrap();
    assert!(given.cross_gram(&again).is_ok());
}

#[test]
fn a_matrix_of_another_draw_is_refused() {
    let losses = Tensor::from_floats([1.0, 2.0, 3.0], &device());
    let gram = Tensor::from_floats([[1.0, 0.0], [0.0, 1.0]], &device());
    let error = Spectral::new(2, 0).group(&Draw::new(&losses).with_gram(&gram));
    let error = error.expect_err("two for three").to_string();
    assert!(
        error.contains("3 × 3") && error.contains("2 × 2"),
        "{error}"
    );
}
