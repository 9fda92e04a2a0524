//! Gradients of the examples of all ranks, as they are compared.

use burn::tensor::{Device, Tensor};
use gradual_grad::ExampleGradients;

use super::gathering::Gathering;
use super::group::Ranks;
use super::message::Point;
use super::numbers::Numbers;
use crate::error::TrainError;

/// What a rank has of the gradients of its own examples; nothing where these have no loss.
pub(crate) enum OwnGradients {
    /// All of them.
    Kept(Option<Box<ExampleGradients>>),
    /// Sketches of one part after another, whose gradients are made again for the update.
    Sketched(Vec<Tensor<2>>),
}

impl OwnGradients {
    fn bytes(&self, gathering: Gathering) -> Result<Vec<u8>, TrainError> {
        match self {
            Self::Kept(Some(own)) => gathering.bytes(own),
            Self::Sketched(parts) if !parts.is_empty() => {
                let sketches = Tensor::cat(parts.clone(), 0);
                Numbers::of("sketch", sketches).map(|sketches| sketches.bytes())
            }
            Self::Kept(None) | Self::Sketched(_) => Ok(Vec::new()),
        }
    }

    /// Those that were kept.
    pub(crate) fn kept(self) -> Option<ExampleGradients> {
        match self {
            Self::Kept(own) => own.map(|own| *own),
            Self::Sketched(_) => None,
        }
    }
}

impl Ranks {
    /// A rank's own gradients, and those of all examples as they are compared.
    pub(crate) fn compared(
        &self,
        own: Result<OwnGradients, TrainError>,
        device: &Device,
    ) -> Result<(OwnGradients, ExampleGradients), TrainError> {
        let gathering = self.gathering();
        let own = own.and_then(|own| Ok((own.bytes(gathering)?, own)));
        let (all, own) = self.gather_with(Point::Gradients, own)?;
        let all = all.into_iter().enumerate();
        let all: Vec<_> = all.filter(|(_, bytes)| !bytes.is_empty()).collect();
        Ok((own, gathering.gradients(&all, device)?))
    }
}
