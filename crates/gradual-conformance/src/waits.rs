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

/// What waits twice: groups that are formed on the host, compositions that keep state there, rules on gradients. All
/// others wait once, to read what could have to be refused. `docs/backends.md` has the same in words.
const TWICE: [&str; 0] = [];

/// How often one step waits, under every grouping, composition and rule.
pub(crate) fn waits(device: &Device) -> anyhow::Result<Numbers> {
    let task = training::task()?;
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let model = task.model(&mut random, &device.clone().autodiff());
    let drawn = task.draw(DRAW, &mut random, device);
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
        add(name, Objective::new(Labels::new(groups), composition), groups)?;
    }
    for spec in specs(&RULES, &[])? {
        let rule = RULES.build(&spec, RuleContext { seed: 0 })?;
        let objective = Objective::on_gradients(Labels::new(groups), rule);
        add(spec.to_string(), objective, groups)?;
    }
    Ok(numbers)
}

/// Once for everything that was computed, but for what waits [twice](TWICE).
pub(crate) fn stated_waits(computed: &Numbers) -> Numbers {
    let once = computed.keys().map(|name| (name.clone(), vec![1.0]));
    let twice = TWICE.map(|name| (name.to_owned(), vec![2.0]));
    once.chain(twice).collect()
}
