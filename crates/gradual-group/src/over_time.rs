//! What becomes of groups from one draw to the next.

pub(crate) mod directions;
pub(crate) mod identities;
pub(crate) mod matching;
pub(crate) mod split_merge;
