//! The arms that experiments share: which grouping, under which composition.

use anyhow::bail;
use gradual::measure::{Claim, Direction, Metric};
use gradual::prelude::*;

use crate::experiment::Arm;

/// All of them, the baseline first.
pub(crate) static ARMS: [Arm; 5] = [
    Arm {
        name: "erm",
        about: "the plain mean loss",
    },
    Arm {
        name: "grouped",
        about: "sum of squares over the known groups",
    },
    Arm {
        name: "kmeans",
        about: "sum of squares over k-means clusters of unit gradients",
    },
    Arm {
        name: "svd",
        about: "sum of squares over singular directions, weighted by σ",
    },
    Arm {
        name: "random",
        about: "sum of squares over random groups: a control",
    },
];

/// What the arm called `name` minimises, with `groups` known groups.
pub(crate) fn objective(name: &str, groups: usize, seed: u64) -> anyhow::Result<Objective> {
    Ok(match name {
        "erm" => Objective::new(OneGroup, Mean),
        "grouped" => Objective::new(Labels::new(groups), SumOfSquares),
        "kmeans" => Objective::new(KMeans::new(groups, seed), SumOfSquares),
        "svd" => Objective::new(SingularVectors::default(), SumOfSquares),
        "random" => Objective::new(RandomGroups::new(groups, seed), SumOfSquares),
        unknown => bail!("there is no arm '{unknown}'"),
    })
}

/// The claim that `arm` has less (or more) of `metric` than the baseline, by the given ratio.
pub(crate) fn claim(
    arm: &str,
    metric: Metric,
    direction: Direction,
    smallest_effect: f64,
    statement: &str,
) -> Claim {
    Claim {
        statement: statement.to_owned(),
        source: "A. Jermyn, 2022".to_owned(),
        arm: arm.to_owned(),
        metric,
        direction,
        smallest_effect,
    }
}
