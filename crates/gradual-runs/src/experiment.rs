use gradual_measure::Claim;
use serde::{Deserialize, Deserializer, Serialize};

/// What an experiment tests: `experiment.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRecord {
    /// Format version, [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// Name of the experiment, as on the command line.
    pub name: String,
    /// Title for people; empty where it is the name.
    #[serde(default)]
    pub title: String,
    /// The claim in the words of the post; empty where there is none.
    #[serde(default)]
    pub claim: String,
    /// Name of the arm that the others are compared with.
    pub baseline: String,
    /// Name of the arm whose effect is the whole, of which others have a share; none where shares are not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The arms in the order in which reports show them; arms with runs that are not named come last.
    #[serde(default)]
    pub arms: Vec<ArmRecord>,
    /// The measurable claims.
    #[serde(default)]
    pub claims: Vec<Claim>,
    /// What is unusual about the data, in sentences, as it was said when the runs began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The commands that made the runs, oldest first. A record from before there were several holds one, as `command`.
    #[serde(default, alias = "command", deserialize_with = "one_or_several")]
    pub commands: Vec<CommandRecord>,
}

/// One arm of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmRecord {
    /// Name, equal to the folder's.
    pub name: String,
    /// One sentence on what the arm does; empty where nothing is said.
    #[serde(default)]
    pub about: String,
    /// What the arm is a control for, in a few words, when it is one: "groups without meaning", "a lower
    /// learning rate".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// Its place in a series, when it is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<InSeries>,
    /// How many runs it is to have, by the last command that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u64>,
}

/// The place of an arm in a series: arms that do the same thing at several strengths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InSeries {
    /// Name of the series, the same for all its arms.
    pub name: String,
    /// The strength, a number above 0: a power, a rate, a number of groups.
    #[serde(deserialize_with = "strength")]
    pub at: f64,
}

fn strength<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let at = f64::deserialize(deserializer)?;
    match at.is_finite() && at > 0.0 {
        true => Ok(at),
        false => Err(serde::de::Error::custom(format!(
            "the place in a series is {at}, expected a number above 0"
        ))),
    }
}

/// A command that made runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// The command, quoted for a shell.
    pub command: String,
    /// Version of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Commit that the program was built from, with `-dirty` where the tree held changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl From<String> for CommandRecord {
    /// A command of which nothing else is known.
    fn from(command: String) -> Self {
        Self {
            command,
            version: None,
            commit: None,
        }
    }
}

fn one_or_several<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<CommandRecord>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Commands {
        One(String),
        Several(Vec<CommandRecord>),
    }
    Ok(match Commands::deserialize(deserializer)? {
        Commands::One(command) => vec![command.into()],
        Commands::Several(commands) => commands,
    })
}
