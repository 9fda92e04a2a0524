//! Groups that overlap: sparse atoms of the gradients.

mod dictionary;
mod record;

use burn::tensor::Device;
use faer::Mat;
use gradual_grad::{ExampleGradients, Metric};
use gradual_registry::{Entry, Parameter};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::clustering::cosines::{Cosines, cross_cosines};
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::needs::Needs;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;
use crate::linalg::spectrum::Spectrum;
use crate::metric;
use crate::parameters;
use crate::read::host;
use dictionary::{learn, pursue};

const OPERATION: &str = "sparse atoms";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "sparse-atoms",
    about: "groups that overlap: atoms of a dictionary of which each gradient is a sum of few",
    facts: &[
        ("grouping", "[`SparseAtoms`]"),
        ("needs", "gradients"),
        (
            "cost per draw of n",
            "a cross Gram matrix with m standing examples + n m k",
        ),
        (
            "use it",
            "where an example may exercise several capabilities",
        ),
    ],
    parameters: &[
        parameters::COUNT,
        Parameter::count("sparsity", "most atoms of one example", 2)
            .at_least(1.0)
            .at_most(100.0),
        Parameter::count(
            "examples",
            "standing examples that atoms are learned from",
            1_000,
        )
        .at_least(1.0)
        .at_most(parameters::MANY_STANDING),
        Parameter::count("every", "draws until their gradients are taken again", 20)
            .at_least(1.0)
            .at_most(parameters::MANY_DRAWS),
        Parameter::count("directions", "leading directions that atoms lie in", 128)
            .at_least(1.0)
            .at_most(parameters::MANY_STANDING),
        Parameter::count("rounds", "rounds of learning", 10)
            .at_least(1.0)
            .at_most(1_000.0),
    ],
    build: |arguments, context| {
        let atoms = parameters::groups(arguments, &context)?;
        let metric = context.metric.unwrap_or_else(Metric::euclidean);
        let atoms = SparseAtoms::new(atoms, metric, context.seed)?
            .with_sparsity(arguments.count("sparsity")?)?
            .with_examples(arguments.count("examples")?)?
            .with_every(arguments.count("every")?)?
            .with_directions(arguments.count("directions")?)?
            .with_rounds(arguments.count("rounds")?)?;
        Ok(Box::new(atoms))
    },
};

/// Groups whose members overlap: each gradient is a sum of few atoms of a dictionary.
///
/// # The idea
///
/// An example may exercise several capabilities, and its gradient is then a sum of what each of them asks for. Dictionary
/// learning finds unit directions, the atoms, such that every gradient is nearly a sum of a few of them. Rosser 2026
/// ("Gradient Atoms", arXiv 2603.14665) does so with preconditioned gradients of documents, in the leading eigenspace of
/// their Gram matrix, and finds that atoms stand for kinds of tasks. Here each atom is a group, and an example belongs to
/// it by the share that the atom has in its code c: m_a = c_a² / Σ_b c_b², which does not see the sign of a gradient. Group losses
/// are means by these shares, each with weight 1.
///
/// # Steps and cost
///
/// Once: the gradients of m standing examples in the metric, the leading r directions of their cosines, and the atoms
/// there, by K-SVD (Aharon, Elad & Bruckstein 2006, doi:10.1109/TSP.2006.881199): in each round m codes by orthogonal matching
/// pursuit (m k r operations) and k leading singular vectors. An atom is kept as a sum of standing gradients, and moves with
/// them when they are taken again every `every` draws. Each draw of n: its inner products with the m standing
/// examples, n m k operations for those with the atoms, and n codes on the host (Rubinstein, Zibulevsky & Elad 2008, which
/// needs inner products alone).
///
/// # When to use it
///
/// Where examples mix capabilities, such as long texts. Where each has one, take [`Landmarks`](crate::Landmarks) or
/// [`Diffusion`](crate::Diffusion): an atom is a *direction* that gradients share, and gradients of one capability may
/// share little of one. On sparse parity at the start 20 atoms explain a quarter of the whitened gradients and recover the
/// tasks at 0.6, where spectral clusters recover 0.94. With a sparsity of 1 this is clustering by axes, as of
/// [`SphericalKMeans::sign_free`](crate::SphericalKMeans::sign_free). An example whose gradient is orthogonal to all atoms
/// belongs to all alike, one whose gradient is zero to none.
#[derive(Debug, Clone)]
pub struct SparseAtoms {
    atoms: usize,
    metric: Metric,
    seed: u64,
    sparsity: usize,
    examples: usize,
    every: usize,
    directions: usize,
    rounds: usize,
    standing: Option<StandingAtoms>,
    /// Draws since the standing examples were shown.
    since: usize,
}

