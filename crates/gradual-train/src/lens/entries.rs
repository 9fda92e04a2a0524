//! Lenses by name.

use std::fmt;
use std::sync::Arc;

use gradual_grad::Part;
use gradual_registry::{Arguments, BuildError, Entry, Parameter, Value};

use super::Lens;
use super::search::{KRONECKER, LensSearch, LookGrouping, WHITENED, metrics};

const NONE: &str = "none";
const BOTH: &str = "both";

/// Most steps of a run.
const MANY_STEPS: f64 = 1e12;

/// What a run gives the lenses of the [registry](crate::registry::LENSES), beside their parameters.
#[derive(Clone)]
pub struct LensContext {
    /// Globs of the parameters that the grouping looks at; all where there are none. A search looks at each parameter by itself.
    pub layers: Vec<String>,
    /// Makes the grouping of a look of a search.
    pub grouping: Arc<LookGrouping>,
}

impl fmt::Debug for LensContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LensContext")
            .field("layers", &self.layers)
            .finish_non_exhaustive()
    }
}

/// In the [registry](crate::registry::LENSES).
pub(crate) static SNAPSHOT: Entry<LensContext, Lens> = Entry {
    name: "snapshot",
    about: "groups are found in the gradients of a snapshot of the model, and all examples are one group until it is taken",
    facts: &[],
    parameters: &[
        Parameter::count("after", "steps until the snapshot is taken", 100).at_most(MANY_STEPS),
        Parameter::count("every", "steps until a new one takes its place", 1)
            .at_least(1.0)
            .at_most(MANY_STEPS)
            .or_words(&[NONE])
            .word_by_default(NONE),
    ],
    build: |arguments, context| {
        let layers: Vec<&str> = context.layers.iter().map(String::as_str).collect();
        let lens = Lens::after(u64::try_from(arguments.count("after")?)?).looking_at(&layers);
        Ok(match arguments.value("every")? {
            Value::Word(_) => lens,
            _ => lens.renewed_every(u64::try_from(arguments.count("every")?)?)?,
        })
    },
};

/// In the [registry](crate::registry::LENSES).
pub(crate) static SEARCH: Entry<LensContext, Lens> = Entry {
    name: "search",
    about: "a snapshot whose step, layer, metric and number of groups are chosen without labels: of the looks that two sets of examples \
            agree on, the one whose groups explain most of what examples have learned",
    facts: &[],
    parameters: &[
        Parameter::numbers("steps", "after how many steps looks are taken")
            .at_least(0.0)
            .at_most(MANY_STEPS)
            .list_by_default(&[50.0, 100.0, 200.0, 300.0]),
        Parameter::numbers("k", "numbers of groups that are tried")
            .at_least(2.0)
            .at_most(10_000.0)
            .list_by_default(&[4.0, 6.0, 8.0, 12.0]),
        Parameter::choice(
            "metrics",
            "the metrics that are tried",
            &[BOTH, WHITENED, KRONECKER],
        ),
        Parameter::number("damping", "the damping of the metric kronecker", 0.1)
            .above(0.0)
            .only_if("metrics", &[BOTH, KRONECKER]),
        Parameter::choice(
            "part",
            "the side of a layer that is compared",
            &["gradients", "inputs", "output-gradients"],
        ),
        Parameter::count(
            "examples",
            "examples of each of the two sets, and of those that they are compared on",
            400,
        )
        .at_least(1.0)
        .at_most(10_000.0),
        Parameter::number(
            "stability",
            "least adjusted Rand index between the two",
            0.9,
        )
        .at_least(0.0)
        .at_most(1.0),
        Parameter::number(
            "explained",
            "least share of learning that the groups of a look explain",
            0.05,
        )
        .at_least(0.0)
        .at_most(1.0),
        Parameter::flag(
            "wait",
            "whether the lens is opened after the last of the steps, with the look of any step that explains most, and not at the first step that has a look",
            false,
        ),
    ],
    build: |arguments, context| {
        let steps = whole(arguments, "steps")?;
        let groups = whole(arguments, "k")?.into_iter().map(usize::try_from);
        let groups = groups.collect::<Result<Vec<usize>, _>>()?;
        let part = match arguments.word("part")? {
            "inputs" => Part::Inputs,
            "output-gradients" => Part::OutputGradients,
            _ => Part::Gradients,
        };
        let damping = arguments.number("damping")?;
        let tried = arguments.word("metrics")?;
        let metrics = metrics(part, damping).into_iter();
        let metrics = metrics.filter(|(name, _)| tried == BOTH || tried == name.as_str());
        let layers: Vec<&str> = context.layers.iter().map(String::as_str).collect();
        let grouping = context.grouping;
        let search = LensSearch::by(&layers, move |metric, groups| grouping(metric, groups))
            .with_steps(&steps)?
            .with_groups(&groups)?
            .with_metrics(metrics.collect())?
            .with_examples(arguments.count("examples")?)?
            .with_stability(arguments.number("stability")?)?
            .with_explained(arguments.number("explained")?)?;
        Ok(Lens::searched(match arguments.flag("wait")? {
            true => search.waiting(),
            false => search,
        }))
    },
};

/// A list of whole numbers.
fn whole(arguments: &Arguments, name: &'static str) -> Result<Vec<u64>, BuildError> {
    let numbers = arguments.numbers(name)?.iter().map(|&number| {
        let is_whole = number.fract() == 0.0 && number >= 0.0;
        is_whole
            .then_some(number as u64)
            .ok_or_else(|| format!("{name} = {number}, but whole numbers are expected").into())
    });
    numbers.collect()
}
