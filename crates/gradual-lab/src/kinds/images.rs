//! Images: a user's own, or drawn shapes.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual::train::{Capability, Task as _};
use gradual_tasks::{
    Channels, ImageData, ImageGroups, ImageOptions, Images as Task, ImagesConfig, SettingError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Finished, Run, Setting, trainer, written_down};

const RATE: f64 = 1e-3;
/// The word for groups that are folders.
const FOLDERS: &str = "folders";
/// Least and greatest side of an image, in pixels.
const SIDE: std::ops::RangeInclusive<usize> = 8..=1_024;

/// The kind `images`.
pub(crate) struct Images;

/// Which images, and the model of them; drawn shapes where no data is named.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// A folder of images, or an IDX file.
    data: Option<PathBuf>,
    /// The IDX file of the labels.
    labels: Option<PathBuf>,
    /// `folders`, or a CSV file of groups.
    group: Option<String>,
    /// The side of a square to which images are resized, or both: 28 or "32x24".
    size: Option<Size>,
    channels: Option<Channels>,
    filters: usize,
    held_out: usize,
}

impl Default for Config {
    fn default() -> Self {
        let ImagesConfig { filters, held_out } = ImagesConfig::default();
        Self {
            data: None,
            labels: None,
            group: None,
            size: None,
            channels: None,
            filters,
            held_out,
        }
    }
}

/// Height and width of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Size([usize; 2]);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form =
            || format!("'{text}' is no size: 28 is a square, 32x24 is 32 pixels wide and 24 high");
        let side = |text: &str| text.trim().parse().map_err(|_| form());
        match text.split_once('x') {
            Some((width, height)) => Ok(Self([side(height)?, side(width)?])),
            None => side(text).map(|side| Self([side; 2])),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Integer(side) => side.to_string().parse(),
            toml::Value::String(text) => text.parse(),
            other => Err(format!(
                "{other} is no size: 28 is a square, \"32x24\" is 32 pixels wide and 24 high"
            )),
        }
        .map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of images")]
struct Flags {
    /// A folder of PNG and JPEG files, DIR/CLASS/FILE, or an IDX file of images, as MNIST's are, compressed or not
    /// [default: drawn shapes]
    #[arg(long, value_name = "DIR|IDX")]
    data: Option<String>,
    /// The IDX file of the labels [default: that beside --data, called labels-idx1 in the place of images-idx3]
    #[arg(long, value_name = "IDX")]
    labels: Option<String>,
    /// The groups: folders for DIR/CLASS/GROUP/FILE, or a CSV file with the columns file and group [default: classes]
    #[arg(long, value_name = "folders|FILE")]
    group: Option<String>,
    /// Resize all images to this size, in pixels: 28 for a square, 32x24 for 32 wide and 24 high
    #[arg(long, value_name = "N|WxH")]
    size: Option<Size>,
    /// How a model sees images [default: grey where all are]
    #[arg(long, value_name = "HOW", value_parser = ["grey", "colour"])]
    channels: Option<String>,
    /// Filters of the first convolution; the second has twice as many [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    filters: Option<u32>,
    /// Most images of a group that are held out [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    held_out: Option<u32>,
}

impl Config {
    /// How images are read, checked as far as they can be without them.
    fn options(&self, kind: &dyn Kind) -> anyhow::Result<ImageOptions> {
        if self.data.is_none() {
            let unused = [
                ("labels", self.labels.is_some()),
                ("group", self.group.is_some()),
                ("size", self.size.is_some()),
                ("channels", self.channels.is_some()),
            ];
            if let Some((name, _)) = unused.into_iter().find(|(_, is_set)| *is_set) {
                bail!(
                    "task.images.{name} goes with images of one's own: name their data (--data DIR)"
                );
            }
        }
        for side in self.size.iter().flat_map(|size| size.0) {
            if !SIDE.contains(&side) {
                let error = SettingError::Count {
                    name: "size",
                    least: *SIDE.start(),
                    most: *SIDE.end(),
                    got: side,
                };
                return Err(kind::refused(kind, &error));
            }
        }
        let config = self.model().check();
        config.map_err(|error| kind::refused(kind, &error))?;
        let groups = match self.group.as_deref() {
            None => ImageGroups::Classes,
            Some(FOLDERS) => ImageGroups::Folders,
            Some(file) => ImageGroups::File(PathBuf::from(file)),
        };
        Ok(ImageOptions::default()
            .with_labels(self.labels.clone())
            .with_groups(groups)
            .with_size(self.size.map(|size| size.0))
            .with_channels(self.channels))
    }

