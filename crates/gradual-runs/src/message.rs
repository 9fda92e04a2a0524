use std::error::Error;
use std::iter::successors;

/// An error's message with those of its causes that the text does not hold already, joined by colons.
///
/// ```
/// let error = std::io::Error::other("the disk is full");
/// assert_eq!(gradual_runs::message(&error), "the disk is full");
/// ```
#[must_use]
pub fn message(error: &dyn Error) -> String {
    let causes = successors(error.source(), |cause| (**cause).source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}
