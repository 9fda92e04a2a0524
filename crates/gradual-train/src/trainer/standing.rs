//! The standing examples of a run, and how examples are drawn.

use std::rc::Rc;

use rand_chacha::ChaCha8Rng;

use super::builder::Trainer;
use super::config::NotFinite;
use super::run::Run;
use crate::error::TrainError;
use crate::objective::Sight;
use crate::ranks::Ranks;
use crate::samplers::sampler::Wanted;
use crate::step::standing::{stood, trace_standing};
use crate::task::{Drawn, Task};

impl<T: Task> Trainer<'_, T> {
    /// Shows the grouping its standing examples, if it wants them.
    pub(super) fn show_standing(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        let Some(wish) = self.objective.wants() else {
            return Ok(());
        };
        // What the grouping refuses is forgotten, so that it is given others in the next step.
        let mut standing = run.standing.clone();
        if let Some(examples) = standing.make_room(wish) {
            let random = run.standing_draws.clone();
            let drawn = self.draw_parts(Wanted::Any(examples), &mut run.standing_draws)?;
            standing.add(examples, Rc::new((random, drawn)));
            run.seen.standing += examples as u64;
        }
        let (dropped, expected) = (standing.dropped(), standing.num_examples());
        if expected == 0 {
            run.standing = standing;
            return Ok(());
        }
        let draws = standing.draws().iter();
        let parts: Vec<&Drawn<T::Batch>> = draws.flat_map(|(_, drawn)| &drawn.1).collect();
        let labels = parts.iter().flat_map(|part| part.labels.iter().copied());
        let labels: Vec<_> = labels.skip(dropped).collect();
        // All that are traced, those too that have made room for others.
        let traced: usize = parts.iter().map(|part| part.labels.len()).sum();
        run.seen.shown += traced as u64;
        let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
        let sizes = (dropped, expected);
        let leaves_out = self.config.not_finite == NotFinite::LeaveOut;
        let tracer = self.sight_tracer();
        let sight = match self.objective.sight {
            Sight::Lens => self.frozen.as_ref().map_or(model, |frozen| &frozen.model),
            Sight::Model | Sight::Waiting => model,
        };
        // Every rank takes them all: they stand for many draws.
        let gathering = self.ranks.map(Ranks::gathering);
        let view = |traced| gathering.unwrap_or_default().view(traced);
        let traced = trace_standing(sight, leaves_out, &tracer, &parts, sizes, losses);
        let shown = traced.and_then(|(traced, left_out)| {
            stood(&mut self.objective, &view(traced)).map(|()| left_out)
        });
        let left_out = shown.map_err(|source| self.named(run, &labels, source))?;
        run.seen.standing_left_out += left_out as u64;
        run.standing = standing;
        Ok(())
    }

    /// Draws in parts of about the size of those of a step.
    pub(super) fn draw_parts(
        &self,
        wanted: Wanted,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<Drawn<T::Batch>>, TrainError> {
        let parts = match self.config.parts {
            1 => 1,
            parts => wanted
                .num_examples()
                .div_ceil(self.config.draw.div_ceil(parts)),
        };
        self.draw(wanted, parts, random)
    }

    pub(super) fn draw(
        &self,
        wanted: Wanted,
        parts: usize,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<Drawn<T::Batch>>, TrainError> {
        let draw = |wanted: Wanted| match wanted {
            Wanted::Any(n) => self.task.draw(n, random, &self.device),
            Wanted::Of(each) => self.task.draw_of(&each, random, &self.device),
            Wanted::Items(items) => {
                let drawn = self.task.pick(&items, &self.device)?;
                Ok(drawn.with_items(items))
            }
        };
        wanted.split(parts).into_iter().map(draw).collect()
    }
}
