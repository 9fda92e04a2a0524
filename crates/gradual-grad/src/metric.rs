//! Which gradients count as similar.

mod kind;
mod moments;
pub(crate) mod named;
pub(crate) mod part;
mod problem;
pub(crate) mod record;
mod vectors;
pub(crate) mod whitening;

use std::collections::BTreeMap;

use burn::tensor::{DType, Tensor};
use globset::GlobMatcher;

use crate::error::GradError;
use crate::gradients::ExampleGradients;
use crate::gradients::factor::Factor;
use crate::gradients::parameter::ParameterGradients;
use crate::host::read;
use crate::parameters::globs::glob;
use crate::precision::widest_of;
use kind::Kind;
use moments::{Moments, whiten};
use part::Part;
use problem::Problem;
use whitening::Whitening;

/// A metric on gradients: which layers it uses, and how their coordinates are scaled.
///
/// # The idea
///
/// Raw gradients do not show capabilities before they emerge: a few large coordinates, common to all
/// examples, decide the angles. Scaled by their running moments all coordinates weigh alike. In
/// factored form that costs next to nothing: with X̃ = (X − μ)/s and Δ̃ = Δ/r for inputs X and
/// output-gradients Δ of a layer, the gradients X̃ᵀΔ̃ have the Gram matrix of the metric.
///
/// # Steps and cost
///
/// [`observe`](Self::observe) updates running moments from a draw, [`apply`](Self::apply) gives the
/// draw in the metric: n t (d + e) operations each for a weight `[d, e]` at t positions.
///
/// # When to use it
///
/// Wherever gradients are compared (clusters, landmarks, spectra). **Never for an update**: it must
/// come from the gradients themselves.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
/// use gradual_grad::{Metric, Tap, trace};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(3, 2).init(&device);
/// let x = Tensor::<2>::from_floats([[1.0, 0.0, 9.0], [0.0, 1.0, 9.0], [1.0, 1.0, 9.5]], &device);
/// let traced = trace(&model, |m| m.tap(x).sum_dim(1).squeeze_dim::<1>(1))?;
///
/// let mut metric = Metric::whitened().with_layers(&["weight"])?;
/// metric.observe(&traced.gradients)?;
/// let cosines = metric.apply(&traced.gradients)?.cosine();
/// assert_eq!(cosines.dims(), [3, 3]);
/// # Ok::<(), gradual_grad::GradError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Metric {
    whitening: Whitening,
    layers: Vec<(String, GlobMatcher)>,
    part: Part,
    balanced: bool,
    memory: f64,
    moments: BTreeMap<String, Moments>,
}

/// The Euclidean metric on all layers.
impl Default for Metric {
    fn default() -> Self {
        Self::euclidean()
    }
}

impl Metric {
    /// Gradients as they are, all layers as they come.
    pub fn euclidean() -> Self {
        Self {
            whitening: Whitening::None,
            layers: Vec::new(),
            part: Part::Gradients,
            balanced: false,
            memory: 0.9,
            moments: BTreeMap::new(),
        }
    }

    /// [`Whitening::Coordinates`] on all layers, each with the same weight.
    pub fn whitened() -> Self {
        Self::euclidean()
            .with_whitening(Whitening::Coordinates)
            .balanced(true)
    }

    /// The same metric with another whitening; moments start anew.
    #[must_use]
    pub fn with_whitening(self, whitening: Whitening) -> Self {
        Self {
            whitening,
            moments: BTreeMap::new(),
            ..self
        }
    }

    /// Looks only at parameters whose path matches one of these globs, such as `layers.0.*` or
    /// `*.weight`. Without globs, at all parameters.
    ///
    /// # Errors
    ///
    /// [`GradError::Glob`] for a malformed glob.
    pub fn with_layers(self, globs: &[&str]) -> Result<Self, GradError> {
        let layers = globs
            .iter()
            .map(|pattern| Ok(((*pattern).to_owned(), glob(pattern)?)));
        Ok(Self {
            layers: layers.collect::<Result<_, GradError>>()?,
            ..self
        })
    }

