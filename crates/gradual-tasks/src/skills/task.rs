//! Text skills, learned by a small decoder.

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::CHANCE;
use super::alphabet::Alphabet;
use super::context::CONTEXT;
use super::encoded::Encoded;
use super::error::SkillError;
use super::item::Item;
use super::mixture::Mixture;
use super::skill::Skill;
use super::split::{held_out, sample_training};
use crate::decoder::{Decoder, DecoderConfig};
use crate::host;
use crate::likelihood;
use crate::setting::{EXPONENT, SettingError, count, number};

/// Settings of [`Skills`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SkillsConfig {
    /// Zipf exponent of the mixture, 0 to 50; 0 draws every trained skill equally often.
    pub exponent: f64,
    /// Share of the training examples that are of the composed skill, 0 to 1. Where there are some, they are a group of their
    /// own, the last.
    #[serde(skip_serializing_if = "is_zero")]
    pub composed: f64,
    /// Held-out items per skill, 1 to 10 000; fewer where a skill has no more.
    pub held_out: usize,
    /// Width of the decoder, at most 4 096; it has 50 million parameters at most.
    pub width: usize,
    /// Attention heads, at most 64; they divide the width.
    pub heads: usize,
    /// Blocks, 1 to 64.
    pub layers: usize,
    /// Width of the hidden layers, at most 65 536.
    pub hidden: usize,
}

/// Two blocks of width 64.
impl Default for SkillsConfig {
    fn default() -> Self {
        Self {
            exponent: 1.0,
            composed: 0.0,
            held_out: 100,
            width: 64,
            heads: 4,
            layers: 2,
            hidden: 256,
        }
    }
}

/// Left out of a configuration, which then is that of a run from before there was such a share.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

impl SkillsConfig {
    /// Whether a task can be made of these settings.
    fn check(&self) -> Result<(), SettingError> {
        number("exponent", EXPONENT, self.exponent)?;
        number("composed", 0.0..=1.0, self.composed)?;
        count("held_out", 1..=10_000, self.held_out)?;
        self.decoder().check(self.held_out)
    }

    fn decoder(&self) -> DecoderConfig {
        DecoderConfig {
            vocabulary: Alphabet::SIZE,
            context: CONTEXT,
            width: self.width,
            heads: self.heads,
            layers: self.layers,
            hidden: self.hidden,
        }
    }
}

/// A Zipf mixture of text skills with exact answers: the example of A. Jermyn, 2022.
///
/// Every skill is a capability. Eight are trained; *adding numbers written as words* is composed of
/// three of them, is drawn as often as [`SkillsConfig::composed`] says (never by default), and is evaluated all the same. An example's loss
/// is the mean cross-entropy over the characters of its answer and the end mark.
///
/// An answer counts as right when the most probable token at every scored position is the right
/// one. Predictions are made with the right answer so far as input, which is the same as greedy
/// decoding: up to the first mistake both see the same characters, and after it both are wrong.
#[derive(Debug, Clone)]
pub struct Skills {
    config: DecoderConfig,
    mixture: Mixture,
    capabilities: Vec<Capability>,
    /// Held-out items, skill by skill.
    held_out: Vec<Vec<Encoded>>,
}

impl Skills {
    /// The mixture of `config`, with the held-out items of `seed`.
    ///
    /// # Errors
    ///
    /// [`SkillError`] naming the setting that is out of range.
    pub fn new(config: &SkillsConfig, seed: u64) -> Result<Self, SkillError> {
        config.check()?;
        let mixture = Mixture::zipf(config.exponent)?.with_composed(config.composed)?;
        let capability = |skill: Skill| {
            let parts = skill.parts().iter().map(|part| part.name());
            Capability::new(skill.name(), CHANCE, mixture.frequency(skill)).with_parts(parts)
        };
        let items = |skill| held_out(skill, config.held_out, seed).into_iter();
        let encode = |item: Item| Alphabet.encode(&item);
        let encoded = |skill| items(skill).map(encode).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            config: config.decoder(),
            capabilities: Skill::ALL.map(capability).to_vec(),
            held_out: Skill::ALL
                .map(encoded)
                .into_iter()
                .collect::<Result<_, _>>()?,
            mixture,
        })
    }
}

