//! Soft groups without a number: diffusion maps.

mod coordinates;
mod kernel;
mod record;
mod scale;
mod walk;

use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::{ExampleGradients, Metric};
use gradual_registry::{Entry, Parameter};

use crate::clustering::cosines::squares;
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::needs::Needs;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;
use crate::metric;
use crate::parameters;
use crate::read::{host, wide_gram};
use coordinates::Coordinates;
use scale::Scale;
use walk::{GraphSettings, Walk};

const OPERATION: &str = "diffusion";

/// The graph of each draw's own examples.
const DRAW: &str = "draw";
/// Half of the root of the number of examples.
const ROOT: &str = "root";
/// The time at which halves agree best.
const STABLE: &str = "stable";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "diffusion",
    about: "soft groups without a number, one around each example: how near two are in a diffusion map",
    facts: &[
        ("grouping", "[`Diffusion`]"),
        ("needs", "gradients"),
        (
            "cost per draw of n",
            "a cross Gram matrix with m standing examples + n m r + n² r",
        ),
        ("use it", "where the number of groups is not known"),
    ],
    parameters: &[
        Parameter::count(
            "examples",
            "standing examples that the graph is made of",
            1_500,
        )
        .at_least(1.0)
        .at_most(parameters::MANY_STANDING)
        .or_words(&[DRAW]),
        Parameter::count("every", "draws until their gradients are taken again", 20)
            .at_least(1.0)
            .at_most(parameters::MANY_DRAWS),
        Parameter::flag("rebuild", "whether the graph is made anew with them", false),
        Parameter::number("time", "steps of the random walk", 4.0)
            .at_least(1.0)
            .at_most(1_000.0)
            .or_words(&[STABLE])
            .word_by_default(STABLE),
        Parameter::number("power", "power of the cosines in the map", 3.0)
            .above(0.0)
            .at_most(100.0),
        Parameter::count("neighbours", "nearest neighbours in the graph", 20)
            .at_least(1.0)
            .at_most(parameters::MANY_STANDING)
            .or_words(&[ROOT])
            .word_by_default(ROOT),
        Parameter::number(
            "density",
            "power of the density that edges are divided by",
            1.0,
        )
        .at_least(0.0)
        .at_most(1.0),
        Parameter::count("directions", "most directions of the map", 128)
            .at_least(1.0)
            .at_most(parameters::MANY_STANDING),
    ],
    build: |arguments, context| {
        let mut diffusion = Diffusion::new()
            .with_every(arguments.count("every")?)?
            .with_rebuilding(arguments.flag("rebuild")?)
            .with_power(arguments.number("power")?)?
            .with_density(arguments.number("density")?)?
            .with_directions(arguments.count("directions")?)?;
        if let Some(metric) = context.metric {
            diffusion = diffusion.with_metric(metric);
        }
        diffusion = match parameters::count(arguments, "examples")? {
            Some(examples) => diffusion.with_examples(examples)?,
            None => diffusion.in_the_draw(),
        };
        if let Some(neighbours) = parameters::count(arguments, "neighbours")? {
            diffusion = diffusion.with_neighbours(neighbours)?;
        }
        if let Some(time) = parameters::number(arguments, "time")? {
            diffusion = diffusion.with_time(time)?;
        }
        Ok(Box::new(diffusion))
    },
};

