//! Tasks with known capabilities, and the small models that learn them.
//!
//! | task | capabilities | data |
//! |---|---|---|
//! | [`SparseParity`] | one per parity, with Zipf frequencies | fresh examples every step |
//! | [`Table`] | one per value of a group column | a CSV file, or red-wine quality |

mod mlp;
mod sparse_parity;
mod table;

pub use mlp::Mlp;
pub use sparse_parity::{ParityBatch, SparseParity, SparseParityConfig, SparseParityError};
pub use table::{Table, TableBatch, TableError};
