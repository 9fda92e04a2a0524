//! The files of a run folder: their names, how they are read, and how they are written whole.
//!
//! Nothing here follows a link. A folder that somebody else wrote can name or hold whatever it likes: no file outside of
//! it is read or written for that.
//!
//! - [`is_file`], [`is_folder`]: what stands at a path.
//! - [`open`], [`length`], [`text`], [`read`], [`entries`]: reading, up to [`MOST_BYTES`] where a whole file is held in memory.
//! - [`replace`], [`write_new`], [`temporary_folder`], [`sweep`]: writing under a random name that did not exist before.

mod kind;
mod names;
mod read;
mod write;

pub(crate) use kind::is_same;
pub use kind::{is_file, is_folder};
pub use names::{
    CHECKPOINTS, CONFIG, CURVES, DONE, ENVIRONMENT, EXPERIMENT, GROUPS, JOURNALS, LOCK, LOOKS,
    MEMBERS, NAMES, TENSORBOARD, TIMING, is_journal_name,
};
pub(crate) use read::open_with;
pub use read::{MOST_BYTES, bytes, entries, length, open, read, text};
pub(crate) use write::replace_open;
pub use write::{replace, sweep, temporary_folder, write_new};
