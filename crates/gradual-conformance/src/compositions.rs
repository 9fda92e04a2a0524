//! From losses to coefficients.

use burn::tensor::Device;
use gradual::group::{Average, Groups};
use gradual::loss::registry::{COMPOSITIONS, RULES, RuleContext, WRAPPERS};
use gradual::loss::{Composed, Composition, Scale, SumOfSquares};

use crate::numbers::Numbers;
use crate::numbers::{host, tensor, uniform};

const EXAMPLES: usize = 12;
const GROUPS: usize = 3;

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

/// All of them, on hard and on soft groups.
pub(crate) fn compositions(device: &Device) -> anyhow::Result<Numbers> {
    let losses = tensor(losses(), [EXAMPLES], device);
    let hard = Groups::hard(assignment(), GROUPS, Average::Mean, device)?;
    let soft = Groups::soft(membership(), vec![0.5, 1.0, 2.0], vec![4.0; GROUPS], device)?;
    let gradients = uniform([EXAMPLES, 6], 301, device);
    let gram = gradients.clone().matmul(gradients.transpose());

    let mut numbers = Numbers::new();
    for (kind, groups) in [("hard", &hard), ("soft", &soft)] {
        numbers.insert(
            format!("{kind}: group losses"),
            host(groups.losses(losses.clone()))?,
        );
    }
    let mut add = |name: String, composed: Composed| -> anyhow::Result<()> {
        for scale in [
            Scale::Raw,
            Scale::UnitSum,
            Scale::UnitAbsolute,
            Scale::cap(2.0, GROUPS, 0.7),
            Scale::MatchNorm,
        ] {
            let scaled = scale.apply_with_gram(composed.coefficients.clone(), Some(&gram))?;
            numbers.insert(format!("{name}: {scale:?}"), host(scaled)?);
        }
        numbers.insert(format!("{name}: value"), host(composed.value)?);
        Ok(())
    };
    for (kind, groups) in [("hard", &hard), ("soft", &soft)] {
        for (name, mut composition) in registered()? {
            // Twice, so that what one draw teaches shows in the next.
            composition.compose(&losses, groups)?;
            add(
                format!("{kind}, {name}"),
                composition.compose(&losses, groups)?,
            )?;
        }
        for entry in RULES.iter() {
            let mut rule = RULES.build(&entry.name.parse()?, RuleContext::default())?;
            let name = format!("{kind}, {}", entry.name);
            add(name, rule.compose(&losses, groups, &gram)?)?;
        }
    }
    Ok(numbers)
}

/// Every composition of the registry, with the settings of the lab's arms where they are not the usual ones, and every
/// wrapper around the sum of squares.
fn registered() -> anyhow::Result<Vec<(String, Box<dyn Composition>)>> {
    let settings = |name: &str| match name {
        "power" => "power(p = 4)".to_owned(),
        "tilted" => "tilted(t = 5)".to_owned(),
        "dro" => "dro(eta = 0.1)".to_owned(),
        "excess" => format!("excess(reference = {:?})", [0.1; GROUPS]),
        "shifted" => "shifted(floor = -1)".to_owned(),
        other => other.to_owned(),
    };
    let mut all: Vec<(String, Box<dyn Composition>)> = Vec::new();
    for name in COMPOSITIONS.names().map(settings) {
        let composition = COMPOSITIONS.build(&name.parse()?, ())?;
        all.push((name, composition));
    }
    for name in WRAPPERS.names().map(settings) {
        let composition = WRAPPERS.build(&name.parse()?, Box::new(SumOfSquares))?;
        all.push((name, composition));
    }
    Ok(all)
}
