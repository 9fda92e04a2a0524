use thiserror::Error;

/// What can go wrong when group losses are composed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LossError {
    /// Losses and groups are of different draws.
    #[error(
        "compose: there are {losses} losses, but the groups are of a draw of {examples} examples"
    )]
    Examples {
        /// Number of losses.
        losses: usize,
        /// Number of examples of the groups.
        examples: usize,
    },
    /// A matched norm needs the Gram matrix.
    #[error("scale match-norm: needs the Gram matrix of the draw; run the model under `trace`")]
    NoGram,
    /// A scale by the sum of coefficients makes no sense where these have signs.
    #[error(
        "scale {scale}: the groups are signed, so the sum of their coefficients, by which it divides, may be anything; \
         take unit-absolute (Σ|c| = 1), match-norm (the norm of the mean loss's gradient) or raw"
    )]
    SignedSum {
        /// The scale.
        scale: &'static str,
    },
    /// Signed groups, of which only the sum of squares is defined, met something else.
    #[error(
        "{operation}: the groups are signed (singular directions as published), so that only the sum of their squares is \
         defined; take the composition squares, or memberships without signs: singular-vectors(membership = squared)"
    )]
    Signed {
        /// What was to be composed.
        operation: &'static str,
    },
    /// A rule on group gradients needs the Gram matrix.
    #[error("{operation}: needs the Gram matrix of the draw; run the model under `trace`")]
    NoGradients {
        /// The rule.
        operation: &'static str,
    },
    /// Layers were named for a composition, which looks at losses alone.
    #[error(
        "objective: only a rule on group gradients looks at layers, and this one composes losses; to group by the \
         gradients of some layers, restrict the grouping"
    )]
    Layers,
    /// A Gram matrix is not that of the draw.
    #[error(
        "{operation}: expected a Gram matrix of {examples} by {examples}, got {rows} by {columns}"
    )]
    Gram {
        /// The rule.
        operation: &'static str,
        /// Number of examples, or of groups.
        examples: usize,
        /// Rows of the matrix given.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// A setting of a composition makes no sense.
    #[error("{operation}: {name} must be {range}, got {got}")]
    Setting {
        /// The composition.
        operation: &'static str,
        /// The setting.
        name: &'static str,
        /// What it may be, in words.
        range: &'static str,
        /// What was given.
        got: f64,
    },
    /// A composition that remembers groups met another number of them.
    #[error(
        "{operation}: knows {expected} groups, by its settings or by earlier draws, but the draw has {got}; \
         groups must keep their identity from draw to draw"
    )]
    Groups {
        /// The composition.
        operation: &'static str,
        /// Groups in its state or settings.
        expected: usize,
        /// Groups of the draw.
        got: usize,
    },
    /// A composition that remembers groups goes with a grouping that finds them anew in each draw.
    #[error(
        "{operation}: remembers groups from draw to draw, and the grouping finds them anew in each; put the wrapper `tracked` \
         around it, or take one that keeps them, such as landmarks, or a composition that remembers nothing"
    )]
    Anew {
        /// The composition.
        operation: &'static str,
    },
    /// A composition whose settings are of some groups goes with a grouping whose groups may be any number.
    #[error(
        "{operation}: its settings are of {expected} {}, and how many groups there will be is not known before: take a grouping \
         with a fixed number of lasting groups, such as labels, or landmarks with k, or leave the settings out",
        if *.expected == 1 { "group" } else { "groups" }
    )]
    UnknownGroups {
        /// The composition.
        operation: &'static str,
        /// Groups in its settings.
        expected: usize,
    },
    /// Group losses would be replaced by others in a composition that looks at single examples.
    #[error(
        "{operation}: goes by means of group losses, and {inner} looks at the losses of single examples: leave one of the two out"
    )]
    SingleExamples {
        /// What was put around.
        operation: &'static str,
        /// The composition inside.
        inner: &'static str,
    },
    /// A composition whose settings are of some groups goes with a grouping that has another number of them.
    #[error("{operation}: its settings are of {expected} {}, but the grouping has {got}", if *.expected == 1 { "group" } else { "groups" })]
    OtherGroups {
        /// The composition.
        operation: &'static str,
        /// Groups in its settings.
        expected: usize,
        /// Groups of every draw.
        got: usize,
    },
    /// A group loss or an inner product of group gradients is NaN or infinite.
    #[error("{operation}: the {what} of group {group} is {value}")]
    NotFinite {
        /// The composition.
        operation: &'static str,
        /// Loss or gradient.
        what: &'static str,
        /// The group.
        group: usize,
        /// The value.
        value: f64,
    },
    /// A group loss is below the least that the composition is meant for.
    #[error(
        "{operation}: the loss of group {group} is {value}, but must not be below {least}; wrap the composition in \
         shifted(floor = …), a floor that no group loss comes below, or take one for losses of any sign (mean, tilted, \
         cvar, dro, excess)"
    )]
    Negative {
        /// The composition.
        operation: &'static str,
        /// The group.
        group: usize,
        /// Its loss.
        value: f64,
        /// The least loss.
        least: f64,
    },
    /// The coefficients do not add up to anything positive that they could be divided by.
    #[error(
        "scale {scale}: can't divide by the sum of the coefficients, which is {sum} ({absolute} in absolute value); \
         take unit-absolute, match-norm or raw"
    )]
    Sum {
        /// The scale.
        scale: &'static str,
        /// Σc.
        sum: f64,
        /// Σ|c|.
        absolute: f64,
    },
    /// A saved state is not of this composition.
    #[error("{operation}: can't restore {got} numbers; its state is {expected}")]
    State {
        /// The composition.
        operation: &'static str,
        /// What its state looks like.
        expected: &'static str,
        /// How many numbers were given.
        got: usize,
    },
    /// A tensor could not be read back from its device as numbers.
    #[error("{operation}: could not read a tensor from its device: {problem}")]
    Read {
        /// What was being done.
        operation: &'static str,
        /// The backend's message.
        problem: String,
    },
}

/// Checks one setting.
pub(crate) fn setting(
    operation: &'static str,
    name: &'static str,
    range: &'static str,
    got: f64,
    allowed: bool,
) -> Result<f64, LossError> {
    match allowed && got.is_finite() {
        true => Ok(got),
        false => Err(LossError::Setting {
            operation,
            name,
            range,
            got,
        }),
    }
}

/// Fails at the first group loss that is not finite.
pub(crate) fn finite_losses(operation: &'static str, losses: &[f64]) -> Result<(), LossError> {
    match losses.iter().position(|loss| !loss.is_finite()) {
        None => Ok(()),
        Some(group) => Err(LossError::NotFinite {
            operation,
            what: "loss",
            group,
            value: losses[group],
        }),
    }
}
