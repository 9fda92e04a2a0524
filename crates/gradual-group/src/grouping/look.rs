//! How much of the gradients a grouping looks at.

/// How much of the gradients a grouping looks at, where it [needs](crate::Grouping::needs) them: what may be shown to it
/// in their place.
///
/// A step over several devices (`gradual_train::Ranks`) can send sketches of gradients instead of the gradients, to
/// groupings that look at no more than [`Vectors`](Self::Vectors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// Inner products alone: [`Draw::gram`](crate::Draw::gram).
    InnerProducts,
    /// Vectors, with their sums and their inner products with vectors of other draws under the same model. Any others
    /// with the same inner products would do.
    Vectors,
    /// The gradient of every layer, as for a metric or a choice of layers.
    Layers,
}