    /// Looks at one side of the layers only; moments start anew.
    #[must_use]
    pub fn with_part(self, part: Part) -> Self {
        Self {
            part,
            moments: BTreeMap::new(),
            ..self
        }
    }

    /// Whether all parameters weigh the same (unit mean square norm each), or as they come.
    ///
    /// Whitened and balanced, a parameter whose gradient is zero but for rounding weighs as much as any other: the bias
    /// of an attention's key is one, since softmax does not see it. Leave such out with
    /// [`with_layers`](Self::with_layers).
    #[must_use]
    pub fn balanced(self, balanced: bool) -> Self {
        Self { balanced, ..self }
    }

    /// Share of the running moments that is kept at each new draw, 0 to 1 (0.9 by default): they are an
    /// exponential mean over about 1/(1 − `memory`) draws, without bias towards the start.
    ///
    /// # Errors
    ///
    /// [`GradError::Setting`] for a memory that is not from 0 to 1.
    pub fn with_memory(self, memory: f64) -> Result<Self, GradError> {
        match (0.0..=1.0).contains(&memory) {
            true => Ok(Self { memory, ..self }),
            false => Err(GradError::Setting {
                operation: "metric",
                name: "memory",
                expected: "from 0 to 1",
                got: memory,
            }),
        }
    }

    /// Whether nothing has to be observed before gradients can be compared.
    pub fn is_fixed(&self) -> bool {
        self.whitening == Whitening::None && !self.balanced && self.part == Part::Gradients
    }

    /// Whether gradients are compared as they come: nothing is scaled, and no parameter is left out.
    pub fn is_euclidean(&self) -> bool {
        self.is_fixed() && self.layers.is_empty()
    }

    /// Updates the running moments from the gradients `g` of a draw.
    ///
    /// # Errors
    ///
    /// [`GradError::Glob`] when a glob matches no parameter; [`GradError::Setting`] for a damping that is negative or
    /// not finite; [`GradError::Moments`] when a covariance can't be inverted; [`GradError::NotFinite`] for gradients
    /// with NaN or infinity, which would stay in the moments for ever. The moments are then as before.
    pub fn observe(&mut self, g: &ExampleGradients) -> Result<(), GradError> {
        let chosen = self.chosen(g)?;
        if self.is_fixed() {
            return Ok(());
        }
        if let Whitening::Kronecker { damping } = self.whitening
            && !(damping.is_finite() && damping >= 0.0)
        {
            return Err(GradError::Setting {
                operation: "metric",
                name: "damping",
                expected: "finite and at least 0",
                got: damping,
            });
        }
        // Half precision in single.
        let wide: Vec<(&str, Factor)> = g
            .parameters
            .iter()
            .filter(|each| chosen(each))
            .filter_map(|each| Some((each.parameter.path.as_str(), each.wide()?)))
            .collect();
        let before = |path: &str| self.moments.get(path);
        let kinds = wide.iter().map(|(path, factor)| {
            let kind = before(path).map(|before| before.kind.clone());
            let kind = Kind::after(kind, factor, self.whitening, self.memory);
            ((*path).to_owned(), kind)
        });
        let mut kinds: Vec<(String, Kind)> = kinds.collect();
        if let Whitening::Kronecker { damping } = self.whitening {
            whiten(&mut kinds, damping)?;
        }
        let after = kinds
            .into_iter()
            .zip(&wide)
            .map(|((path, kind), (_, factor))| {
                let size = before(&path).map(|before| before.size.clone());
                let moments = Moments::after(kind, size, factor, self.part, self.memory);
                (path, moments)
            });
        let after: Vec<_> = after.collect();
        finite(&after)?;
        self.moments.extend(after);
        Ok(())
    }

