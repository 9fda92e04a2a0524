//! Lines of text: a user's own corpus, or prompts with their targets.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{Text as Task, TextConfig, TextData, TextError, TextTokens};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Opened};

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
        kind::put(
            settings,
            [("data", flags.data), ("tokenizer", flags.tokenizer)],
        );
        kind::put(
            settings,
            [
                ("context", flags.context),
                ("width", flags.width),
                ("heads", flags.heads),
                ("layers", flags.layers),
                ("hidden", flags.hidden),
                ("held_out", flags.held_out),
            ],
        );
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

    fn lacks_data(&self, settings: &toml::Table) -> bool {
        !settings.contains_key("data")
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
        let (has_known_groups, notes) = (data.has_groups(), data.notes().to_vec());
        let mut settings = json!(data.config());
        settings["sha256"] = data.sha256().into();
        settings["tokenizer"] = data.tokens().into();
        let make = move |sizes: &TextConfig, seed| {
            let task = Task::new(&data, seed).with_sizes(sizes);
            task.context("the task text")
        };
        let mut opened = Opened::new(settings, sizes, make)?;
        opened.notes = notes;
        opened.has_known_groups = has_known_groups;
        Ok(Box::new(opened))
    }
}
