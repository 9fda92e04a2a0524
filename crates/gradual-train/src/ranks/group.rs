//! A rank with what it has to say to the others.

use std::cell::{Cell, RefCell};
use std::fmt;

use super::collective::Collective;
use super::error::RanksError;
use super::gathering::Gathering;
use super::message::{Point, content, message};
use super::numbers::Numbers;
use super::traffic::Traffic;
use crate::error::TrainError;
use crate::objective::Objective;

/// This rank among all that take a step together: for [`Trainer::with_ranks`](crate::Trainer::with_ranks), or for a
/// [loop of one's own](Self::step).
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
/// use gradual_grad::Tap;
/// use gradual_group::KMeans;
/// use gradual_loss::SumOfSquares;
/// use gradual_train::{LabelSet, Objective, Ranks, Stepper, ThreadRank, TrainError};
///
/// /// The coefficients of four examples, of which each rank traces two.
/// fn run(ranks: &Ranks) -> Result<Vec<f32>, TrainError> {
///     let device = Device::flex().autodiff();
///     let model = ranks.start(LinearConfig::new(2, 1).init(&device))?;
///     let inputs = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]];
///     let own = ranks.share(inputs.len())?;
///     let rows: Vec<f32> = inputs[own].iter().flatten().copied().collect();
///     let inputs = Tensor::<1>::from_floats(rows.as_slice(), &device).reshape([2, 2]);
///     let mut objective = Objective::new(KMeans::new(2, 0), SumOfSquares);
///     let labels = LabelSet::default();
///     let stepped = ranks.step(Stepper::default(), &model, &mut objective, labels, &[inputs], |m, x| {
///         (m.tap(x.clone()) - 1.0).powi_scalar(2).reshape([2])
///     })?;
///     Ok(stepped.coefficients)
/// }
///
/// std::thread::scope(|threads| {
///     let start = |rank| threads.spawn(move || run(&Ranks::new(rank)));
///     let started: Vec<_> = ThreadRank::several(2).into_iter().map(start).collect();
///     let each: Vec<_> = started.into_iter().map(|one| one.join().expect("no panic")).collect();
///     let each: Vec<Vec<f32>> = each.into_iter().collect::<Result<_, _>>()?;
///     assert_eq!((each[0].len(), &each[0]), (4, &each[1]));
///     Ok::<(), TrainError>(())
/// })?;
/// # Ok::<(), TrainError>(())
/// ```
pub struct Ranks {
    collective: Box<dyn Collective>,
    gathering: Gathering,
    recomputes: bool,
    entries: Vec<(String, String)>,
    traffic: Cell<Traffic>,
    broken: RefCell<Option<RanksError>>,
    /// Whether the model is still to be checked.
    unchecked: Cell<bool>,
}

impl fmt::Debug for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ranks")
            .field("rank", &self.rank())
            .field("size", &self.size())
            .field("gathering", &self.gathering)
            .finish_non_exhaustive()
    }
}

impl Ranks {
    /// A rank that gathers all [factors](Gathering::Factors) where gradients are compared.
    pub fn new(collective: impl Collective + 'static) -> Self {
        Self {
            collective: Box::new(collective),
            gathering: Gathering::Factors,
            recomputes: false,
            entries: Vec::new(),
            traffic: Cell::default(),
            broken: RefCell::default(),
            unchecked: Cell::new(true),
        }
    }

    /// Gathers something else where gradients are compared.
    #[must_use]
    pub fn with_gathering(self, gathering: Gathering) -> Self {
        Self { gathering, ..self }
    }

    /// Keeps the gradients of one part of a draw at a time, where they are compared by
    /// [sketches](Gathering::Sketch): a part is traced, sketched and let go, and once its coefficients are known its losses
    /// are computed again for the update. So the memory of a step is that of one part, however many there are, at the cost of
    /// a second forward and backward pass. For one rank, too: [`ThreadRank::several(1)`](crate::ThreadRank::several). Refused
    /// where gradients are compared by their factors. Known groups and means need no gradients, and their parts are made
    /// twice anyway.
    #[must_use]
    pub fn recomputing(self) -> Self {
        Self {
            recomputes: true,
            ..self
        }
    }

    /// Something that has to be the same on all ranks: a configuration, a checksum of the data. A
    /// [`Trainer`](crate::Trainer) refuses to start where it is not, and names the entry and the rank. Its own settings,
    /// fresh weights, sampler and first examples are compared anyway.
    #[must_use]
    pub fn expecting(mut self, entry: impl Into<String>, value: impl Into<String>) -> Self {
        self.entries.push((entry.into(), value.into()));
        self
    }

    /// The number of this rank, from 0.
    pub fn rank(&self) -> usize {
        self.collective.rank()
    }

    /// Number of ranks.
    pub fn size(&self) -> usize {
        self.collective.size()
    }

