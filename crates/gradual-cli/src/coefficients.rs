//! `gradual coefficients`.

use anyhow::{Context as _, bail};
use clap::Args;
use gradual::loss::registry::{
    COMPOSITIONS, RULES, RuleContext, SCALES, WRAPPERS as COMPOSITION_WRAPPERS,
};
use gradual::loss::{Composition as _, GramComposition as _, Scaler};
use gradual_registry::Spec;
use serde::Serialize;

use crate::draw;
use crate::numbers::numbers;
use crate::output::{Output, Tabular};

const EXAMPLES: &str = "Examples:
  gradual coefficients --losses losses.npy --labels labels.npy --grouping labels --composition squares
  gradual coefficients --gram K.npy --losses losses.npy --grouping 'spectral(k = 6)' --composition 'cvar(alpha = 0.2)'
  gradual coefficients --gradients G.npy --losses losses.npy --labels labels.csv --grouping labels --composition pcgrad

A step of the composed loss is the weighted sum of the per-example gradients, c_1 g_1 + … + c_n g_n: backpropagate
through the sum of the losses, each multiplied by its coefficient, which is a constant.";

/// Prints the value of a composition of group losses, and its derivative in each example's loss.
///
/// What a composition remembers from draw to draw begins with this draw.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    draw: draw::Arguments,
    /// How group losses become one, as `squares` or `cvar(alpha = 0.2)`; `gradual --list` prints them all
    #[arg(long, value_name = "NAME(…)")]
    composition: Spec,
    /// What is put around it, as `shifted(floor = 0.1)`; may be repeated, the innermost first
    #[arg(long, value_name = "NAME(…)")]
    composition_wrapper: Vec<Spec>,
    /// What becomes of the size of the coefficients
    #[arg(long, value_name = "NAME(…)", default_value = "raw")]
    scale: Spec,
    #[command(flatten)]
    output: Output,
}

/// What was composed.
#[derive(Debug, Serialize)]
struct Composed {
    grouping: String,
    composition: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    composition_wrappers: Vec<String>,
    scale: String,
    value: f64,
    group_losses: Vec<f64>,
    group_weights: Vec<f64>,
    losses: Vec<f64>,
    /// One for each example.
    coefficients: Vec<f64>,
}

impl Arguments {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        self.output.check()?;
        let loaded = self.draw.load()?;
        let Some(losses) = loaded.given_losses() else {
            bail!("coefficients are of losses: give --losses");
        };
        let scale = SCALES.resolve(&self.scale)?;
        let grouped = self.draw.group(&loaded)?;
        let groups = &grouped.groups;
        let mut gram = None;
        let mut wrappers = Vec::new();
        let (composition, composed) = match RULES.has(&self.composition.name) {
            true => {
                if let Some(wrapper) = self.composition_wrapper.first() {
                    bail!(
                        "{}: goes around compositions of losses, and {} weighs gradients: leave one of the two out",
                        wrapper.name,
                        self.composition.name
                    );
                }
                let spec = RULES.resolve(&self.composition)?;
                let mut rule = RULES.build(&spec, RuleContext { seed: 0 })?;
                let products = loaded.gram().with_context(|| {
                    format!(
                        "{}: weighs gradients; give --gradients or --gram",
                        spec.name
                    )
                })?;
                let composed = rule.compose(losses, groups, &products)?;
                gram = Some(products);
                (spec, composed)
            }
            false => {
                let spec = COMPOSITIONS.resolve(&self.composition)?;
                let mut composition = COMPOSITIONS.build(&spec, ())?;
                for wrapper in &self.composition_wrapper {
                    let wrapper = COMPOSITION_WRAPPERS.resolve(wrapper)?;
                    composition = COMPOSITION_WRAPPERS.build(&wrapper, composition)?;
                    wrappers.push(wrapper.to_string());
                }
                (spec, composition.compose_ahead(losses, groups)?)
            }
        };
        let usual = || gradual::loss::Scale::usual(groups);
        let rule = SCALES.build(&scale, ())?.unwrap_or_else(usual);
        if rule.needs_gram() && gram.is_none() {
            gram = loaded.gram();
        }
        let scaler = Scaler::new(rule);
        let composed = scaler.apply_ahead(composed, groups, gram.as_ref())?;
        let composed = composed.settled_now()?;
        let [value] = numbers(&composed.value)?[..] else {
            bail!("the value of {composition} is not one number");
        };
        if !value.is_finite() {
            bail!("{composition}: the value is {value}; the losses are too large for it");
        }
        let coefficients = numbers(&composed.coefficients)?;
        let unsound = coefficients.iter().position(|one| !one.is_finite());
        if let Some(example) = unsound {
            bail!(
                "{composition}: the coefficient of example {example} (from 0) is {}; the losses are too large for it",
                coefficients[example]
            );
        }
        self.output.write(&Composed {
            grouping: grouped.grouping.to_string(),
            composition: composition.to_string(),
            composition_wrappers: wrappers,
            scale: scale.to_string(),
            value,
            group_losses: numbers(&groups.losses(losses.clone()))?,
            group_weights: numbers(groups.weights())?,
            losses: numbers(losses)?,
            coefficients,
        })
    }
}

/// A row for each example.
impl Tabular for Composed {
    fn columns(&self) -> Vec<&'static str> {
        vec!["example", "loss", "coefficient"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let both = self.losses.iter().zip(&self.coefficients).enumerate();
        both.map(|(example, (loss, coefficient))| {
            vec![
                example.to_string(),
                loss.to_string(),
                coefficient.to_string(),
            ]
        })
        .collect()
    }
}
