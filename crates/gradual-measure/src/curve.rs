//! A measured curve: values at increasing steps, linear in between.

use serde::Serialize;

use crate::error::MeasureError;

/// Skill above guessing: `(accuracy − chance) / (1 − chance)`.
///
/// 0 is guessing, 1 is perfect, negative is worse than guessing. A chance of 1 or more leaves nothing to
/// learn; the skill is then 0.
#[must_use]
pub fn skill(accuracy: f64, chance: f64) -> f64 {
    if chance < 1.0 {
        (accuracy - chance) / (1.0 - chance)
    } else {
        0.0
    }
}

/// Values at strictly increasing steps, all finite, at least one point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    steps: Vec<f64>,
    values: Vec<f64>,
}

impl Curve {
    /// A curve through the points `(steps[i], values[i])`; steps are optimizer steps, from 0 on.
    ///
    /// # Errors
    /// When the lengths differ or are 0, a number is not finite, a step is negative, or steps do not
    /// strictly increase.
    pub fn new(steps: Vec<f64>, values: Vec<f64>) -> Result<Self, MeasureError> {
        if steps.len() != values.len() {
            return Err(MeasureError::Lengths {
                steps: steps.len(),
                values: values.len(),
            });
        }
        if steps.is_empty() {
            return Err(MeasureError::Empty {
                operation: "curve",
                what: "point",
            });
        }
        for (what, numbers) in [("step", &steps), ("value", &values)] {
            if let Some(position) = numbers.iter().position(|number| !number.is_finite()) {
                return Err(MeasureError::NotFinite {
                    what,
                    number: numbers[position],
                    position,
                });
            }
        }
        if steps[0] < 0.0 {
            return Err(MeasureError::NegativeStep { step: steps[0] });
        }
        if let Some(pair) = steps.windows(2).find(|pair| pair[1] <= pair[0]) {
            return Err(MeasureError::NotIncreasing {
                previous: pair[0],
                next: pair[1],
            });
        }
        Ok(Self { steps, values })
    }

    /// The steps, strictly increasing.
    #[must_use]
    pub fn steps(&self) -> &[f64] {
        &self.steps
    }

    /// The values, one per step.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Number of points, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // a curve is never empty
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// The first step.
    #[must_use]
    pub fn first_step(&self) -> f64 {
        self.steps[0]
    }

    /// The last step.
    #[must_use]
    pub fn last_step(&self) -> f64 {
        self.steps[self.len() - 1]
    }

    /// The value at the last step.
    #[must_use]
    pub fn last_value(&self) -> f64 {
        self.values[self.len() - 1]
    }

    /// The same curve with values below `low` or above `high` set to the nearer of the two.
    ///
    /// # Panics
    /// When `low` is above `high`.
    #[must_use]
    pub fn clamp(&self, low: f64, high: f64) -> Self {
        let values = self
            .values
            .iter()
            .map(|value| value.clamp(low, high))
            .collect();
        Self {
            steps: self.steps.clone(),
            values,
        }
    }

    /// Running median of 3 points of a curve that has been at `start` until step 0: a single outlier vanishes, wherever
    /// it is.
    ///
    /// A curve whose first step comes later gets the point `(0, start)`. What comes before step 0 is `start`, too, so
    /// that an outlier at step 0 vanishes. What comes after the last point is not known: it becomes the median of
    /// itself, its smoothed neighbour, and the line through its two smoothed neighbours one interval beyond the end
    /// (Tukey 1977, Exploratory Data Analysis, ch. 7: the end-point rule; here for unequal intervals). So the last
    /// point may rise or fall up to twice as steeply as the curve did just before, and an outlier takes the value of
    /// its neighbours. The last of two points takes the value of the first, and a single point becomes `start`: one
    /// evaluation can't be told from an outlier.
    ///
    /// An increasing curve from `start` on stays as it is, but for a last rise that is more than twice as steep as the
    /// one before.
    #[must_use]
    pub fn median3(&self, start: f64) -> Self {
        let raw = self.from_origin(start);
        let (steps, mut values) = (raw.steps, raw.values);
        let mut before = start;
        for index in 0..values.len() - 1 {
            let here = values[index];
            values[index] = middle(before, here, values[index + 1]);
            before = here;
        }
        let last = values.len() - 1;
        if let Some(next) = last.checked_sub(1) {
            let slope = next.checked_sub(1).map_or(0.0, |other| {
                (values[next] - values[other]) / (steps[next] - steps[other])
            });
            let beyond = values[next] + 2.0 * slope * (steps[last] - steps[next]);
            values[last] = middle(values[last], values[next], beyond);
        } else {
            values[last] = start;
        }
        Self { steps, values }
    }

