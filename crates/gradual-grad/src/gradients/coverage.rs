//! What a trace covered.

use std::borrow::Cow;
use std::fmt;

use super::factor::products::Route;
use super::parameter::ParameterGradients;

/// What a trace covered, parameter by parameter. Its `Display` is a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    covered: Vec<Covered>,
    left_out: Vec<String>,
}

/// One covered parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// Path in the module.
    pub path: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// Further paths of the same parameter: clones of a layer share their parameters' identity, and an optimizer
    /// updates only the first of them.
    pub shared: Vec<String>,
    /// The layers that use it, in order.
    pub uses: Vec<Cow<'static, str>>,
    /// Positions per example, summed over uses.
    pub positions: usize,
    /// How its Gram matrix is computed.
    pub route: &'static str,
    /// Operations that its Gram matrix takes, counting a multiplication and an addition as two.
    pub operations: u64,
}

impl Coverage {
    pub(crate) fn new(covered: Vec<Covered>, left_out: Vec<String>) -> Self {
        Self { covered, left_out }
    }

    /// The covered parameters, in visiting order.
    pub fn covered(&self) -> &[Covered] {
        &self.covered
    }

    /// Paths of the parameters that no layer used in this draw, which was
    /// [allowed](crate::Tracer::allow_unused).
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        let unused = self.covered.iter().filter(|each| each.uses.is_empty());
        unused.map(|each| each.path.as_str())
    }

    /// Paths of the parameters that were left out on purpose.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

impl Covered {
    pub(crate) fn new(examples: usize, each: &ParameterGradients) -> Self {
        let shape = each.parameter.shape.clone();
        let positions = each.factor.as_ref().map_or(0, |factor| factor.positions());
        let route = each.factor.as_ref().map(|factor| factor.route());
        let p = shape.iter().product::<usize>() as u64;
        let (n, t) = (examples as u64, positions as u64);
        // Both sides of the outer product that a matrix-shaped gradient is.
        let sides = match shape.as_slice() {
            [d, rest @ ..] => *d as u64 + rest.iter().product::<usize>() as u64,
            [] => 1,
        };
        let width = shape.last().map_or(1, |width| *width as u64);
        // Half of the pairs, by symmetry.
        let pairs = n * (n + 1) / 2;
        let (route, operations) = match route {
            None if each.uses.is_empty() => ("not used", 0),
            None => ("no gradient reached it", 0),
            Some(Route::Rows) => ("rows", 2 * pairs * p),
            Some(Route::Product) => ("product of factors", 2 * pairs * sides),
            Some(Route::Ghost) => ("ghost product", 2 * pairs * t * t * sides),
            Some(Route::Index) => ("look-ups of equal index", 2 * pairs * t * width),
            Some(Route::Matrices) => ("per-example matrices", 2 * n * t * p + 2 * pairs * p),
        };
        Self {
            path: each.parameter.path.clone(),
            shape,
            shared: each.parameter.shared.clone(),
            uses: each.uses.clone(),
            positions,
            route,
            operations,
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .covered
            .iter()
            .map(|each| each.path.len())
            .max()
            .unwrap_or(0)
            .max(9);
        writeln!(
            f,
            "{:width$}  {:16}  {:24}  {:>9}  {:20}  {:>10}",
            "parameter", "shape", "uses", "positions", "Gram matrix", "Mflop"
        )?;
        for each in &self.covered {
            let shape = format!("{:?}", each.shape);
            let uses = each.uses.join(", ");
            let mflop = each.operations as f64 / 1e6;
            writeln!(
                f,
                "{:width$}  {shape:16}  {uses:24}  {:>9}  {:20}  {mflop:>10.2}",
                each.path, each.positions, each.route
            )?;
        }
        for path in &self.left_out {
            writeln!(f, "{path:width$}  left out on purpose")?;
        }
        for each in self.covered.iter().filter(|each| !each.shared.is_empty()) {
            writeln!(
                f,
                "warning: {} and {} are one parameter (clones of a layer): their gradients are summed, and an \
                 optimizer moves {} alone",
                each.path,
                each.shared.join(", "),
                each.path
            )?;
        }
        Ok(())
    }
}
