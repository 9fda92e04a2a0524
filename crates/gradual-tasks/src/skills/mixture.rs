//! Which skill comes next in training.

use rand::{Rng, RngExt};

use super::error::SkillError;
use super::item::Item;
use super::skill::Skill;
use super::split::sample_training;

/// A Zipf mixture: the skill of rank i = 0, 1, … is drawn with probability p_i ∝ (i+1)^−a.
///
/// The composed skill has no rank: it is drawn with a probability of its own ([`with_composed`]),
/// which is zero by default, and then takes equally from the others.
///
/// [`with_composed`]: Self::with_composed
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    skills: Vec<Skill>,
    exponent: f64,
    composed: f64,
    /// As the skills; sums to one.
    weights: Vec<f64>,
}

impl Mixture {
    /// The trained skills in their default order, with Zipf exponent a = `exponent`; 0 makes all
    /// equally frequent.
    ///
    /// # Errors
    ///
    /// As [`ranked`](Self::ranked).
    pub fn zipf(exponent: f64) -> Result<Self, SkillError> {
        Self::ranked(&Skill::TRAINED, exponent)
    }

    /// Any of the trained skills, the most frequent first.
    ///
    /// # Errors
    ///
    /// An exponent that is negative, infinite or not a number; no skill, a skill twice, or the
    /// composed one.
    pub fn ranked(skills: &[Skill], exponent: f64) -> Result<Self, SkillError> {
        if !exponent.is_finite() || exponent < 0.0 {
            return Err(SkillError::Exponent { exponent });
        }
        if skills.is_empty() {
            return Err(SkillError::EmptyMixture);
        }
        for (i, &skill) in skills.iter().enumerate() {
            if skill.is_composed() {
                return Err(SkillError::ComposedRank { skill });
            }
            if skills[..i].contains(&skill) {
                return Err(SkillError::RepeatedSkill { skill });
            }
        }
        let mut weights: Vec<f64> = (1..=skills.len())
            .map(|rank| (rank as f64).powf(-exponent))
            .collect();
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        Ok(Self {
            skills: skills.to_vec(),
            exponent,
            composed: 0.0,
            weights,
        })
    }