    /// The gradients `g` in the metric, by the moments observed so far: their Gram matrix, cosines
    /// and sketches are those of the metric. A parameter that was never observed is left out.
    ///
    /// # Errors
    ///
    /// [`GradError::Unobserved`] when no parameter that the metric uses was ever observed, and
    /// [`GradError::NoPart`] when none has the [`Part`] that is: all gradients would be zero, and all cosines.
    /// [`GradError::Glob`] when a glob matches no parameter; [`GradError::Moments`] for a parameter of another shape,
    /// or used by other layers, than was observed.
    pub fn apply(&self, g: &ExampleGradients) -> Result<ExampleGradients, GradError> {
        let chosen = self.chosen(g)?;
        let mut scaled = g.clone();
        scaled.parameters.retain(|each| chosen(each));
        for each in &mut scaled.parameters {
            each.factor = each.wide();
        }
        if self.is_fixed() {
            return Ok(scaled);
        }
        let observed = |path: &str| self.moments.contains_key(path);
        if !scaled.paths().any(observed) {
            return Err(GradError::Unobserved);
        }
        let (mut reached, mut seen) = (false, false);
        for each in &mut scaled.parameters {
            // Its bias is scaled otherwise, so that they have no product in common any more.
            each.weight = None;
            let path = &each.parameter.path;
            each.factor = match (each.factor.take(), self.moments.get(path)) {
                (Some(factor), Some(moments)) => {
                    moments.fit(&factor).map_err(|problem| problem.at(path))?;
                    reached = true;
                    moments.apply(factor, self.part, self.balanced)
                }
                _ => None,
            };
            if let (Some(factor), true) = (&each.factor, self.part != Part::Gradients) {
                // One side of the layer, which is a vector and not the parameter.
                each.parameter.shape = vec![factor.size()];
            }
            seen |= each.factor.is_some();
        }
        match reached && !seen {
            true => Err(GradError::NoPart { part: self.part }),
            false => Ok(scaled),
        }
    }

    /// The Gram matrix of `g` in the metric, `[n, n]`.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply).
    pub fn gram(&self, g: &ExampleGradients) -> Result<Tensor<2>, GradError> {
        Ok(self.apply(g)?.gram())
    }

    /// Which parameters are looked at.
    fn chosen(
        &self,
        g: &ExampleGradients,
    ) -> Result<impl Fn(&ParameterGradients) -> bool + use<>, GradError> {
        for (pattern, matcher) in &self.layers {
            if !g.paths().any(|path| matcher.is_match(path)) {
                return Err(GradError::Glob {
                    pattern: pattern.clone(),
                    problem: format!(
                        "matches none of the parameters {}",
                        g.paths().collect::<Vec<_>>().join(", ")
                    ),
                });
            }
        }
        let layers = self.layers.clone();
        Ok(move |each: &ParameterGradients| {
            let path = &each.parameter.path;
            layers.is_empty() || layers.iter().any(|(_, matcher)| matcher.is_match(path))
        })
    }
}

/// Whether the mean sizes of the gradients of some parameters are finite: one number each, read together.
fn finite(moments: &[(String, Moments)]) -> Result<(), GradError> {
    if moments.is_empty() {
        return Ok(());
    }
    let sizes: Vec<_> = moments
        .iter()
        .map(|(_, moments)| moments.size.sum.clone())
        .collect();
    let wide = widest_of(&sizes).unwrap_or(DType::F32);
    let sizes = sizes.into_iter().map(|size| size.cast(wide)).collect();
    let sizes = read::<f64, 1>(Tensor::cat(sizes, 0));
    let sizes = sizes.map_err(|problem| Problem::Read(problem).at(&moments[0].0))?;
    match sizes.iter().position(|size| !size.is_finite()) {
        Some(at) => Err(GradError::NotFinite {
            path: moments[at].0.clone(),
        }),
        None => Ok(()),
    }
}
