//! What is unwise about a run.

use std::fmt;

/// Something that is allowed, and likely to do harm.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// Draws hold few examples of a group whose loss enters by more than a mean. A power of a mean over few examples is
    /// biased: such groups seem worse than they are, and which one is the worst is chance.
    ///
    /// Larger draws help, and as many examples of each group in a draw; leave-one-out estimates and running means of the group losses do not
    /// (the experiments `stability` and `small-draws`).
    FewExamples {
        /// The rarest capability that is trained.
        capability: String,
        /// Examples of it in a draw, on average.
        expected: f64,
        /// Examples in a draw.
        draw: usize,
        /// A draw that would hold enough.
        enough: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewExamples {
                capability,
                expected,
                draw,
                enough,
            } => write!(
                f,
                "a draw of {draw} has {} examples of '{capability}' on average, and the loss of a group that small is \
                 mostly chance: draw {enough}, or as many of each group (the sampler stratified)",
                match expected {
                    0.05.. => format!("{expected:.1}"),
                    _ => String::from("less than 0.1"),
                }
            ),
        }
    }
}