/// Soft groups without a number, one around each example: a kernel between the places that a diffusion map gives them.
///
/// # The idea
///
/// Clusters are not needed to weigh every mode of the data alike. For a symmetric kernel K ≥ 0 between the examples of a
/// draw and its row sums d = K1, the memberships M = K / d are a soft group around each example, and with weights 1 / d
/// the sum of squares is
///
/// ```text
/// L = Σ_j ℓ̄_j² / d_j        ℓ̄ = Mℓ
/// ```
///
/// If K is 1 inside of blocks and 0 between them, this *is* Σ_g ℓ̄_g² over the blocks, whatever their number. The sum of
/// the weights, Σ_j 1 / d_j, is the number of groups then, and a soft number of groups otherwise.
///
/// The kernel comes from a diffusion map (Coifman & Lafon 2006, doi:10.1016/j.acha.2006.04.006). Standing examples are
/// the nodes of a graph, in which each has edges to its nearest neighbours, weighed by squared cosines (which do not see
/// signs). A random walk P on the graph leaves a well connected part seldom. Its eigenpairs (λ_i, ψ_i) but the constant
/// one give an example with similarities S(x, l) to the nodes the coordinates
///
/// ```text
/// φ_i(x) = λ_i^(T−1) Σ_l p(x, l) ψ_i(l)        p(x, l) ∝ S(x, l) / q_l
/// K(x, y) = max(0, cos(φ(x), φ(y)))^power
/// ```
///
/// where q_l is the sum of the edges of l. Over all i, φ(x)·φ(y) would be Σ_l p_T(x, l) p_T(y, l) / π_l − 1, with p_T the
/// distribution of the walk that starts at x after T steps and π the one that every walk ends in. So two examples are
/// alike if their walks end in the same places. Eigenvalues below zero are left out: they say at which steps a walk that
/// goes to and fro is where.
///
/// # What it is robust to
///
/// In a graph of all similarities a rare group is weakly bound: its examples have as much similarity to the many others
/// as among themselves, its eigenvalue falls below those of the noise, and an outlying example may own an eigenvector.
/// Edges to the nearest neighbours alone bind every group alike, however rare it is, if it has as many standing examples
/// as [neighbours](Self::with_neighbours). An outlying example has as many edges as any, all of them weak but for its
/// distance, so the walk leaves it at once. Edges are divided by the [density](Self::with_density) q at both ends, as
/// Coifman and Lafon do with α = 1, so that hubs do not draw all walks to themselves.
///
/// # How far the walk goes
///
/// T is a scale, from fine to coarse. It may be [given](Self::with_time). By default it is chosen once, when the graph is
/// made, by the agreement of two halves of the nodes: each half makes a graph of its own, both place the same examples,
/// and the two kernels, D^-½ K D^-½ without what all examples share and without the diagonal, are compared by their
/// cosine (for blocks, every group counts the same in it). The time of the largest agreement is taken, of equal ones the
/// finest. If the halves agree by less than one half at every time there is nothing to be found, and all examples are one
/// group. A time that is given presupposes at least two groups, as an eigengap does.
///
/// # Steps and cost
///
/// Once: the gradients of m standing examples, their Gram matrix, and the leading r directions of the graph (some
/// 10 m² r operations, or 9 m³ where that is less); for the choice of T the same of two halves, and some kernels of at
/// most 512 examples. Every `every` draws: the gradients of the standing examples again. They keep their places in the
/// map, unless the graph is [rebuilt](Self::with_rebuilding). Each draw of n: its inner products with the m standing
/// examples, n m r operations for the places, n² r for the kernel, and n² memberships, all on the device.
///
/// [`in_the_draw`](Self::in_the_draw), the nodes are the examples of each draw itself: no standing examples, but a graph
/// for every draw, and groups that are as noisy as a draw is small.
///
/// # When to use it
///
/// Where the number of groups is not known, or where there is none because one capability passes into another. Take a
/// whitened metric as with [`Landmarks`](crate::Landmarks), and enough standing examples that the rarest capability
/// that counts has as many as the graph has neighbours (by default √m / 2: 19 of 1 500). An example that is like no
/// standing example is a group by itself; one whose gradient is zero is in none.
#[derive(Debug, Clone)]
pub struct Diffusion {
    metric: Option<Metric>,
    /// None for the draw itself.
    examples: Option<usize>,
    every: usize,
    rebuild: bool,
    time: Option<f64>,
    power: f64,
    neighbours: Option<usize>,
    density: f64,
    directions: usize,
    /// Once it is chosen.
    scale: Option<Scale>,
    standing: Option<StandingExamples>,
    /// Draws since the standing examples were shown.
    since: usize,
}

/// The nodes of the graph: their gradients under the current model, and their places.
#[derive(Debug, Clone)]
struct StandingExamples {
    gradients: ExampleGradients,
    coordinates: Coordinates,
}

/// 1 500 standing examples, shown again every 20 draws; the time chosen by stability; cubes of cosines in the map.
impl Default for Diffusion {
    fn default() -> Self {
        Self {
            metric: None,
            examples: Some(1_500),
            every: 20,
            rebuild: false,
            time: None,
            power: 3.0,
            neighbours: None,
            density: 1.0,
            directions: 128,
            scale: None,
            standing: None,
            since: 0,
        }
    }
}

impl Diffusion {
    /// Of gradients as they are, against 1 500 standing examples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compares gradients in a metric.
    #[must_use]
    pub fn with_metric(self, metric: Metric) -> Self {
        Self {
            metric: Some(metric),
            ..self
        }
    }