    /// The curve with `value` at step 0, unless it begins there already.
    ///
    /// A run whose first evaluation comes after some steps has begun at chance: skill 0 at step 0.
    #[must_use]
    pub fn from_origin(&self, value: f64) -> Self {
        if self.first_step() > 0.0 && value.is_finite() {
            Self {
                steps: std::iter::once(0.0)
                    .chain(self.steps.iter().copied())
                    .collect(),
                values: std::iter::once(value)
                    .chain(self.values.iter().copied())
                    .collect(),
            }
        } else {
            self.clone()
        }
    }

    /// The value at `step`, linear between points and constant beyond the ends.
    #[must_use]
    pub fn at(&self, step: f64) -> f64 {
        let right = self.steps.partition_point(|&other| other <= step);
        if right == 0 {
            self.values[0]
        } else if right == self.len() {
            self.last_value()
        } else {
            let left = right - 1;
            let share = (step - self.steps[left]) / (self.steps[right] - self.steps[left]);
            self.values[left] + share * (self.values[right] - self.values[left])
        }
    }

    /// The part of the curve from `step` on; `None` where nothing of it comes then.
    #[must_use]
    pub fn since(&self, step: f64) -> Option<Self> {
        let first = self.steps.partition_point(|&other| other < step);
        (first < self.len()).then(|| Self {
            steps: self.steps[first..].to_vec(),
            values: self.values[first..].to_vec(),
        })
    }

    /// The point-wise mean of curves on equal steps.
    ///
    /// # Errors
    /// When there is no curve, or the steps differ.
    pub fn mean(curves: &[Self]) -> Result<Self, MeasureError> {
        let first = equal_steps("mean of curves", curves)?;
        let count = curves.len() as f64;
        let values = (0..first.len())
            .map(|index| curves.iter().map(|curve| curve.values[index]).sum::<f64>() / count)
            .collect();
        Self::new(first.steps.clone(), values)
    }

    /// The point-wise minimum of curves on equal steps: the worst of them at each time.
    ///
    /// # Errors
    /// When there is no curve, or the steps differ.
    pub fn lowest(curves: &[Self]) -> Result<Self, MeasureError> {
        let first = equal_steps("lowest of curves", curves)?;
        let lowest = |index: usize| {
            let values = curves.iter().map(|curve| curve.values[index]);
            values.fold(f64::INFINITY, f64::min)
        };
        Self::new(first.steps.clone(), (0..first.len()).map(lowest).collect())
    }

    /// The mean height from the first step to the last, `∫ s dt / (t_last − t_first)`; the value of a
    /// curve of one point.
    #[must_use]
    pub fn mean_height(&self) -> f64 {
        let length = self.last_step() - self.first_step();
        if length <= 0.0 {
            return self.values[0];
        }
        let pieces = self.steps.windows(2).zip(self.values.windows(2));
        let area = |(steps, values): (&[f64], &[f64])| {
            (steps[1] - steps[0]) / length * 0.5 * (values[0] + values[1])
        };
        pieces.map(area).sum()
    }

    /// The first step at which the curve is at or above `level`, by linear interpolation.
    ///
    /// The first step itself when the curve begins at or above the level; `None` when it never gets
    /// there.
    #[must_use]
    pub fn first_crossing(&self, level: f64) -> Option<f64> {
        let right = self.values.iter().position(|&value| value >= level)?;
        Some(self.crossing(level, right))
    }

    /// [`first_crossing`](Self::first_crossing) of each of `levels`, which ascend, up to the first that is never
    /// reached.
    pub(crate) fn first_crossings(&self, levels: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut right = 0;
        let crossing = |level| {
            right += self.values[right..]
                .iter()
                .position(|&value| value >= level)?;
            Some(self.crossing(level, right))
        };
        levels.map_while(crossing).collect()
    }

    /// Where the curve comes to `level`, of which the point `right` is the first not to be below.
    fn crossing(&self, level: f64, right: usize) -> f64 {
        if right == 0 {
            return self.steps[0];
        }
        let left = right - 1;
        let share = (level - self.values[left]) / (self.values[right] - self.values[left]);
        self.steps[left] + share * (self.steps[right] - self.steps[left])
    }
}

/// The median of three numbers.
fn middle(a: f64, b: f64, c: f64) -> f64 {
    a.max(b).min(a.min(b).max(c))
}

/// The first of `curves`, after checking that all share its steps.
pub(crate) fn equal_steps<'a>(
    operation: &'static str,
    curves: &'a [Curve],
) -> Result<&'a Curve, MeasureError> {
    let first = curves.first().ok_or(MeasureError::Empty {
        operation,
        what: "curve",
    })?;
    match curves.iter().position(|curve| curve.steps != first.steps) {
        Some(position) => Err(MeasureError::UnequalSteps {
            operation,
            position,
        }),
        None => Ok(first),
    }
}