/// The atoms, as sums of standing gradients.
#[derive(Debug, Clone)]
struct StandingAtoms {
    gradients: ExampleGradients,
    /// How much of each unit gradient is in each atom, `[m, k]` row-major.
    weights: Vec<f64>,
    /// Inner products of the atoms, `[k, k]` row-major.
    gram: Vec<f64>,
}

impl SparseAtoms {
    /// So many atoms in a metric: two for each example at most, learned in ten rounds from 1 000 standing examples in their
    /// 128 leading directions, whose gradients are taken again every 20 draws.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for no atom.
    pub fn new(atoms: usize, metric: Metric, seed: u64) -> Result<Self, GroupError> {
        Ok(Self {
            atoms: GroupError::at_least(OPERATION, "the number of atoms", 1, atoms)?,
            metric,
            seed,
            sparsity: 2,
            examples: 1_000,
            every: 20,
            directions: 128,
            rounds: 10,
            standing: None,
            since: 0,
        })
    }

    /// Most atoms in the code of one example.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_sparsity(self, sparsity: usize) -> Result<Self, GroupError> {
        let sparsity = GroupError::at_least(OPERATION, "the sparsity", 1, sparsity)?;
        Ok(Self { sparsity, ..self })
    }

    /// How many standing examples the atoms are learned from.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_examples(self, examples: usize) -> Result<Self, GroupError> {
        let examples = GroupError::at_least(OPERATION, "the number of examples", 1, examples)?;
        Ok(Self { examples, ..self })
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

    /// How many leading directions of the standing gradients the atoms lie in.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_directions(self, directions: usize) -> Result<Self, GroupError> {
        let parameter = "the number of directions";
        let directions = GroupError::at_least(OPERATION, parameter, 1, directions)?;
        Ok(Self { directions, ..self })
    }

    /// In how many rounds the atoms are learned.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_rounds(self, rounds: usize) -> Result<Self, GroupError> {
        let rounds = GroupError::at_least(OPERATION, "the number of rounds", 1, rounds)?;
        Ok(Self { rounds, ..self })
    }

    /// Whether atoms and their products can be made of so many standing examples.
    fn fits(&self, standing: usize) -> Result<(), GroupError> {
        GroupError::filled_groups(OPERATION, self.atoms, standing)
            .map_err(|error| error.of_standing(OPERATION))?;
        GroupError::groups(OPERATION, self.atoms, self.atoms)
    }

    /// Learns the atoms of standing gradients with these cosines, as sums of them, `[m, k]`.
    fn learned(&self, cosines: &Cosines) -> Result<Vec<f64>, GroupError> {
        let m = cosines.num_examples();
        let spectrum = Spectrum::leading_host(cosines.entries(), m, self.directions.min(m))?;
        let largest = spectrum.singular_values().first().copied().unwrap_or(0.0);
        // Smaller ones are rounding.
        let axes = spectrum.singular_values().iter().enumerate();
        let axes: Vec<(usize, f64)> = axes
            .filter(|(_, length)| **length > 1e-2 * largest)
            .map(|(axis, &length)| (axis, length))
            .collect();
        let mut points = vec![Vec::with_capacity(axes.len()); m];
        for &(axis, _) in &axes {
            for (point, component) in points.iter_mut().zip(spectrum.components(axis)) {
                point.push(component);
            }
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let atoms = learn(&points, self.atoms, self.sparsity, self.rounds, &mut random);
        // Direction i is Σ_l (component of l) / σ_i² times the unit gradient l.
        let weight = |point: &Vec<f64>, atom: &Vec<f64>| -> f64 {
            let parts = point.iter().zip(atom).zip(&axes);
            parts
                .map(|((component, share), (_, length))| component * share / (length * length))
                .sum()
        };
        let pairs = points
            .iter()
            .flat_map(|point| atoms.iter().map(move |atom| weight(point, atom)));
        Ok(pairs.collect())
    }

    /// The same atoms, of unit length, under the cosines that standing gradients have now.
    fn renewed(
        &self,
        mut weights: Vec<f64>,
        gradients: ExampleGradients,
        cosines: &Cosines,
    ) -> StandingAtoms {
        let (m, k) = (cosines.num_examples(), self.atoms);
        let entries = cosines.entries();
        let of = Mat::from_fn(m, k, |l, a| weights[l * k + a]);
        let between = Mat::from_fn(m, m, |l, j| f64::from(entries[l * m + j]));
        let products = of.transpose() * (between * &of);
        let length = |a: usize| match products[(a, a)] > 0.0 {
            true => products[(a, a)].sqrt(),
            false => 1.0,
        };
        for row in weights.chunks_mut(k) {
            row.iter_mut()
                .enumerate()
                .for_each(|(a, weight)| *weight /= length(a));
        }
        let pairs = (0..k).flat_map(|a| (0..k).map(move |b| (a, b)));
        StandingAtoms {
            gradients,
            weights,
            gram: pairs
                .map(|(a, b)| products[(a, b)] / (length(a) * length(b)))
                .collect(),
        }
    }
}

