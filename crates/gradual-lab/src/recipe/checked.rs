//! Parts of a recipe in a file, checked where they stand: the error then knows its line.

use gradual::grad::registry::METRICS;
use gradual::group::registry::{GROUPINGS, WRAPPERS};
use gradual::loss::registry::{SCALES, WRAPPERS as COMPOSITION_WRAPPERS};
use gradual::train::registry::{LENSES, OPTIMIZERS, SAMPLERS};
use gradual_registry::{RegistryError, Spec, Value};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::parts::{NONE, resolve_composition};
use crate::meant::meant;

fn checked<'de, D: Deserializer<'de>>(
    deserializer: D,
    resolve: impl Fn(&Spec) -> Result<Spec, RegistryError>,
) -> Result<Option<Spec>, D::Error> {
    let spec = Spec::deserialize(deserializer)?;
    resolve(&spec).map_err(D::Error::custom)?;
    Ok(Some(spec))
}

pub(super) fn grouping<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Spec>, D::Error> {
    checked(deserializer, |spec| GROUPINGS.resolve(spec))
}

fn all_checked<'de, D: Deserializer<'de>>(
    deserializer: D,
    resolve: impl Fn(&Spec) -> Result<Spec, RegistryError>,
) -> Result<Option<Vec<Spec>>, D::Error> {
    let specs = Vec::<Spec>::deserialize(deserializer)?;
    for spec in &specs {
        resolve(spec).map_err(D::Error::custom)?;
    }
    Ok(Some(specs))
}

pub(super) fn wrappers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Spec>>, D::Error> {
    all_checked(deserializer, |spec| WRAPPERS.resolve(spec))
}

pub(super) fn composition_wrappers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Spec>>, D::Error> {
    all_checked(deserializer, |spec| COMPOSITION_WRAPPERS.resolve(spec))
}

pub(super) fn metric<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Spec>, D::Error> {
    checked(deserializer, |spec| match spec.name.as_str() {
        NONE if spec.parameters.is_empty() => Ok(spec.clone()),
        _ => METRICS.resolve(spec),
    })
}

pub(super) fn lens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Spec>, D::Error> {
    checked(deserializer, |spec| match spec.name.as_str() {
        NONE if spec.parameters.is_empty() => Ok(spec.clone()),
        _ => LENSES.resolve(spec),
    })
}

/// What a model of other sizes is called, and the sizes that it may have.
const MODEL: &str = "model";
const SIZES: [&str; 6] = ["width", "heads", "layers", "hidden", "depth", "filters"];

pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Spec>, D::Error> {
    sizes("size", deserializer)
}

pub(super) fn proxy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Spec>, D::Error> {
    sizes("proxy", deserializer)
}

fn sizes<'de, D: Deserializer<'de>>(what: &str, deserializer: D) -> Result<Option<Spec>, D::Error> {
    let spec = Spec::deserialize(deserializer)?;
    if spec.name != NONE || !spec.parameters.is_empty() {
        check_sizes(what, &spec).map_err(D::Error::custom)?;
    }
    Ok(Some(spec))
}

/// A proxy and a size say the sizes of a model, and these are whole numbers.
pub(super) fn check_sizes(what: &str, spec: &Spec) -> Result<(), String> {
    let sizes = || format!("{MODEL}(…) with one of {}", SIZES.join(", "));
    if spec.name != MODEL || spec.parameters.is_empty() {
        return Err(format!(
            "'{spec}' is no {what}: {} is expected, as in {MODEL}(width = 32)",
            sizes()
        ));
    }
    for (name, value) in &spec.parameters {
        if !SIZES.contains(&name.as_str()) {
            let meant = meant(name, SIZES);
            return Err(format!(
                "a {what} has no '{name}'{meant}; it is {}",
                sizes()
            ));
        }
        if !matches!(value, Value::Count(1..)) {
            return Err(format!(
                "{what}: {name} = {value}, but a size is a whole number ≥ 1"
            ));
        }
    }
    Ok(())
}

pub(super) fn composition<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Spec>, D::Error> {
    checked(deserializer, resolve_composition)
}

pub(super) fn scale<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Spec>, D::Error> {
    checked(deserializer, |spec| SCALES.resolve(spec))
}

pub(super) fn sampler<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Spec>, D::Error> {
    checked(deserializer, |spec| SAMPLERS.resolve(spec))
}

pub(super) fn optimizer<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Spec>, D::Error> {
    checked(deserializer, |spec| OPTIMIZERS.resolve(spec))
}

pub(super) fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let rate = f64::deserialize(deserializer)?;
    check_rate(rate).map_err(D::Error::custom)?;
    Ok(Some(rate))
}

/// Refuses what is no learning rate.
pub(super) fn check_rate(rate: f64) -> Result<(), String> {
    // Parameters are in single precision, in which the rate has to be a number, too.
    match rate > 0.0 && (rate as f32).is_normal() {
        true => Ok(()),
        false => Err(format!(
            "rate = {rate:?}, but a learning rate is a number > 0, from 1.2e-38 to 3.4e38"
        )),
    }
}

/// Refuses what is no slowdown.
pub(super) fn check_slowdown(slowdown: u32) -> Result<(), String> {
    match slowdown {
        0 => Err(String::from("slowdown = 0, but it is a whole number ≥ 1")),
        _ => Ok(()),
    }
}
