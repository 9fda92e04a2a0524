use thiserror::Error;

/// Most memberships of a draw: 800 MB of them.
const MEMBERSHIPS: usize = 100_000_000;

/// What can go wrong when examples are grouped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GroupError {
    /// The draw holds no example.
    #[error("{operation}: the draw is empty; at least one example is needed")]
    EmptyDraw {
        /// The grouping.
        operation: &'static str,
    },
    /// No groups were asked for.
    #[error("{operation}: zero groups were asked for; at least one is needed")]
    NoGroups {
        /// The grouping.
        operation: &'static str,
    },
    /// More groups than examples were asked for.
    #[error(
        "{operation}: {groups} groups were asked for, but a draw has {examples} {}; draw at least \
         {groups} or ask for fewer groups",
        plural(*.examples, "example", "examples")
    )]
    TooManyGroups {
        /// The grouping.
        operation: &'static str,
        /// Groups asked for.
        groups: usize,
        /// Examples in the draw.
        examples: usize,
    },
    /// More groups than standing examples were asked for.
    #[error(
        "{operation}: {groups} groups were asked for, but there {} {examples} standing {}; give examples = {groups} or \
         more, or ask for fewer groups",
        plural(*.examples, "is", "are"),
        plural(*.examples, "example", "examples")
    )]
    TooFewStanding {
        /// The grouping.
        operation: &'static str,
        /// Groups asked for.
        groups: usize,
        /// Standing examples.
        examples: usize,
    },
    /// More memberships than fit were asked for.
    #[error(
        "{operation}: {groups} groups of a draw of {examples} examples have {groups} × {examples} memberships; {} is the \
         most",
        MEMBERSHIPS
    )]
    TooManyMemberships {
        /// The grouping.
        operation: &'static str,
        /// Groups asked for.
        groups: usize,
        /// Examples in the draw.
        examples: usize,
    },
    /// What treats a group by its number goes around a grouping that finds groups anew in each draw.
    #[error(
        "{operation}: knows groups by their numbers, and the grouping finds them anew in each draw; put the wrapper `tracked` \
         around it first, or take one that keeps them, such as landmarks"
    )]
    Anew {
        /// The wrapper.
        operation: &'static str,
    },
    /// There are fixed weights, and groups that are found anew in each draw or may be any number.
    #[error(
        "priors: {weights} {} given, and the groups are found anew in each draw or may be any number; take a grouping with a fixed number \
         of lasting groups, such as labels, or landmarks with k",
        plural(*.weights, "weight was", "weights were")
    )]
    PriorsOfUnknown {
        /// Weights given.
        weights: usize,
    },
    /// There is another number of fixed weights than of groups.
    #[error(
        "priors: {weights} {} given for {groups} {}",
        plural(*weights, "weight was", "weights were"),
        plural(*groups, "group", "groups")
    )]
    Priors {
        /// How many weights there are.
        weights: usize,
        /// How many groups.
        groups: usize,
    },
    /// The grouping needs gradients and the draw has none.
    #[error("{operation}: needs the gradients of the draw; run the model under `trace`")]
    NoGradients {
        /// The grouping.
        operation: &'static str,
    },
    /// A grouping looks at more than inner products, and the draw holds these alone.
    #[error(
        "{operation}: needs the gradients themselves, of which a Gram matrix holds the inner products alone; show it \
         the gradients (`ExampleGradients::from_rows` makes them of a matrix), or take a grouping that looks at inner \
         products alone, such as spectral"
    )]
    InnerProductsAlone {
        /// The grouping.
        operation: &'static str,
    },
    /// A Gram matrix is not that of the draw.
    #[error(
        "{operation}: expected a Gram matrix of {examples} × {examples} inner products, as there are {examples} losses, \
         got {} × {}",
        .got[0], .got[1]
    )]
    Gram {
        /// The grouping.
        operation: &'static str,
        /// Number of examples.
        examples: usize,
        /// Rows and columns of the matrix.
        got: [usize; 2],
    },
    /// The grouping needs labels and the draw has none.
    #[error("{operation}: needs the labels of the draw; give them with `Draw::with_labels`")]
    NoLabels {
        /// The grouping.
        operation: &'static str,
    },
    /// There is not one label per example.
    #[error("{operation}: expected {examples} labels, one per example, got {labels}")]
    LabelCount {
        /// The grouping.
        operation: &'static str,
        /// Examples in the draw.
        examples: usize,
        /// Labels given.
        labels: usize,
    },
    /// The draw has labels of more or fewer labellings than the grouping expects.
    #[error(
        "{operation}: expected the labels of {expected} groupings, got those of {got}; a step takes \
         several by a `Stepper`, a task gives them by `Drawn::with_more_labels`"
    )]
    Labellings {
        /// The grouping.
        operation: &'static str,
        /// Groupings that it was made for.
        expected: usize,
        /// Groupings that the draw has labels of.
        got: usize,
    },
    /// A label names a group that does not exist.
    #[error("{operation}: example {example} has label {label}, but there are {groups} groups")]
    LabelRange {
        /// The grouping.
        operation: &'static str,
        /// Position of the example in the draw.
        example: usize,
        /// Its label.
        label: usize,
        /// Number of groups.
        groups: usize,
    },
    /// Membership and weights disagree on the number of groups.
    #[error("groups: membership has {membership} groups, but there are {weights} weights")]
    Weights {
        /// Rows of the membership matrix.
        membership: usize,
        /// Number of weights.
        weights: usize,
    },
    /// A prior weight of a group is not a weight.
    #[error("priors: that of group {group} must be finite and at least 0, got {got}")]
    Prior {
        /// The group.
        group: usize,
        /// What was given.
        got: f64,
    },
    /// A setting is out of its range.
    #[error("{operation}: {parameter} must be {expected}, got {got}")]
    Parameter {
        /// The grouping.
        operation: &'static str,
        /// The setting.
        parameter: &'static str,
        /// Its range.
        expected: &'static str,
        /// What was given.
        got: f64,
    },
    /// Thresholds that would let groups flicker.
    #[error(
        "split and merge: groups that split below {split_below} must not merge above \
         {merge_above}; expected 0 ≤ split < merge"
    )]
    Hysteresis {
        /// Likeness below which groups split.
        split_below: f64,
        /// Likeness above which groups merge.
        merge_above: f64,
    },
    /// An example has a non-finite gradient.
    #[error("{operation}: the gradient of example {example} is not finite, or its square is not")]
    NotFinite {
        /// The grouping.
        operation: &'static str,
        /// Position of the example in the draw.
        example: usize,
    },
    /// A group has a non-finite loss.
    #[error("{operation}: the loss of group {group} is not finite, got {got}")]
    Loss {
        /// The grouping.
        operation: &'static str,
        /// The group.
        group: usize,
        /// Its loss.
        got: f32,
    },
    /// An array does not have the number of entries that its use asks for.
    #[error("{operation}: expected {expected} entries, got {got}")]
    Shape {
        /// What was being done.
        operation: &'static str,
        /// Entries needed.
        expected: usize,
        /// Entries given.
        got: usize,
    },
    /// Two examples have a negative similarity, and the method needs similarities from 0 to 1.
    #[error("{operation}: the similarity of examples {one} and {other} is negative")]
    Negative {
        /// The grouping.
        operation: &'static str,
        /// Position of one example in the draw.
        one: usize,
        /// Position of the other.
        other: usize,
    },
    /// Gradients of two draws could not be compared.
    #[error("{operation}: {}", without(operation, source))]
    Gradients {
        /// The grouping.
        operation: &'static str,
        /// What `gradual-grad` answered.
        source: gradual_grad::GradError,
    },
    /// Groups whose memberships have signs have no losses of their own.
    #[error(
        "{operation}: the groups are signed, so that the sign of a group's loss means nothing; take memberships \
         without signs: singular-vectors(membership = squared)"
    )]
    Signed {
        /// What was to be done with them.
        operation: &'static str,
    },
    /// A power of a singular value is out of the range of the losses' precision.
    #[error(
        "singular vectors: σ^{power} of the largest singular value, {sigma:.3e}, is out of the range of the \
         losses' precision; take a smaller power, or scale the losses"
    )]
    Power {
        /// The power.
        power: u32,
        /// The largest singular value.
        sigma: f64,
    },
    /// The eigendecomposition of the Gram matrix did not converge.
    #[error(
        "spectrum: the eigendecomposition of a Gram matrix of {examples} examples did not converge"
    )]
    Eigen {
        /// Size of the Gram matrix.
        examples: usize,
    },
    /// The distances between the gradients can't be clustered by density.
    #[error("hdbscan: {problem}")]
    Hdbscan {
        /// What the library that does it says.
        problem: String,
    },
    /// A tensor could not be read back from its device as numbers.
    #[error("{operation}: could not read a tensor from its device: {problem}")]
    Read {
        /// What was being done.
        operation: &'static str,
        /// The backend's message.
        problem: String,
    },
    /// The grouping has not been shown its standing examples.
    #[error("{operation}: has no standing examples; show them with `stand` before the first draw")]
    NoStanding {
        /// The grouping.
        operation: &'static str,
    },
    /// The number of standing examples is not that of the last time.
    #[error("{operation}: expected {expected} standing examples, got {got}")]
    Standing {
        /// The grouping.
        operation: &'static str,
        /// How many there were.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// A state could not be saved, or is not one of this grouping.
    #[error("{operation}: not a state of this grouping: {problem}")]
    State {
        /// The grouping.
        operation: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// An error of a grouping that is written outside of this crate.
    #[error("{operation}: {source}")]
    Other {
        /// The grouping.
        operation: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl GroupError {
    /// An error of the grouping called `operation` that no variant here names.
    ///
    /// ```
    /// use gradual_group::GroupError;
    ///
    /// let error = GroupError::other("mine", "the moon is not full");
    /// assert_eq!(error.to_string(), "mine: the moon is not full");
    /// ```
    pub fn other(
        operation: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Other {
            operation,
            source: source.into(),
        }
    }

    /// Whether there are groups, and memberships of a draw of `examples` in them that fit.
    pub(crate) fn groups(
        operation: &'static str,
        groups: usize,
        examples: usize,
    ) -> Result<(), Self> {
        match groups.checked_mul(examples) {
            Some(_) if groups == 0 => Err(Self::NoGroups { operation }),
            Some(memberships) if memberships <= MEMBERSHIPS => Ok(()),
            _ => Err(Self::TooManyMemberships {
                operation,
                groups,
                examples,
            }),
        }
    }

    /// The same of groups none of which may be empty.
    pub(crate) fn filled_groups(
        operation: &'static str,
        groups: usize,
        examples: usize,
    ) -> Result<(), Self> {
        match groups > examples {
            true => Err(Self::TooManyGroups {
                operation,
                groups,
                examples,
            }),
            false => Self::groups(operation, groups, examples),
        }
    }

    /// What is wrong with the standing examples of `operation`, where this was found of a draw.
    pub(crate) fn of_standing(self, operation: &'static str) -> Self {
        match self {
            Self::TooManyGroups {
                groups, examples, ..
            } => Self::TooFewStanding {
                operation,
                groups,
                examples,
            },
            other => other,
        }
    }

    /// Whether every label names one of `groups` known ones.
    pub(crate) fn label_range(
        operation: &'static str,
        labels: &[Option<usize>],
        groups: usize,
    ) -> Result<(), Self> {
        let beyond = |label: &Option<usize>| label.filter(|&label| label >= groups);
        let mut each = labels.iter().enumerate();
        match each.find_map(|(example, label)| Some((example, beyond(label)?))) {
            None => Ok(()),
            Some((example, label)) => Err(Self::LabelRange {
                operation,
                example,
                label,
                groups,
            }),
        }
    }

    /// `got`, if it is `least` at least: a setting of the grouping called `operation`.
    pub(crate) fn at_least(
        operation: &'static str,
        parameter: &'static str,
        least: usize,
        got: usize,
    ) -> Result<usize, Self> {
        let expected = match least {
            0 | 1 => "at least 1",
            _ => "at least 2",
        };
        match got >= least {
            true => Ok(got),
            false => Err(Self::Parameter {
                operation,
                parameter,
                expected,
                got: got as f64,
            }),
        }
    }

    /// `got`, if it is from 0 to 1: a setting of the grouping called `operation`.
    pub(crate) fn share(
        operation: &'static str,
        parameter: &'static str,
        got: f64,
    ) -> Result<f64, Self> {
        match (0.0..=1.0).contains(&got) {
            true => Ok(got),
            false => Err(Self::Parameter {
                operation,
                parameter,
                expected: "from 0 to 1",
                got,
            }),
        }
    }

    /// Refuses another number of standing examples than the last time.
    pub(crate) fn standing(
        operation: &'static str,
        expected: usize,
        got: usize,
    ) -> Result<(), Self> {
        match expected == got {
            true => Ok(()),
            false => Err(Self::Standing {
                operation,
                expected,
                got,
            }),
        }
    }

    /// What becomes of an error of `gradual-grad` in the grouping called `operation`.
    pub(crate) fn gradients(
        operation: &'static str,
    ) -> impl FnOnce(gradual_grad::GradError) -> Self {
        move |source| Self::Gradients { operation, source }
    }

    /// Why a value is no state of the grouping called `operation`.
    pub(crate) fn state(operation: &'static str, problem: impl ToString) -> Self {
        Self::State {
            operation,
            problem: problem.to_string(),
        }
    }

    /// Why a tensor could not be read from its device.
    pub(crate) fn read(operation: &'static str) -> impl FnOnce(String) -> Self {
        move |problem| Self::Read { operation, problem }
    }
}

/// What an error says, without the name that stands before it already.
fn without(operation: &str, error: &gradual_grad::GradError) -> String {
    let said = error.to_string();
    let rest = said.strip_prefix(operation);
    let rest = rest.and_then(|rest| rest.strip_prefix(": "));
    rest.map_or_else(|| said.clone(), str::to_owned)
}

fn plural(count: usize, one: &'static str, several: &'static str) -> &'static str {
    match count {
        1 => one,
        _ => several,
    }
}