    /// Whether this is rank 0: the one that decides, evaluates and writes.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// What was sent so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic.get()
    }

    pub(crate) fn gathering(&self) -> Gathering {
        self.gathering
    }

    /// Whether the gradients of an objective are made again for the update.
    ///
    /// # Errors
    ///
    /// [`RanksError::Refused`] where what is gathered of gradients is all of them.
    pub(crate) fn recomputes(&self, objective: &Objective) -> Result<bool, RanksError> {
        match (
            self.recomputes && objective.compares_gradients(),
            self.gathering,
        ) {
            (true, Gathering::Factors) => Err(RanksError::refused(
                "gradients that are made again for the update are compared by sketches; gather these, or keep the gradients",
            )),
            (recomputes, _) => Ok(recomputes),
        }
    }

    /// Whether what is gathered is enough for an objective, and gradients may be made again where they are to be.
    ///
    /// # Errors
    ///
    /// [`RanksError::Refused`] saying what is in the way.
    pub(crate) fn check(&self, objective: &Objective) -> Result<(), RanksError> {
        self.gathering.check(objective)?;
        self.recomputes(objective).map(drop)
    }

    pub(super) fn entries(&self) -> &[(String, String)] {
        &self.entries
    }

    /// Another model is to be checked.
    pub(crate) fn see_unchecked(&self) {
        self.unchecked.set(true);
    }

    /// Whether the model has not been checked yet; from here on it has.
    pub(crate) fn take_unchecked(&self) -> bool {
        self.unchecked.replace(false)
    }

    /// The contents of all ranks' messages, and what goes with a rank's own here. Where a rank has an error instead, all
    /// fail: that rank with its error, the others with one that names it.
    pub(crate) fn gather_with<V>(
        &self,
        point: Point,
        own: Result<(Vec<u8>, V), TrainError>,
    ) -> Result<(Vec<Vec<u8>>, V), TrainError> {
        let (bytes, value) = own.map_err(|error| self.announce(point, error))?;
        let all = self.send(point, Ok(&bytes))?;
        let contents = all.iter().enumerate();
        let contents = contents.map(|(rank, each)| content(point, rank, each).map(<[u8]>::to_vec));
        let contents = contents.collect::<Result<Vec<_>, RanksError>>();
        let contents = contents.map_err(|error| self.kept(error))?;
        Ok((contents, value))
    }

    /// What this rank has come to, once all others have come as far.
    pub(crate) fn all_well<V>(
        &self,
        point: Point,
        own: Result<V, TrainError>,
    ) -> Result<V, TrainError> {
        let (_, value) = self.gather_with(point, own.map(|value| (Vec::new(), value)))?;
        Ok(value)
    }

    /// Tells the others of an error, in the place of what they gather next.
    pub(crate) fn announce(&self, point: Point, error: TrainError) -> TrainError {
        // Where the others are gone, this error still says what came first here.
        let _ = self.send(point, Err(&error));
        error
    }

    fn send(
        &self,
        point: Point,
        own: Result<&[u8], &TrainError>,
    ) -> Result<Vec<Vec<u8>>, RanksError> {
        let sent = message(point, own);
        let all = self.call(|collective| collective.all_gather(&sent))?;
        self.count(|traffic| {
            traffic.gathers += 1;
            traffic.gathered += all.iter().map(|each| each.len() as u64).sum::<u64>();
        });
        Ok(all)
    }

    /// What rank 0 has to say.
    pub(crate) fn told_by_first(
        &self,
        point: Point,
        own: Result<Vec<u8>, &TrainError>,
    ) -> Result<Vec<u8>, TrainError> {
        let own = own.as_ref().map(Vec::as_slice).map_err(|error| *error);
        let mut sent = match self.is_first() {
            true => message(point, own),
            false => Vec::new(),
        };
        self.call(|collective| collective.broadcast(0, &mut sent))?;
        self.count(|traffic| {
            traffic.broadcasts += 1;
            traffic.broadcast += sent.len() as u64;
        });
        let content = content(point, 0, &sent).map(<[u8]>::to_vec);
        content.map_err(|error| self.kept(error).into())
    }

    /// Sums numbers over all ranks.
    pub(super) fn reduce(&self, numbers: &mut Numbers) -> Result<(), TrainError> {
        let bytes = match numbers {
            Numbers::Single(values) => {
                self.call(|collective| collective.all_reduce_f32(values))?;
                values.len() * size_of::<f32>()
            }
            Numbers::Double(values) => {
                self.call(|collective| collective.all_reduce_f64(values))?;
                values.len() * size_of::<f64>()
            }
        };
        self.count(|traffic| {
            traffic.reductions += 1;
            traffic.reduced += bytes as u64;
        });
        Ok(())
    }

    /// Calls, unless a call has failed before: then this rank has left.
    fn call<V>(
        &self,
        call: impl FnOnce(&dyn Collective) -> Result<V, RanksError>,
    ) -> Result<V, RanksError> {
        if let Some(error) = &*self.broken.borrow() {
            return Err(error.clone());
        }
        call(&*self.collective).map_err(|error| self.left(error))
    }

    /// An error of what was sent. Where ranks no longer come to the same points, this one leaves.
    fn kept(&self, error: RanksError) -> RanksError {
        match error {
            RanksError::Failed { .. } => error,
            _ => self.left(error),
        }
    }

    fn left(&self, error: RanksError) -> RanksError {
        self.collective.leave(&error.to_string());
        self.broken.replace(Some(error.clone()));
        error
    }

    fn count(&self, add: impl FnOnce(&mut Traffic)) {
        let mut traffic = self.traffic.get();
        add(&mut traffic);
        self.traffic.set(traffic);
    }
}