/// One draw: tokens, the tokens that follow, and which of those are scored, all `[n, t]`.
#[derive(Debug, Clone)]
pub struct SkillsBatch {
    tokens: Tensor<2, Int>,
    targets: Tensor<2, Int>,
    scored: Tensor<2>,
}

impl SkillsBatch {
    /// Items side by side, cut after the longest.
    fn new(items: &[Encoded], device: &Device) -> Self {
        let end = |item: &Encoded| {
            item.scored
                .iter()
                .rposition(|&scored| scored)
                .map_or(1, |at| at + 1)
        };
        let (n, t) = (items.len(), items.iter().map(end).max().unwrap_or(1));
        let ids = |of: fn(&Encoded) -> &[u32]| {
            let values = items
                .iter()
                .flat_map(|item| &of(item)[..t])
                .map(|&id| id as i32);
            Tensor::from_data(TensorData::new(values.collect::<Vec<_>>(), [n, t]), device)
        };
        let scored = items.iter().flat_map(|item| &item.scored[..t]);
        let scored: Vec<f32> = scored.map(|&scored| f32::from(u8::from(scored))).collect();
        Self {
            tokens: ids(|item| &item.tokens),
            targets: ids(|item| &item.targets),
            scored: Tensor::from_data(TensorData::new(scored, [n, t]), device),
        }
    }

    /// The tokens that a model reads, `[n, t]`: prompt, answer and padding.
    pub fn tokens(&self) -> &Tensor<2, Int> {
        &self.tokens
    }

    /// Log-probability of the right next token where it is scored, else 0: `[n, t]`.
    fn log_likelihoods(&self, logits: Tensor<3>) -> Tensor<2> {
        likelihood::of_tokens(logits, self.targets.clone()) * self.scored.clone()
    }
}

/// The first `n` items, encoded.
fn drawn(items: impl Iterator<Item = Item>, n: usize, device: &Device) -> Drawn<SkillsBatch> {
    // Every item can be encoded; the filter says so without a panic.
    let (encoded, labels): (Vec<_>, Vec<_>) = items
        .filter_map(|item| Some((Alphabet.encode(&item).ok()?, Some(item.skill.index()))))
        .take(n)
        .unzip();
    Drawn::new(SkillsBatch::new(&encoded, device), labels)
}

