//! What a grouping has learned from the draws so far, to be saved and restored.

use ciborium::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::GroupError;

/// State of a grouping: whatever it needs, besides its settings, to continue as if it had never stopped.
///
/// A tree of values that any serde format can hold; a grouping makes it of a struct of its own with
/// [`new`](Self::new) and reads it back with [`read`](Self::read), both under its name, so that the
/// state of another grouping is refused. Tensors go in as Burn's `TensorData`, random generators as
/// they are.
///
/// ```
/// use gradual_group::State;
///
/// let state = State::new("example", &(3u64, vec![0.5f32]))?;
/// assert_eq!(state.read::<(u64, Vec<f32>)>("example")?, (3, vec![0.5]));
/// assert!(state.read::<String>("example").is_err());
/// assert!(state.read::<(u64, Vec<f32>)>("another").is_err());
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

    /// Of any value that serde can write, by the grouping called `operation`.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] where it can't.
    pub fn new(operation: &'static str, value: &impl Serialize) -> Result<Self, GroupError> {
        let value = Value::serialized(value);
        let value = value.map_err(|problem| GroupError::state(operation, problem))?;
        Ok(Self(Value::Array(vec![Value::from(operation), value])))
    }

    /// The value that the grouping called `operation` made the state of.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] for a state of something else.
    pub fn read<T: DeserializeOwned>(&self, operation: &'static str) -> Result<T, GroupError> {
        let parts = self.0.as_array().map(Vec::as_slice);
        match parts {
            Some([name, value]) if name.as_text() == Some(operation) => value
                .deserialized()
                .map_err(|problem| GroupError::state(operation, problem)),
            Some([Value::Text(name), _]) => {
                Err(GroupError::state(operation, format!("it is of {name}")))
            }
            _ => Err(GroupError::state(operation, "it names no grouping")),
        }
    }

    /// Refuses any state but that of a grouping that learns nothing.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`].
    pub fn expect_none(&self, operation: &'static str) -> Result<(), GroupError> {
        match self.0 {
            Value::Null => Ok(()),
            _ => Err(GroupError::state(
                operation,
                "it keeps no state, and one was given",
            )),
        }
    }
}
