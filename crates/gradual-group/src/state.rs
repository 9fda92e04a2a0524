//! What a grouping has learned from the draws so far, to write down and to go back to.

use ciborium::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::GroupError;

/// State of a grouping: whatever it needs, beside its settings, to go on as if it had never stopped.
///
/// A tree of values that any serde format can hold; a grouping makes it of a struct of its own with
/// [`of`](Self::of) and reads it back with [`read`](Self::read). Tensors go in as Burn's `TensorData`,
/// random generators as they are.
///
/// ```
/// use gradual_group::State;
///
/// let state = State::of("example", &(3u64, vec![0.5f32]))?;
/// assert_eq!(state.read::<(u64, Vec<f32>)>("example")?, (3, vec![0.5]));
/// assert!(state.read::<String>("example").is_err());
/// # Ok::<(), gradual_group::GroupError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(Value);

impl State {
    /// Of a grouping that learns nothing.
    pub fn none() -> Self {
        Self(Value::Null)
    }

    /// Of any value that serde can write.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] where it can't.
    pub fn of(operation: &'static str, value: &impl Serialize) -> Result<Self, GroupError> {
        Value::serialized(value)
            .map(Self)
            .map_err(|problem| GroupError::State {
                operation,
                problem: problem.to_string(),
            })
    }

    /// The value that the state was made of.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] for a state of something else.
    pub fn read<T: DeserializeOwned>(&self, operation: &'static str) -> Result<T, GroupError> {
        self.0.deserialized().map_err(|problem| GroupError::State {
            operation,
            problem: problem.to_string(),
        })
    }

    /// Refuses any state but that of a grouping that learns nothing.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`].
    pub fn expect_none(&self, operation: &'static str) -> Result<(), GroupError> {
        match self.0 {
            Value::Null => Ok(()),
            _ => Err(GroupError::State {
                operation,
                problem: String::from("it keeps no state, and one was given"),
            }),
        }
    }
}
