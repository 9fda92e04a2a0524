//! From losses to coefficients: everything in the registries of `gradual-loss`.

use anyhow::ensure;
use burn::tensor::Device;
use gradual::group::{Average, Groups};
use gradual::loss::registry::{COMPOSITIONS, RULES, RuleContext, SCALES, WRAPPERS};
use gradual::loss::{Composed, Composition, Scale, SumOfSquares};

use crate::numbers::{Numbers, host, tensor, uniform};
use crate::settings::specs;

/// What the suite sets in the place of defaults.
const SETTINGS: [&str; 5] = [
    "excess(reference = [0.1, 0.1, 0.1])",
    "tilted(t = 5)",
    "power(p = 4)",
    "power(p = 4, rooted = true)",
    "dro(eta = 0.1)",
];
const WRAPPER_SETTINGS: [&str; 1] = ["shifted(floor = -1)"];
const SCALE_SETTINGS: [&str; 1] = ["cap(limit = 4.2)"];

const EXAMPLES: usize = 12;
pub(crate) const GROUPS: usize = 3;

/// In single precision, so that all start from the same numbers.
fn losses() -> Vec<f32> {
    let loss = |j: usize| 0.05 + 0.31 * ((j * 5) % EXAMPLES) as f32;
    (0..EXAMPLES).map(loss).collect()
}

fn assignment() -> Vec<Option<usize>> {
    (0..EXAMPLES)
        .map(|j| (j != 7).then_some(j * j % GROUPS))
        .collect()
}

/// `[GROUPS, EXAMPLES]`, row-major.
fn membership() -> Vec<f32> {
    (0..GROUPS * EXAMPLES)
        .map(|at| 0.02 * ((at * 7) % 11) as f32)
        .collect()
}

/// The group losses, summed on the host in double precision: a membership that every device rounds alike shows here.
pub(crate) fn group_losses() -> Numbers {
    let (losses, assignment, membership) = (losses(), assignment(), membership());
    let mean = |group: usize| {
        let members = losses
            .iter()
            .zip(&assignment)
            .filter(|one| *one.1 == Some(group));
        let members: Vec<f64> = members.map(|one| f64::from(*one.0)).collect();
        members.iter().sum::<f64>() / members.len().max(1) as f64
    };
    let sum = |row: &[f32]| {
        let pairs = row.iter().zip(&losses);
        pairs
            .map(|(share, loss)| f64::from(*share) * f64::from(*loss))
            .sum()
    };
    [
        (
            "hard: group losses".to_owned(),
            (0..GROUPS).map(mean).collect(),
        ),
        (
            "soft: group losses".to_owned(),
            membership.chunks(EXAMPLES).map(sum).collect(),
        ),
    ]
    .into()
}

/// Every composition, by itself and in every wrapper, and every rule, on hard and on soft groups and in every scale.
pub(crate) fn compositions(device: &Device) -> anyhow::Result<Numbers> {
    let losses = tensor(losses(), [EXAMPLES], device);
    let hard = Groups::hard(assignment(), GROUPS, Average::Mean, device)?;
    let soft = Groups::soft(membership(), vec![0.5, 1.0, 2.0], vec![4.0; GROUPS], device)?;
    let gradients = uniform([EXAMPLES, 6], 301, device);
    let gram = gradients.clone().matmul(gradients.transpose());

    let scales = specs(&SCALES, &SCALE_SETTINGS)?;
    let mut numbers = Numbers::new();
    for (kind, groups) in [("hard", &hard), ("soft", &soft)] {
        let of_groups = host(groups.losses(losses.clone()))?;
        numbers.insert(format!("{kind}: group losses"), of_groups);
        let mut add = |name: String, composed: Composed| -> anyhow::Result<()> {
            for spec in &scales {
                let scale = SCALES.build(spec, ())?.unwrap_or(Scale::usual(groups));
                let scaled = scale.apply_with_gram(composed.coefficients.clone(), Some(&gram))?;
                numbers.insert(format!("{kind}, {name}: {spec}"), host(scaled)?);
            }
            numbers.insert(format!("{kind}, {name}: value"), host(composed.value)?);
            Ok(())
        };
        for (name, mut composition) in all()? {
            if let Err(refused) = composition.check(groups) {
                // Some are defined on hard groups alone.
                ensure!(kind == "soft", "{name}: {refused}");
                continue;
            }
            // Twice, so that what one draw teaches shows in the next.
            composition.compose(&losses, groups)?;
            add(name, composition.compose(&losses, groups)?)?;
        }
        for spec in specs(&RULES, &[])? {
            let mut rule = RULES.build(&spec, RuleContext { seed: 0 })?;
            add(spec.to_string(), rule.compose(&losses, groups, &gram)?)?;
        }
    }
    Ok(numbers)
}

/// Every composition, and every wrapper around the sum of squares, by name.
pub(crate) fn all() -> anyhow::Result<Vec<(String, Box<dyn Composition>)>> {
    let mut all = Vec::new();
    for spec in specs(&COMPOSITIONS, &SETTINGS)? {
        all.push((spec.to_string(), COMPOSITIONS.build(&spec, ())?));
    }
    for spec in specs(&WRAPPERS, &WRAPPER_SETTINGS)? {
        let wrapped = WRAPPERS.build(&spec, Box::new(SumOfSquares))?;
        all.push((format!("{spec} of squares"), wrapped));
    }
    Ok(all)
}