impl Task for Skills {
    type Model = Decoder;
    type Batch = SkillsBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Decoder {
        Decoder::new(&self.config, random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<SkillsBatch>, TrainError> {
        let items = std::iter::repeat_with(|| self.mixture.draw(random));
        Ok(drawn(items, n, device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<SkillsBatch>, TrainError> {
        let skills = capabilities.iter().map(|&at| Skill::ALL[at]);
        let items = skills.map(|skill| sample_training(skill, random));
        Ok(drawn(items, capabilities.len(), device))
    }

    fn describe(&self, batch: &SkillsBatch, example: usize) -> Option<String> {
        let of = |tokens: &Tensor<2, Int>| {
            let [n, t] = tokens.dims();
            let row = (example < n).then(|| tokens.clone().slice([example..example + 1, 0..t]))?;
            let ids = row.into_data().convert::<i32>().try_to_vec::<i32>().ok()?;
            Some(ids.into_iter().map(|id| id as u32).collect::<Vec<u32>>())
        };
        // The answer ends with its mark, which comes first among the targets of that number.
        let (mut shown, targets) = (of(&batch.tokens)?, of(&batch.targets)?);
        let end = targets.iter().position(|&id| id == Alphabet::END)?;
        shown.truncate(end + 1);
        Alphabet.text(&shown).ok()
    }

    fn losses(&self, model: &Decoder, batch: &SkillsBatch) -> Tensor<1> {
        let [n, _] = batch.tokens.dims();
        let sums = batch
            .log_likelihoods(model.forward(batch.tokens.clone()))
            .neg()
            .sum_dim(1);
        (sums / batch.scored.clone().sum_dim(1)).reshape([n])
    }

    fn evaluate(&self, model: &Decoder, device: &Device) -> Result<Vec<Score>, TrainError> {
        let read = |tensor: Tensor<1>| host::read(tensor, "skills: evaluation");
        let score = |items: &Vec<Encoded>| {
            let batch = SkillsBatch::new(items, device);
            let [n, t] = batch.tokens.dims();
            let logits = model.forward(batch.tokens.clone());
            let wrong = logits
                .clone()
                .argmax(2)
                .reshape([n, t])
                .not_equal(batch.targets.clone());
            let wrong = (wrong.float() * batch.scored.clone())
                .sum_dim(1)
                .reshape([n]);
            let sums = batch.log_likelihoods(logits).sum_dim(1).reshape([n]);
            let lengths = batch.scored.sum_dim(1).reshape([n]);
            let (wrong, sums, lengths) = (read(wrong)?, read(sums)?, read(lengths)?);
            let mean = |value: &dyn Fn(usize) -> f64| (0..n).map(value).sum::<f64>() / n as f64;
            Ok(Score {
                accuracy: mean(&|j| f64::from(u8::from(wrong[j] == 0.0))),
                loss: mean(&|j| f64::from(-sums[j] / lengths[j])),
                probability: Some(mean(&|j| f64::from(sums[j]).exp())),
                progress: None,
            })
        };
        self.held_out.iter().map(score).collect()
    }
}

#[cfg(test)]
mod tests {
    use gradual::grad::{naive_rows, trace};
    use rand::SeedableRng;

    use super::*;
    use crate::skills::checker;

    fn tiny() -> Skills {
        let config = SkillsConfig {
            width: 8,
            heads: 2,
            layers: 1,
            hidden: 8,
            ..SkillsConfig::default()
        };
        Skills::new(&config, 0).unwrap()
    }

    #[test]
    fn masked_losses_have_exact_gradients() {
        let task = tiny();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let model = task.model(&mut random, &Device::flex().autodiff());
        let drawn = task.draw(5, &mut random, &Device::flex()).unwrap();
        let losses = |m: &Decoder| task.losses(m, &drawn.batch);
        let gradients = trace(&model, losses).unwrap().gradients;
        let rows = naive_rows(&model, losses);
        let gram = rows.clone().matmul(rows.transpose());
        let size: f32 = gram.clone().abs().max().into_scalar();
        let off: f32 = (gradients.gram() - gram).abs().max().into_scalar();
        assert!(off < 1e-4 * size, "{off} of {size}");
    }

    #[test]
    fn a_share_of_the_composed_skill_is_drawn_as_the_last_group() {
        let config = SkillsConfig {
            composed: 0.25,
            width: 8,
            heads: 2,
            layers: 1,
            hidden: 8,
            ..SkillsConfig::default()
        };
        let task = Skills::new(&config, 0).unwrap();
        let n = 4_000;
        let mut random = ChaCha8Rng::seed_from_u64(6);
        let drawn = task.draw(n, &mut random, &Device::flex()).unwrap();
        let last = drawn
            .labels
            .iter()
            .filter(|label| **label == Some(8))
            .count();
        assert!((last as f64 / n as f64 - 0.25).abs() < 0.04, "{last}");
        let frequencies = task.capabilities.iter().map(|each| each.frequency);
        assert!((frequencies.sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((task.capabilities[8].frequency - 0.25).abs() < 1e-12);
        // What is zero is not written down, so that runs from before go on.
        let text = serde_json::to_string(&SkillsConfig::default()).unwrap();
        assert!(!text.contains("composed"), "{text}");
        let wrong = SkillsConfig {
            composed: 1.5,
            ..SkillsConfig::default()
        };
        let said = Skills::new(&wrong, 0).unwrap_err().to_string();
        assert!(said.contains("composed") && said.contains("1.5"), "{said}");
    }

    /// What a draw says, read back from its tokens and judged by the checker, which shares no code with the generators.
    #[test]
    fn what_a_draw_holds_is_what_the_checker_finds_in_it() {
        let task = tiny();
        let n = 4_000;
        let mut random = ChaCha8Rng::seed_from_u64(6);
        let drawn = task.draw(n, &mut random, &Device::flex()).unwrap();
        let mut counts = [0; 9];
        for (example, label) in drawn.labels.iter().enumerate() {
            let text = task.describe(&drawn.batch, example).unwrap();
            let judged = found(&text);
            assert_eq!(judged.len(), 1, "{text}: {judged:?}");
            assert_eq!(*label, Some(judged[0].index()), "{text}");
            counts[judged[0].index()] += 1;
        }
        // Harmonic frequencies, added up by hand: 1 + 1/2 + … + 1/8 = 761/280.
        for (rank, &count) in counts[..8].iter().enumerate() {
            let share = 280.0 / 761.0 / (rank + 1) as f64;
            let deviation = (n as f64 * share * (1.0 - share)).sqrt();
            assert!(
                (f64::from(count) - n as f64 * share).abs() < 5.0 * deviation,
                "{counts:?}"
            );
            assert!((task.capabilities[rank].frequency - share).abs() < 1e-12);
        }
        assert_eq!((counts[8], task.capabilities[8].frequency), (0, 0.0));
        assert_eq!(task.capabilities[8].parts, ["to-number", "add", "to-words"]);
    }

    /// The skills that a prompt with its answer is a right item of.
    fn found(text: &str) -> Vec<Skill> {
        let splits = (1..text.len()).map(|at| text.split_at(at));
        let right = |(prompt, answer): (&str, &str)| {
            let mut skills = Skill::ALL.into_iter();
            skills.find(|&skill| checker::check(skill, prompt, answer))
        };
        splits.filter_map(right).collect()
    }

    /// Who knows the form of the answers and not the question is right this often: chance is 0, but for what the form
    /// gives away.
    #[test]
    fn chance_is_measured() {
        for skill in Skill::ALL {
            let items = held_out(skill, 300, 2);
            let pairs = items.iter().zip(items.iter().cycle().skip(1));
            let right =
                pairs.filter(|(one, other)| checker::check(skill, &one.prompt, &other.answer));
            let share = right.count() as f64 / items.len() as f64;
            let most = match skill {
                // One digit of ten.
                Skill::Lookup => 0.2,
                _ => 0.05,
            };
            assert!(share < most, "{skill}: {share}");
            assert_eq!(CHANCE, 0.0);
        }
    }

    #[test]
    fn every_skill_is_scored_and_the_composed_one_is_never_drawn() {
        let task = tiny();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let model = task.model(&mut random, &Device::flex());
        let scores = task.evaluate(&model, &Device::flex()).unwrap();
        assert_eq!(scores.len(), 9);
        // A fresh model guesses among all characters.
        let guess = (Alphabet::SIZE as f64).ln();
        assert!(
            scores.iter().all(|score| (score.loss - guess).abs() < 1.0),
            "{scores:?}"
        );
        assert!(scores.iter().all(|score| score.accuracy < 0.2));
        let drawn = task.draw(2_000, &mut random, &Device::flex()).unwrap();
        assert!(
            drawn
                .labels
                .iter()
                .all(|label| label.is_some_and(|label| label < 8))
        );
        let copies = drawn
            .labels
            .iter()
            .filter(|&&label| label == Some(0))
            .count() as f64;
        assert!((copies / 2_000.0 - task.capabilities[0].frequency).abs() < 0.05);
    }
}