    /// How many standing examples the graph is made of.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_examples(self, examples: usize) -> Result<Self, GroupError> {
        let examples = GroupError::at_least(OPERATION, "the number of examples", 1, examples)?;
        Ok(Self {
            examples: Some(examples),
            ..self
        })
    }

    /// Makes the graph of each draw's own examples.
    #[must_use]
    pub fn in_the_draw(self) -> Self {
        Self {
            examples: None,
            ..self
        }
    }

    /// After how many draws the standing examples' gradients are taken again.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_every(self, every: usize) -> Result<Self, GroupError> {
        let draws = "the number of draws until gradients are taken again";
        let every = GroupError::at_least(OPERATION, draws, 1, every)?;
        Ok(Self { every, ..self })
    }

    /// Whether the graph is made anew, and its time chosen again, when the standing examples' gradients are taken
    /// again. By default it is made once, and they keep their places in the map.
    #[must_use]
    pub fn with_rebuilding(self, rebuild: bool) -> Self {
        Self { rebuild, ..self }
    }

    /// How many steps T ≥ 1 the walk goes, instead of the most stable number. It need not be whole.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for less than one.
    pub fn with_time(self, time: f64) -> Result<Self, GroupError> {
        match time >= 1.0 && time.is_finite() {
            true => Ok(Self {
                time: Some(time),
                ..self
            }),
            false => Err(out_of_range("the time", "at least 1", time)),
        }
    }

    /// The power of the cosines between places, 3 by default: the higher, the narrower the groups. On sparse parity halves of
    /// the nodes agree best at 3.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] unless it is above 0.
    pub fn with_power(self, power: f64) -> Result<Self, GroupError> {
        match power > 0.0 && power.is_finite() {
            true => Ok(Self { power, ..self }),
            false => Err(out_of_range("the power", "above 0", power)),
        }
    }

    /// How many nearest neighbours each node has edges to, instead of half of the root of their number.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_neighbours(self, neighbours: usize) -> Result<Self, GroupError> {
        let parameter = "the number of neighbours";
        let neighbours = GroupError::at_least(OPERATION, parameter, 1, neighbours)?;
        Ok(Self {
            neighbours: Some(neighbours),
            ..self
        })
    }

    /// The power α of the density that edges are divided by at both ends: 1 by default, 0 for none.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] unless it is from 0 to 1.
    pub fn with_density(self, power: f64) -> Result<Self, GroupError> {
        let density = GroupError::share(OPERATION, "the power of the density", power)?;
        Ok(Self { density, ..self })
    }

    /// Most directions of the map, 128 by default: groups can be told apart only if there are about as many of them.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_directions(self, directions: usize) -> Result<Self, GroupError> {
        let parameter = "the number of directions";
        let directions = GroupError::at_least(OPERATION, parameter, 1, directions)?;
        Ok(Self { directions, ..self })
    }

    /// How many steps the walk goes, once that is known; none where halves of the nodes agree at no time, so that all
    /// examples are one group.
    pub fn time(&self) -> Option<f64> {
        self.scale.and_then(|scale| scale.time)
    }

    /// How well two halves of the nodes agree at that time, up to 1, once it has been chosen.
    pub fn stability(&self) -> Option<f64> {
        self.scale.and_then(|scale| scale.stability)
    }

    /// Gradients in the metric, which has observed them.
    fn observed(
        metric: &mut Option<Metric>,
        gradients: &ExampleGradients,
    ) -> Result<ExampleGradients, GroupError> {
        match metric {
            None => Ok(gradients.clone()),
            Some(metric) => metric::observed(OPERATION, metric, gradients),
        }
    }

    /// The scale, and what nodes with these squared cosines add to the coordinates of an example.
    fn map(&self, similarities: &[f64], m: usize) -> Result<(Scale, Coordinates), GroupError> {
        let root = || ((m as f64).sqrt() / 2.0).round().max(1.0) as usize;
        let settings = GraphSettings {
            neighbours: self.neighbours.unwrap_or_else(root),
            density: self.density,
            directions: self.directions,
        };
        let scale = match (self.time, self.scale.filter(|_| !self.rebuild)) {
            (Some(time), _) => Scale {
                time: Some(time),
                stability: None,
            },
            (None, Some(chosen)) => chosen,
            (None, None) => Scale::stable(similarities, m, settings, self.power)?,
        };
        let coordinates = match scale.time {
            Some(time) => Coordinates::at(time, &Walk::new(similarities, m, settings)?),
            None => Coordinates::together(m),
        };
        Ok((scale, coordinates))
    }

    /// Squared cosines between n gradients on the host, row-major; 0 with a zero gradient.
    fn squared_cosines(gram: &Tensor<2>, n: usize) -> Result<Vec<f64>, GroupError> {
        let mut entries = wide_gram(OPERATION, gram)?;
        let norms: Vec<f64> = (0..n).map(|j| entries[j * n + j].max(0.0).sqrt()).collect();
        for (row, norm) in entries.chunks_mut(n.max(1)).zip(&norms) {
            for (entry, other) in row.iter_mut().zip(&norms) {
                *entry = match norm * other > 0.0 {
                    true => (*entry / (norm * other)).clamp(-1.0, 1.0).powi(2),
                    false => 0.0,
                };
            }
        }
        Ok(entries)
    }

    /// The groups of a draw by the graph of its own examples.
    fn within(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let n = draw.nonempty(OPERATION)?;
        let mut metric = self.metric.clone();
        let gram = match &metric {
            Some(_) => Self::observed(&mut metric, draw.gradients(OPERATION)?)?.gram(),
            None => draw.gram(OPERATION)?,
        };
        let mut similarities = Self::squared_cosines(&gram, n)?;
        let (scale, coordinates) = self.map(&similarities, n)?;
        let own: Vec<f64> = similarities.iter().step_by(n + 1).copied().collect();
        similarities
            .iter_mut()
            .step_by(n + 1)
            .for_each(|own| *own = 0.0);
        let device = draw.device();
        let on = (&device, gram.dtype());
        let similarities = Tensor::<2>::from_data(TensorData::new(similarities, [n, n]), on);
        let own = Tensor::<1>::from_data(TensorData::new(own, [n]), on);
        let places = coordinates.tensor(n, &device, gram.dtype());
        let groups = kernel::groups(draw, similarities, own, &places, self.power)?;
        self.metric = metric;
        self.scale = Some(scale);
        Ok(groups.with_spectrum(coordinates.spectrum))
    }

    /// The groups of a draw against standing examples.
    fn against(&self, draw: &Draw<'_>, standing: &StandingExamples) -> Result<Groups, GroupError> {
        let gradients = self.seen(draw.gradients(OPERATION)?)?;
        let nodes = &standing.gradients;
        let m = nodes.num_examples();
        let lengths = nodes.norms().reshape([1, m]);
        let zero = lengths.clone().equal_elem(0.0);
        let shares = lengths.recip().mask_fill(zero, 0.0);
        let products = gradients
            .cross_gram(nodes)
            .map_err(GroupError::gradients(OPERATION))?;
        let similarities = squares(products * shares);
        let like = (similarities.device(), similarities.dtype());
        let places = standing.coordinates.tensor(m, &like.0, like.1);
        let norms = gradients.norms();
        let groups = kernel::groups(draw, similarities, norms, &places, self.power)?;
        Ok(groups.with_spectrum(standing.coordinates.spectrum.clone()))
    }
}

