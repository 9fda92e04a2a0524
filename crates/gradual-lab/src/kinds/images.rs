//! Images: a user's own, or drawn shapes.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{Channels, ImageData, ImageGroups, ImageOptions, Images as Task, ImagesConfig};
use serde::{Deserialize, Serialize};
use serde_json::json;
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Opened};

const RATE: f64 = 1e-3;
/// The word for groups that are folders.
const FOLDERS: &str = "folders";

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
        let groups = match self.group.as_deref() {
            None => ImageGroups::Classes,
            Some(FOLDERS) => ImageGroups::Folders,
            Some(file) => ImageGroups::File(PathBuf::from(file)),
        };
        let options = ImageOptions::default()
            .with_labels(self.labels.clone())
            .with_groups(groups)
            .with_size(self.size.map(|size| size.0))
            .with_channels(self.channels);
        let checked = options.check().and_then(|()| self.model().check());
        checked.map_err(|error| kind::refused(kind, &error))?;
        Ok(options)
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
        let size = flags.size;
        let size = size.map(|Size([height, width])| format!("{width}x{height}"));
        kind::put(
            settings,
            [
                ("data", flags.data),
                ("labels", flags.labels),
                ("group", flags.group),
                ("size", size),
                ("channels", flags.channels),
            ],
        );
        kind::put(
            settings,
            [("filters", flags.filters), ("held_out", flags.held_out)],
        );
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
        let model = config.model();
        let task = Task::new(&data, &model, 0);
        task.map_err(|error| kind::refused(self, &error))?;
        let [height, width] = data.size();
        let settings = json!({
            "sha256": data.sha256(),
            "images": data.described(),
            "height": height,
            "width": width,
            "channels": data.channels(),
            "classes": data.classes(),
            "filters": model.filters,
            "held_out": model.held_out,
        });
        let notes = match &config.data {
            Some(_) => data.notes().to_vec(),
            None => Vec::new(),
        };
        let make = move |model: &ImagesConfig, seed| {
            Task::new(&data, model, seed).context("the task images")
        };
        let mut opened = Opened::new(settings, model, make)?;
        opened.notes = notes;
        opened.data_folder = config.data.filter(|data| data.is_dir());
        Ok(Box::new(opened))
    }
}