    /// The same mixture in which a share of the draws, from 0 to 1, is the composed skill.
    ///
    /// # Errors
    ///
    /// A share outside of [0, 1].
    pub fn with_composed(mut self, share: f64) -> Result<Self, SkillError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(SkillError::Share { share });
        }
        self.composed = share;
        Ok(self)
    }

    /// The ranked skills, the most frequent first.
    pub fn skills(&self) -> &[Skill] {
        &self.skills
    }

    /// The Zipf exponent.
    pub const fn exponent(&self) -> f64 {
        self.exponent
    }

    /// The probability of a skill in one draw: 0 if it is not in the mixture. Sums to one over
    /// [`Skill::ALL`].
    pub fn frequency(&self, skill: Skill) -> f64 {
        if skill.is_composed() {
            return self.composed;
        }
        let rank = self.skills.iter().position(|&s| s == skill);
        rank.map_or(0.0, |rank| (1.0 - self.composed) * self.weights[rank])
    }

    /// Draws a skill.
    pub fn draw_skill<R: Rng + ?Sized>(&self, rng: &mut R) -> Skill {
        // The order of draws must not depend on the share, so this is drawn even if it is zero.
        let composed = rng.random::<f64>() < self.composed;
        let mut rest = rng.random::<f64>();
        if composed {
            return Skill::AddWords;
        }
        for (&skill, weight) in self.skills.iter().zip(&self.weights) {
            rest -= weight;
            if rest < 0.0 {
                return skill;
            }
        }
        // Rounding left a sliver above the last rank.
        self.skills[self.skills.len() - 1]
    }

    /// Draws a skill and an item of it that is not held out.
    pub fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> Item {
        sample_training(self.draw_skill(rng), rng)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::super::split::is_held_out;
    use super::*;

    const DRAWS: u32 = 40_000;

    /// Compares counts of draws with the frequencies, within five standard deviations.
    fn assert_drawn_as_stated(mixture: &Mixture) {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut counts = [0_u32; Skill::ALL.len()];
        for _ in 0..DRAWS {
            counts[mixture.draw_skill(&mut rng).index()] += 1;
        }
        let n = f64::from(DRAWS);
        for skill in Skill::ALL {
            let p = mixture.frequency(skill);
            let deviation = (f64::from(counts[skill.index()]) - n * p).abs();
            assert!(
                deviation <= 5.0 * (n * p * (1.0 - p)).sqrt() + 1e-6,
                "{skill}: {counts:?}"
            );
        }
        let total: f64 = Skill::ALL
            .iter()
            .map(|&skill| mixture.frequency(skill))
            .sum();
        assert!((total - 1.0).abs() < 1e-12);
    }

    #[test]
    fn frequencies_follow_the_power_law() {
        for exponent in [0.0, 0.5, 1.0, 2.0] {
            let mixture = Mixture::zipf(exponent).unwrap();
            for (i, &skill) in Skill::TRAINED.iter().enumerate() {
                let ratio = mixture.frequency(skill) / mixture.frequency(Skill::TRAINED[0]);
                assert!((ratio * ((i + 1) as f64).powf(exponent) - 1.0).abs() < 1e-12);
            }
            assert_drawn_as_stated(&mixture);
        }
    }

    #[test]
    fn the_composed_skill_is_not_drawn_by_default() {
        let mixture = Mixture::zipf(1.0).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(mixture.frequency(Skill::AddWords), 0.0);
        assert!((0..20_000).all(|_| !mixture.draw(&mut rng).skill.is_composed()));
    }

    #[test]
    fn a_share_of_the_composed_skill_takes_equally_from_the_others() {
        let plain = Mixture::zipf(1.0).unwrap();
        let mixed = plain.clone().with_composed(0.2).unwrap();
        assert_eq!(mixed.frequency(Skill::AddWords), 0.2);
        for skill in Skill::TRAINED {
            assert!((mixed.frequency(skill) - 0.8 * plain.frequency(skill)).abs() < 1e-12);
        }
        assert_drawn_as_stated(&mixed);
        assert_drawn_as_stated(&plain.with_composed(1.0).unwrap());
    }

    #[test]
    fn any_order_and_selection_works() {
        let mixture = Mixture::ranked(&[Skill::Sort, Skill::Copy], 1.0).unwrap();
        assert!((mixture.frequency(Skill::Sort) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(mixture.frequency(Skill::Add), 0.0);
        assert_drawn_as_stated(&mixture);
        assert_drawn_as_stated(&Mixture::ranked(&[Skill::Add], 1.0).unwrap());
        assert_drawn_as_stated(&Mixture::zipf(1e300).unwrap());
    }

    #[test]
    fn draws_are_never_held_out_and_repeat_with_the_seed() {
        let mixture = Mixture::zipf(0.5).unwrap().with_composed(0.1).unwrap();
        let draw = || {
            let mut rng = ChaCha8Rng::seed_from_u64(9);
            (0..5_000)
                .map(|_| mixture.draw(&mut rng))
                .collect::<Vec<_>>()
        };
        let items = draw();
        assert!(items.iter().all(|item| !is_held_out(&item.prompt)));
        assert_eq!(items, draw());
    }

    #[test]
    fn bad_mixtures_are_refused() {
        for exponent in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                Mixture::zipf(exponent),
                Err(SkillError::Exponent { .. })
            ));
        }
        for share in [-0.1, 1.1, f64::NAN] {
            let mixture = Mixture::zipf(1.0).unwrap();
            assert!(matches!(
                mixture.with_composed(share),
                Err(SkillError::Share { .. })
            ));
        }
        assert_eq!(Mixture::ranked(&[], 1.0), Err(SkillError::EmptyMixture));
        assert_eq!(
            Mixture::ranked(&[Skill::Add, Skill::Add], 1.0),
            Err(SkillError::RepeatedSkill { skill: Skill::Add })
        );
        assert_eq!(
            Mixture::ranked(&Skill::ALL, 1.0),
            Err(SkillError::ComposedRank {
                skill: Skill::AddWords
            })
        );
    }
}
