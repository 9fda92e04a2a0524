//! What a grouping has to be shown.

/// What a grouping has to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Only the number of examples.
    Nothing,
    /// The label of every example.
    Labels,
    /// The gradient of every example.
    Gradients,
    /// The gradient and the label of every example.
    GradientsAndLabels,
}

impl Needs {
    /// Whether these are among them: labels, gradients.
    const fn from_parts(labels: bool, gradients: bool) -> Self {
        match (labels, gradients) {
            (false, false) => Self::Nothing,
            (true, false) => Self::Labels,
            (false, true) => Self::Gradients,
            (true, true) => Self::GradientsAndLabels,
        }
    }

    /// Whether labels are needed.
    #[must_use]
    pub const fn labels(self) -> bool {
        matches!(self, Self::Labels | Self::GradientsAndLabels)
    }

    /// Whether gradients are needed.
    #[must_use]
    pub const fn gradients(self) -> bool {
        matches!(self, Self::Gradients | Self::GradientsAndLabels)
    }

    /// What either of two needs.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::from_parts(
            self.labels() || other.labels(),
            self.gradients() || other.gradients(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Needs;

    #[test]
    fn either_of_two() {
        let all = [
            Needs::Nothing,
            Needs::Labels,
            Needs::Gradients,
            Needs::GradientsAndLabels,
        ];
        for one in all {
            assert_eq!(one.and(Needs::Nothing), one);
            assert_eq!(one.and(one), one);
            for other in all {
                let both = one.and(other);
                assert_eq!(both.labels(), one.labels() || other.labels());
                assert_eq!(both.gradients(), one.gradients() || other.gradients());
            }
        }
    }
}
