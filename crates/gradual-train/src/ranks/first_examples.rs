//! Whether all ranks have the same data.

use super::error::RanksError;
use super::group::Ranks;
use super::message::Point;
use super::numbers::Numbers;
use crate::error::TrainError;
use crate::step::decided::first_that_differs;

/// What tells the first examples of a task apart from others.
pub(crate) struct FirstExamples {
    /// Of their labels.
    pub(crate) labels: u64,
    /// Their losses under the model that the run starts from, and whether they are of half precision.
    pub(crate) losses: Vec<f32>,
    pub(crate) half: bool,
}

impl FirstExamples {
    fn bytes(self) -> Vec<u8> {
        let losses = Numbers::Single(self.losses).bytes();
        let labels = self.labels.to_le_bytes();
        let half = [u8::from(self.half)];
        [labels.as_slice(), &half, &losses].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (labels, rest) = bytes.split_first_chunk()?;
        let (half, losses) = rest.split_first()?;
        Some(Self {
            labels: u64::from_le_bytes(*labels),
            losses: Numbers::read(losses)?.single(),
            half: *half != 0,
        })
    }

    /// What differs of the same examples, what it is there, and what it is here.
    fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        if self.labels != other.labels || self.losses.len() != other.losses.len() {
            let [here, there] = [self, other]
                .map(|one| format!("{:016x} ({} of them)", one.labels, one.losses.len()));
            return Some((
                "the digest of the labels of the first examples".to_owned(),
                there,
                here,
            ));
        }
        let half = self.half || other.half;
        let at = first_that_differs(&self.losses, &other.losses, half)?;
        let [here, there] = [self, other].map(|one| one.losses[at].to_string());
        let entry = format!("the loss of example {at} of the first examples (their data)");
        Some((entry, there, here))
    }
}

impl Ranks {
    /// Refuses ranks whose first examples are not those of rank 0. Gives what goes with a rank's own here.
    ///
    /// # Errors
    ///
    /// [`RanksError::Differs`].
    pub(crate) fn same_examples<V>(
        &self,
        own: Result<(FirstExamples, V), TrainError>,
    ) -> Result<V, TrainError> {
        let own = own.map(|(own, value)| (own.bytes(), value));
        let (all, value) = self.gather_with(Point::FirstExamples, own)?;
        let read = all.iter().enumerate().map(|(rank, bytes)| {
            let unread = RanksError::Message {
                rank,
                at: Point::FirstExamples.name(),
            };
            FirstExamples::read(bytes).ok_or(unread)
        });
        let read = read.collect::<Result<Vec<_>, RanksError>>()?;
        let Some((first, others)) = read.split_first() else {
            return Ok(value);
        };
        for (own, rank) in others.iter().zip(1..) {
            if let Some((entry, expected, got)) = own.difference(first) {
                return Err(RanksError::Differs {
                    rank,
                    entry,
                    expected,
                    got,
                }
                .into());
            }
        }
        Ok(value)
    }
}
