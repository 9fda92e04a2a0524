//! Lines of text: a user's own corpus, or prompts with their targets.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual::train::{Capability, Task as _};
use gradual_tasks::{Text as Task, TextConfig, TextData, TextError, TextTokens};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Finished, Run, Setting, trainer, written_down};

const RATE: f64 = 2e-3;

/// Words for the tokens that need no file.
const CHARACTERS: &str = "characters";
const BYTES: &str = "bytes";

/// The kind `text`.
pub(crate) struct Text;

/// Which text, how it is cut into tokens, and the sizes of [`TextConfig`].
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// A file with a JSON object on every line, a pipe of such, or `-` for standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<PathBuf>,
    /// `characters`, `bytes`, or a file of the crate `tokenizers`.
    tokenizer: String,
    context: usize,
    width: usize,
    heads: usize,
    layers: usize,
    hidden: usize,
    held_out: usize,
}

impl Default for Config {
    fn default() -> Self {
        let TextConfig {
            context,
            width,
            heads,
            layers,
            hidden,
            held_out,
        } = TextConfig::default();
        Self {
            data: None,
            tokenizer: CHARACTERS.to_owned(),
            context,
            width,
            heads,
            layers,
            hidden,
            held_out,
        }
    }
}

impl Config {
    fn sizes(&self) -> TextConfig {
        TextConfig {
            context: self.context,
            width: self.width,
            heads: self.heads,
            layers: self.layers,
            hidden: self.hidden,
            held_out: self.held_out,
        }
    }

    fn tokens(&self) -> TextTokens {
        match self.tokenizer.as_str() {
            CHARACTERS => TextTokens::Characters,
            BYTES => TextTokens::Bytes,
            file => TextTokens::File(PathBuf::from(file)),
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of text")]
struct Flags {
    /// A file with a JSON object on every line: {"prompt", "target"} or {"text"}, with a "group" or without; - is
    /// standard input
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// What a token is: characters, bytes, or a file of the crate tokenizers [default: characters]
    #[arg(long, value_name = "WORD|FILE.json")]
    tokenizer: Option<String>,
    /// Tokens that the model sees at once
    #[arg(long, value_name = "N")]
    context: Option<u32>,
    /// Width of the model
    #[arg(long, value_name = "N")]
    width: Option<u32>,
    /// Attention heads, which divide the width
    #[arg(long, value_name = "N")]
    heads: Option<u32>,
    /// Blocks of the model
    #[arg(long, value_name = "N")]
    layers: Option<u32>,
    /// Width of the hidden layers
    #[arg(long, value_name = "N")]
    hidden: Option<u32>,
    /// Most held-out lines of each group
    #[arg(long, value_name = "N")]
    held_out: Option<u32>,
}

impl Kind for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<Config>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut toml::Table) -> anyhow::Result<()> {
        let flags = Flags::from_arg_matches(flags)?;
        for (name, value) in [("data", flags.data), ("tokenizer", flags.tokenizer)] {
            if let Some(value) = value {
                settings.insert(name.to_owned(), value.into());
            }
        }
        for (name, value) in [
            ("context", flags.context),
            ("width", flags.width),
            ("heads", flags.heads),
            ("layers", flags.layers),
            ("hidden", flags.hidden),
            ("held_out", flags.held_out),
        ] {
            if let Some(value) = value {
                settings.insert(name.to_owned(), i64::from(value).into());
            }
        }
        Ok(())
    }

    fn rate(&self, _: &toml::Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: toml::Table) -> anyhow::Result<()> {
        let config: Config = kind::settings(self, settings)?;
        let checked = config.sizes().check();
        checked.map_err(|error| kind::refused(self, &error))
    }

    fn open(
        &self,
        settings: toml::Table,
        quality: Option<Quality>,
    ) -> anyhow::Result<Box<dyn AnyTask>> {
        kind::without_quality(self, quality.as_ref())?;
        let config: Config = kind::settings(self, settings)?;
        let sizes = config.sizes();
        sizes.check().map_err(|error| kind::refused(self, &error))?;
        let file = config.data.as_ref().context(
            "the task text needs lines of text: give --data FILE.jsonl, or data = \"FILE.jsonl\" in [task.text]",
        )?;
        // Once for all runs: what is wrong is found before any folder is made, and a pipe can be read only once.
        let opened = TextData::open(file, &config.tokens(), &sizes);
        let data = opened.map_err(|error| match error {
            TextError::Setting(error) => kind::refused(self, &error),
            other => other.into(),
        })?;
        Ok(Box::new(Opened {
            capabilities: Task::new(&data, 0).capabilities().to_vec(),
            data,
        }))
    }
}

/// Text that was indexed.
struct Opened {
    data: TextData,
    capabilities: Vec<Capability>,
}

impl AnyTask for Opened {
    /// What was read and not where, since a file can be moved, and another be put in its place.
    fn settings(&self) -> anyhow::Result<Value> {
        let names = self.capabilities.iter();
        let mut settings = json!(self.data.config());
        if let Some(fields) = settings.as_object_mut() {
            fields.insert("sha256".to_owned(), self.data.sha256().into());
            fields.insert("tokenizer".to_owned(), self.data.tokens().into());
            let names: Vec<&String> = names.map(|capability| &capability.name).collect();
            fields.insert("capabilities".to_owned(), json!(names));
        }
        Ok(settings)
    }

    fn capabilities(&self) -> anyhow::Result<Vec<Capability>> {
        Ok(self.capabilities.clone())
    }

    fn has_known_groups(&self) -> bool {
        self.data.has_groups()
    }

    fn notes(&self) -> &[String] {
        self.data.notes()
    }

    fn try_first_step(&self, setting: Setting<'_>) -> anyhow::Result<()> {
        let task = Task::new(&self.data, setting.seed);
        Ok(trainer(&task, setting)?.try_first_step()?)
    }

    fn train(&self, run: Run<'_>) -> anyhow::Result<Finished> {
        let task = Task::new(&self.data, run.setting.seed);
        let trainer = trainer(&task, run.setting)?;
        Ok(written_down(trainer, run).run()?.into())
    }
}
