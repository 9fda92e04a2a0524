//! How often a step waits for the device.

use burn::tensor::Device;
use gradual::grad::host::reads;
use gradual::loss::registry::{RULES, RuleContext};
use gradual::prelude::*;
use gradual::train::Task;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::numbers::Numbers;
use crate::settings::specs;
use crate::{compositions, groupings, training};

/// As many as the standing examples that groupings are set to ask for.
const DRAW: usize = 40;

/// What waits more than once: groups that are formed on the host, compositions that keep state there and rules on
/// gradients once more; moments of a metric, damping and tracking yet once more. All others wait once, to read what
/// could have to be refused. `docs/backends.md` has the same in words.
const MORE: [(&str, u8); 23] = [
    ("difficulty", 2),
    ("mistakes", 2),
    ("kmeans", 2),
    ("spherical", 2),
    ("spectral", 2),
    ("spectral, whitened", 3),
    ("hdbscan(least_size = 4)", 2),
    ("singular-vectors(membership = absolute)", 2),
    ("singular-vectors(membership = squared)", 2),
    ("singular-vectors(leading = 4, membership = squared)", 2),
    ("singular-vectors(membership = squared, sketch = 64)", 2),
    ("diffusion(examples = 40, neighbours = 6)", 2),
    ("diffusion(examples = draw, neighbours = 6, time = 3)", 3),
    ("sparse-atoms(examples = 40)", 3),
    ("priors(weights = [1.0, 2.0, 3.0, 4.0]) of kmeans", 2),
    ("damped of kmeans", 3),
    ("tracked of kmeans", 3),
    ("dro(eta = 0.1)", 2),
    ("excess(reference = [0.1, 0.1, 0.1])", 2),
    ("running-means of squares", 2),
    ("pcgrad", 2),
    ("mgda", 2),
    ("upgrad", 2),
];

/// How often one step waits, under every grouping, composition and rule.
pub(crate) fn waits(device: &Device) -> anyhow::Result<Numbers> {
    let task = training::task()?;
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let model = task.model(&mut random, &device.clone().autodiff());
    let drawn = task.draw(DRAW, &mut random, device)?;
    let mut numbers = Numbers::new();
    let mut add = |name: String, mut objective: Objective, groups: usize| -> anyhow::Result<()> {
        let losses = |m: &_| task.losses(m, &drawn.batch);
        let labels: Vec<Option<usize>> = (0..DRAW).map(|at| Some(at % groups)).collect();
        if objective.wants().is_some() {
            stand(&model, &mut objective, losses)?;
        }
        let before = reads();
        step(&model, &mut objective, Some(&labels), losses)?;
        numbers.insert(name, vec![(reads() - before) as f64]);
        Ok(())
    };
    for (name, grouping) in groupings::all(groupings::GROUPS)? {
        let objective = Objective::new(grouping, SumOfSquares);
        add(name, objective, groupings::GROUPS)?;
    }
    let groups = compositions::GROUPS;
    for (name, composition) in compositions::all()? {
        add(
            name,
            Objective::new(Labels::new(groups), composition),
            groups,
        )?;
    }
    for spec in specs(&RULES, &[])? {
        let rule = RULES.build(&spec, RuleContext { seed: 0 })?;
        let objective = Objective::on_gradients(Labels::new(groups), rule);
        add(spec.to_string(), objective, groups)?;
    }
    Ok(numbers)
}

/// Once for everything that was computed, but for what waits [more often](MORE).
pub(crate) fn stated_waits(computed: &Numbers) -> Numbers {
    let once = computed.keys().map(|name| (name.clone(), vec![1.0]));
    let more = MORE.map(|(name, waits)| (name.to_owned(), vec![f64::from(waits)]));
    once.chain(more).collect()
}
