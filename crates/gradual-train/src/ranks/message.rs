//! What ranks send each other: whether the sender is well, and what all need to know of it.

use super::error::RanksError;
use crate::error::TrainError;

/// Which message it is. All ranks come to the same points in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Point {
    Settings = 1,
    Start,
    FirstExamples,
    Standing,
    Losses,
    Gradients,
    Decision,
    Update,
    Step,
    End,
}

impl Point {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Start => "weights to start from",
            Self::FirstExamples => "first examples",
            Self::Standing => "standing examples",
            Self::Losses => "losses",
            Self::Gradients => "gradients",
            Self::Decision => "coefficients",
            Self::Update => "update",
            Self::Step => "end of a step",
            Self::End => "end of the run",
        }
    }

    fn of(byte: u8) -> Option<Self> {
        let all = [
            Self::Settings,
            Self::Start,
            Self::FirstExamples,
            Self::Standing,
            Self::Losses,
            Self::Gradients,
            Self::Decision,
            Self::Update,
            Self::Step,
            Self::End,
        ];
        all.into_iter().find(|&point| point as u8 == byte)
    }
}

/// The sender is well, or not, and then whether for a number that is not finite.
const WELL: u8 = 0;
const FAILED: u8 = 1;
const NOT_FINITE: u8 = 2;

/// A message: its point, how the sender is, and its content or its error.
pub(super) fn message(point: Point, content: Result<&[u8], &TrainError>) -> Vec<u8> {
    let failed;
    let (state, content) = match content {
        Ok(content) => (WELL, content),
        Err(error) => {
            failed = error.to_string();
            let state = match error.is_not_finite() {
                true => NOT_FINITE,
                false => FAILED,
            };
            (state, failed.as_bytes())
        }
    };
    [&[point as u8, state], content].concat()
}

/// The content of a message of `rank`.
pub(super) fn content(point: Point, rank: usize, message: &[u8]) -> Result<&[u8], RanksError> {
    let unread = RanksError::Message {
        rank,
        at: point.name(),
    };
    match message {
        [at, ..] if *at != point as u8 => Err(match Point::of(*at) {
            Some(other) => RanksError::Disagree {
                rank,
                theirs: other.name(),
                ours: point.name(),
            },
            None => unread,
        }),
        [_, WELL, content @ ..] => Ok(content),
        [_, state @ (FAILED | NOT_FINITE), problem @ ..] => Err(RanksError::Failed {
            rank,
            at: point.name(),
            problem: String::from_utf8_lossy(problem).into_owned(),
            not_finite: *state == NOT_FINITE,
        }),
        _ => Err(unread),
    }
}
