//! Why moments can't be used.

use crate::error::GradError;

/// Why moments can't be used.
pub(super) enum Problem {
    /// A covariance has no Cholesky factor.
    Singular,
    /// Moments could not be read from the device.
    Read(String),
    /// They are of a parameter of another shape.
    Shape,
    /// They are of another form of gradient.
    Form,
    /// A covariance is not finite, so a gradient is not.
    NotFinite,
}

impl Problem {
    pub(super) fn at(self, path: &str) -> GradError {
        let path = path.to_owned();
        let problem = match self {
            Self::NotFinite => return GradError::NotFinite { path },
            Self::Singular => "its covariance has no Cholesky factor; raise the damping".to_owned(),
            Self::Shape => "were taken of a parameter of another shape".to_owned(),
            Self::Form => "were taken where other kinds of layers used it; observe a draw of this \
                           model first"
                .to_owned(),
            Self::Read(problem) => format!("could not be read from the device: {problem}"),
        };
        GradError::Moments { path, problem }
    }
}
