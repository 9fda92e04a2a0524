//! A metric's running moments as plain data.

use std::collections::BTreeMap;

use burn::tensor::{Device, TensorData};
use serde::{Deserialize, Serialize};

use super::Metric;
use super::kind::Kind;
use super::moments::Moments;
use super::part::Part;
use super::vectors::{Running, Vectors};
use super::whitening::Whitening;
use crate::error::GradError;
use crate::tensor_data::{agree, floats, refused, written};

/// What a [`Metric`] has observed, as plain data for any serde format: made by [`Metric::record`], read
/// back by [`Metric::restore`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRecord {
    whitening: Whitening,
    part: Part,
    moments: BTreeMap<String, MomentsRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct MomentsRecord {
    kind: KindRecord,
    size: RunningRecord,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum KindRecord {
    Plain,
    Outer {
        left: Box<VectorsRecord>,
        right: Box<VectorsRecord>,
    },
    Scatter {
        frequency: RunningRecord,
        right: Box<VectorsRecord>,
    },
    Stack(Vec<KindRecord>),
    Rows(Box<VectorsRecord>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RunningRecord {
    sum: TensorData,
    weight: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct VectorsRecord {
    mean: Option<RunningRecord>,
    square: RunningRecord,
    product: Option<(RunningRecord, TensorData)>,
}

impl Metric {
    /// The running moments as plain data; the settings are not part of it.
    ///
    /// # Errors
    ///
    /// [`GradError::Record`] when moments can't be read from their device.
    pub fn record(&self) -> Result<MetricRecord, GradError> {
        let moments = self.moments.iter().map(|(path, moments)| {
            let record = MomentsRecord {
                kind: KindRecord::of(&moments.kind)?,
                size: RunningRecord::of(&moments.size)?,
            };
            Ok((path.clone(), record))
        });
        Ok(MetricRecord {
            whitening: self.whitening,
            part: self.part,
            moments: moments.collect::<Result<_, GradError>>()?,
        })
    }

    /// Restores the moments of a record, on `device`.
    ///
    /// # Errors
    ///
    /// [`GradError::Record`] for moments of another whitening or part, or that do not fit together. The
    /// metric is then as it was.
    pub fn restore(&mut self, record: &MetricRecord, device: &Device) -> Result<(), GradError> {
        if (record.whitening, record.part) != (self.whitening, self.part) {
            return Err(refused(format!(
                "these are moments of {:?} of {:?}, and the metric is {:?} of {:?}",
                record.whitening, record.part, self.whitening, self.part
            )));
        }
        let moments = record.moments.iter().map(|(path, moments)| {
            let restored = Moments {
                kind: moments.kind.restored(device)?,
                size: moments.size.restored(&[1], device)?,
            };
            Ok((path.clone(), restored))
        });
        self.moments = moments.collect::<Result<_, GradError>>()?;
        Ok(())
    }
}

impl KindRecord {
    fn of(kind: &Kind) -> Result<Self, GradError> {
        let vectors = |vectors: &Vectors| VectorsRecord::of(vectors).map(Box::new);
        Ok(match kind {
            Kind::Plain => Self::Plain,
            Kind::Outer { left, right } => Self::Outer {
                left: vectors(left)?,
                right: vectors(right)?,
            },
            Kind::Scatter { frequency, right } => Self::Scatter {
                frequency: RunningRecord::of(frequency)?,
                right: vectors(right)?,
            },
            Kind::Stack(parts) => {
                Self::Stack(parts.iter().map(Self::of).collect::<Result<_, _>>()?)
            }
            Kind::Rows(rows) => Self::Rows(vectors(rows)?),
        })
    }

    fn restored(&self, device: &Device) -> Result<Kind, GradError> {
        let vectors = |vectors: &VectorsRecord| vectors.restored(device).map(Box::new);
        Ok(match self {
            Self::Plain => Kind::Plain,
            Self::Outer { left, right } => Kind::Outer {
                left: vectors(left)?,
                right: vectors(right)?,
            },
            Self::Scatter { frequency, right } => Kind::Scatter {
                frequency: Box::new(frequency.restored(frequency.sum.shape(), device)?),
                right: vectors(right)?,
            },
            Self::Stack(parts) => {
                let parts = parts.iter().map(|part| part.restored(device));
                Kind::Stack(parts.collect::<Result<_, _>>()?)
            }
            Self::Rows(rows) => Kind::Rows(vectors(rows)?),
        })
    }
}

impl RunningRecord {
    fn of<const D: usize>(running: &Running<D>) -> Result<Self, GradError> {
        Ok(Self {
            sum: written(&running.sum)?,
            weight: running.weight,
        })
    }

    fn restored<const D: usize>(
        &self,
        shape: &[usize],
        device: &Device,
    ) -> Result<Running<D>, GradError> {
        agree("moments", shape, self.sum.shape())?;
        Ok(Running {
            sum: floats(&self.sum, device)?,
            weight: self.weight,
        })
    }
}

impl VectorsRecord {
    fn of(vectors: &Vectors) -> Result<Self, GradError> {
        let product = vectors.product.as_ref();
        let product =
            product.map(|(running, matrix)| Ok((RunningRecord::of(running)?, written(matrix)?)));
        Ok(Self {
            mean: vectors.mean.as_ref().map(RunningRecord::of).transpose()?,
            square: RunningRecord::of(&vectors.square)?,
            product: product.transpose()?,
        })
    }

    /// Moments of as many coordinates everywhere.
    fn restored(&self, device: &Device) -> Result<Vectors, GradError> {
        let square: Running<1> = self.square.restored(self.square.sum.shape(), device)?;
        let [d] = square.sum.dims();
        let mean = self.mean.as_ref();
        let mean = mean.map(|mean| mean.restored(&[d], device)).transpose()?;
        let product = self.product.as_ref().map(|(running, matrix)| {
            agree("whitening", &[d, d], matrix.shape())?;
            Ok((running.restored(&[d, d], device)?, floats(matrix, device)?))
        });
        Ok(Vectors {
            mean,
            square,
            product: product.transpose()?,
        })
    }
}