fn out_of_range(parameter: &'static str, expected: &'static str, got: f64) -> GroupError {
    GroupError::Parameter {
        operation: OPERATION,
        parameter,
        expected,
        got,
    }
}

impl Grouping for Diffusion {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        match examples {
            0 => Err(GroupError::EmptyDraw {
                operation: OPERATION,
            }),
            n => GroupError::groups(OPERATION, n, n),
        }
    }

    fn wants(&self) -> Option<Standing> {
        let examples = self.examples?;
        match self.standing {
            None => Some(Standing::Fresh(examples)),
            Some(_) => (self.since >= self.every).then_some(Standing::Again),
        }
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let gradients = standing.gradients(OPERATION)?;
        let got = gradients.num_examples();
        let before = self.standing.as_ref();
        let expected = before.map_or(got, |before| before.gradients.num_examples());
        GroupError::standing(OPERATION, expected, got)?;
        let mut metric = self.metric.clone();
        let gradients = Self::observed(&mut metric, gradients)?;
        let (scale, coordinates) = match (before, self.scale) {
            (Some(before), Some(scale)) if !self.rebuild => {
                let norms = host(OPERATION, &gradients.norms())?;
                if let Some(example) = norms.iter().position(|norm| !norm.is_finite()) {
                    return Err(GroupError::NotFinite {
                        operation: OPERATION,
                        example,
                    });
                }
                (scale, before.coordinates.clone())
            }
            _ => self.map(&Self::squared_cosines(&gradients.gram(), got)?, got)?,
        };
        self.standing = Some(StandingExamples {
            gradients,
            coordinates,
        });
        self.metric = metric;
        self.scale = Some(scale);
        self.since = 0;
        Ok(())
    }

    fn keeps_identity(&self) -> bool {
        false
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.check(draw.num_examples())?;
        if self.examples.is_none() {
            return self.within(draw);
        }
        draw.gradients(OPERATION)?;
        let standing = self.standing.as_ref().ok_or(GroupError::NoStanding {
            operation: OPERATION,
        })?;
        let groups = self.against(draw, standing)?;
        self.since = self.since.saturating_add(1);
        Ok(groups)
    }

    fn seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        match &self.metric {
            None => Ok(gradients.clone()),
            Some(metric) => metric::seen(OPERATION, metric, gradients),
        }
    }

    /// The nodes with their places and gradients, the time, and the metric's running moments.
    fn state(&self) -> Result<State, GroupError> {
        State::new(OPERATION, &self.record()?)
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        self.restore_record(state.read(OPERATION)?, device)
    }
}
