#![doc = include_str!("../README.md")]
//!
//! | task | capabilities | data |
//! |---|---|---|
//! | [`SparseParity`] | one per parity, with Zipf frequencies | fresh examples every step |
//! | [`SparseParity::composed`] | parities in triples, one composed of the two others, with controls | fresh examples every step |
//! | [`Modular`] | one per operation modulo a prime | a part of each table |
//! | [`Addition`] | a digit of the sum, and whether a one is carried into it | fresh examples every step |
//! | [`Biographies`] | facts about made-up people, and the text among which they are told | fresh examples every step |
//! | [`InContext`] | groups of classes, and what is learned in context and in weights | fresh sequences every step |
//! | [`Skills`] | text skills with exact answers, with Zipf frequencies | fresh examples every step |
//! | [`Text`] | one per group that lines name, or one of all | lines of JSON in a file |
//! | [`Table`] | one per value of a group column | a CSV file, a dataset of Burn's, or red-wine quality |
//! | [`Digits`] | one per digit, hidden in the classes even and odd; one digit is rare | 1 797 images of handwritten digits |
//! | [`Subpopulations`] | a majority and a minority of each of two classes, with outliers | fresh points every step |
//! | [`Images`] | one per group, or per class | a folder of PNG and JPEG files, IDX files, or drawn shapes |

mod addition;
mod biographies;
mod convnet;
mod counted;
mod decoder;
mod digits;
mod finite;
mod host;
mod images;
mod in_context;
mod likelihood;
mod line_ends;
mod mlp;
mod modular;
mod quoted;
mod separator;
mod setting;
pub mod skills;
mod sparse_parity;
mod subpopulations;
mod table;
mod text;
mod weights;

pub use addition::config::AdditionConfig;
pub use addition::{Addition, AdditionBatch};
pub use biographies::config::BiographiesConfig;
pub use biographies::{Biographies, BiographiesBatch};
pub use convnet::Convnet;
pub use decoder::{Decoder, DecoderConfig};
pub use digits::config::DigitsConfig;
pub use digits::{Digits, DigitsBatch};
pub use images::data::ImageData;
pub use images::error::ImageError;
pub use images::options::{Channels, ImageGroups, ImageOptions};
pub use images::{Images, ImagesBatch, ImagesConfig};
pub use in_context::config::{GroupedBy, InContextConfig};
pub use in_context::model::InContextNet;
pub use in_context::{InContext, InContextBatch};
pub use mlp::Mlp;
pub use modular::config::{ModularConfig, Operation};
pub use modular::model::ModularNet;
pub use modular::{Modular, ModularBatch};
pub use setting::SettingError;
pub use skills::{Skills, SkillsBatch, SkillsConfig};
pub use sparse_parity::SparseParity;
pub use sparse_parity::composition::config::CompositionConfig;
pub use sparse_parity::config::SparseParityConfig;
pub use sparse_parity::examples::ParityBatch;
pub use subpopulations::config::SubpopulationsConfig;
pub use subpopulations::{Subpopulations, SubpopulationsBatch};
pub use table::data::TableData;
pub use table::error::TableError;
pub use table::options::{Missing, Predicted, TableOptions};
pub use table::row::TableRow;
pub use table::{Table, TableBatch};
pub use text::{Text, TextBatch, TextConfig, TextData, TextError, TextTokens};
pub use weights::{linear, uniform};