    fn model(&self) -> ImagesConfig {
        ImagesConfig {
            filters: self.filters,
            held_out: self.held_out,
        }
    }
}

impl Kind for Images {
    fn name(&self) -> &'static str {
        "images"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<Config>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let flags = Flags::from_arg_matches(flags)?;
        for (name, value) in [
            ("data", flags.data),
            ("labels", flags.labels),
            ("group", flags.group),
            (
                "size",
                flags
                    .size
                    .map(|Size([height, width])| format!("{width}x{height}")),
            ),
            ("channels", flags.channels),
        ] {
            if let Some(value) = value {
                settings.insert(name.to_owned(), value.into());
            }
        }
        for (name, value) in [("filters", flags.filters), ("held_out", flags.held_out)] {
            if let Some(value) = value {
                settings.insert(name.to_owned(), i64::from(value).into());
            }
        }
        Ok(())
    }

    fn rate(&self, _: &Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: Config = kind::settings(self, settings)?;
        config.options(self).map(drop)
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        kind::without_quality(self, quality.as_ref())?;
        let config: Config = kind::settings(self, settings)?;
        let options = config.options(self)?;
        // Read here, once for all runs, as tables are.
        let data = match &config.data {
            Some(data) => ImageData::open(data, &options)?,
            None => ImageData::shapes()?,
        };
        let task = Task::new(&data, &config.model(), 0);
        let task = task.map_err(|error| kind::refused(self, &error))?;
        Ok(Box::new(Opened {
            capabilities: task.capabilities().to_vec(),
            notes: match config.data {
                Some(_) => data.notes().to_vec(),
                None => Vec::new(),
            },
            model: config.model(),
            data,
        }))
    }
}

/// Images that were read.
struct Opened {
    data: ImageData,
    model: ImagesConfig,
    capabilities: Vec<Capability>,
    notes: Vec<String>,
}

impl Opened {
    fn task(&self, seed: u64) -> anyhow::Result<Task> {
        Task::new(&self.data, &self.model, seed).context("the task images")
    }
}

impl AnyTask for Opened {
    /// What was read and not where, since a folder can be moved, and another be put in its place.
    fn settings(&self) -> anyhow::Result<Value> {
        let names = self.capabilities.iter();
        let [height, width] = self.data.size();
        Ok(json!({
            "sha256": self.data.sha256(),
            "images": self.data.described(),
            "height": height,
            "width": width,
            "channels": self.data.channels(),
            "classes": self.data.classes(),
            "filters": self.model.filters,
            "held_out": self.model.held_out,
            "capabilities": names.map(|capability| &capability.name).collect::<Vec<_>>(),
        }))
    }

    fn capabilities(&self) -> anyhow::Result<Vec<Capability>> {
        Ok(self.capabilities.clone())
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn try_first_step(&self, setting: Setting<'_>) -> anyhow::Result<()> {
        let task = self.task(setting.seed)?;
        Ok(trainer(&task, setting)?.try_first_step()?)
    }

    fn train(&self, run: Run<'_>) -> anyhow::Result<Finished> {
        let task = self.task(run.setting.seed)?;
        let trainer = trainer(&task, run.setting)?;
        Ok(written_down(trainer, run).run()?.into())
    }
}