impl Grouping for SparseAtoms {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    /// Whether there are as many standing examples as atoms; a draw may have any size that memberships allow.
    fn check(&self, examples: usize) -> Result<(), GroupError> {
        self.fits(self.examples)?;
        GroupError::groups(OPERATION, self.atoms, examples)
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(self.atoms)
    }

    fn wants(&self) -> Option<Standing> {
        match self.standing {
            None => Some(Standing::Fresh(self.examples)),
            Some(_) => (self.since >= self.every).then_some(Standing::Again),
        }
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let gradients = standing.gradients(OPERATION)?;
        let got = gradients.num_examples();
        self.fits(got)?;
        let mut metric = self.metric.clone();
        let gradients = metric::observed(OPERATION, &mut metric, gradients)?;
        let before = self.standing.as_ref();
        let expected = before.map_or(got, |before| before.gradients.num_examples());
        GroupError::standing(OPERATION, expected, got)?;
        let cosines = Cosines::from_gram(OPERATION, host(OPERATION, &gradients.gram())?, got)?;
        let weights = match before {
            None => self.learned(&cosines)?,
            Some(before) => before.weights.clone(),
        };
        self.standing = Some(self.renewed(weights, gradients, &cosines));
        self.metric = metric;
        self.since = 0;
        Ok(())
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let gradients = draw.gradients(OPERATION)?;
        let standing = self.standing.as_ref().ok_or(GroupError::NoStanding {
            operation: OPERATION,
        })?;
        let gradients = self.seen(gradients)?;
        let (n, m, k) = (
            draw.num_examples(),
            standing.gradients.num_examples(),
            self.atoms,
        );
        GroupError::groups(OPERATION, k, n)?;
        let norms = host(OPERATION, &gradients.norms())?;
        let cosines = cross_cosines(OPERATION, &gradients, &standing.gradients)?;
        let with_atoms = Mat::from_fn(n, m, |j, l| f64::from(cosines[j * m + l]))
            * Mat::from_fn(m, k, |l, a| standing.weights[l * k + a]);
        let mut membership = vec![0.0; k * n];
        for j in (0..n).filter(|&j| norms[j] > 0.0) {
            let products: Vec<f64> = (0..k).map(|a| with_atoms[(j, a)]).collect();
            let code = pursue(&products, &standing.gram, self.sparsity);
            let whole: f64 = code.iter().map(|(_, amount)| amount * amount).sum();
            match whole > 0.0 {
                true => {
                    for (atom, amount) in code {
                        membership[atom * n + j] = amount * amount / whole;
                    }
                }
                false => (0..k).for_each(|atom| membership[atom * n + j] = 1.0 / k as f64),
            }
        }
        let sizes: Vec<f64> = membership.chunks(n).map(|row| row.iter().sum()).collect();
        for (row, &size) in membership.chunks_mut(n).zip(&sizes) {
            let divisor = if size > 0.0 { size } else { 1.0 };
            row.iter_mut().for_each(|share| *share /= divisor);
        }
        let weights = sizes.iter().map(|&size| f64::from(u8::from(size > 0.0)));
        let groups = Groups::soft(membership, weights.collect(), sizes, draw.options())?;
        self.since = self.since.saturating_add(1);
        Ok(groups)
    }

    fn seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        metric::seen(OPERATION, &self.metric, gradients)
    }

    /// The atoms with the standing gradients that they are sums of, and the metric's running moments.
    fn state(&self) -> Result<State, GroupError> {
        State::new(OPERATION, &self.record()?)
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        self.restore_record(state.read(OPERATION)?, device)
    }
}
