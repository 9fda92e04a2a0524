//! Gradients and moments as plain data, to be saved and restored.
//!
//! A record holds every number as it is, so what is restored on the same kind of device goes on to the
//! same bits. What is read from a file may be anything: a record is checked before a tensor is made of it.

use std::borrow::Cow;

use burn::module::ParamId;
use burn::tensor::{DType, Device, TensorData};
use serde::{Deserialize, Serialize};

use super::ExampleGradients;
use super::factor::Factor;
use super::factor::lookups::Lookups;
use super::factor::outer::{Inputs, Outer};
use super::parameter::ParameterGradients;
use crate::error::GradError;
use crate::parameters::Parameter;
use crate::tensor_data::{agree, floats, integers, refused, within, written};

/// The gradients of a draw as plain data, for any serde format: made by
/// [`ExampleGradients::record`], read back by [`ExampleGradients::restored`].
///
/// Parameters keep their identity, so the gradients can be compared with others of the same model once
/// that has been restored with its parameters' identities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradientsRecord {
    /// One zero for each example, which tells their number and precision.
    zeros: TensorData,
    parameters: Vec<ParameterRecord>,
    left_out: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ParameterRecord {
    id: u64,
    path: String,
    shape: Vec<usize>,
    trainable: bool,
    /// Records from before it was written have parameters in the precision of their gradients.
    #[serde(default)]
    dtype: Option<DType>,
    factor: Option<FactorRecord>,
    weight: Option<u64>,
    uses: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum FactorRecord {
    Outer {
        left: TensorData,
        right: TensorData,
        inputs: Inputs,
    },
    Scatter {
        indices: TensorData,
        deltas: TensorData,
        rows: usize,
    },
    Stack(Vec<FactorRecord>),
    Rows(TensorData),
    /// Look-ups and an outer product.
    Tied(Box<FactorRecord>, Box<FactorRecord>),
}

impl ExampleGradients {
    /// The gradients as plain data. Copies every factor to the host.
    ///
    /// # Errors
    ///
    /// [`GradError::Record`] when a tensor can't be read from its device.
    pub fn record(&self) -> Result<GradientsRecord, GradError> {
        let parameters = self.parameters.iter().map(|each| {
            let factor = each.factor.as_ref().map(FactorRecord::of);
            Ok(ParameterRecord {
                id: each.parameter.id.val(),
                path: each.parameter.path.clone(),
                shape: each.parameter.shape.clone(),
                trainable: each.parameter.trainable,
                dtype: Some(each.parameter.dtype),
                factor: factor.transpose()?,
                weight: each.weight.map(|weight| weight.val()),
                uses: each.uses.iter().map(ToString::to_string).collect(),
            })
        });
        Ok(GradientsRecord {
            zeros: written(&self.zeros)?,
            parameters: parameters.collect::<Result<_, GradError>>()?,
            left_out: self.left_out.clone(),
        })
    }

    /// The gradients that a record was made of, on `device`.
    ///
    /// # Errors
    ///
    /// [`GradError::Record`] for a record whose tensors do not fit together.
    pub fn restored(record: &GradientsRecord, device: &Device) -> Result<Self, GradError> {
        let zeros = floats::<1>(&record.zeros, device)?;
        let [n] = zeros.dims();
        let parameters = record.parameters.iter().map(|each| {
            let factor = each.factor.as_ref();
            let factor = factor
                .map(|factor| factor.restored(n, device))
                .transpose()?;
            let size = each.shape.iter().product::<usize>();
            if let Some(factor) = &factor {
                agree(&each.path, &[size], &[factor.size()])?;
            }
            let own = factor.as_ref().map_or(zeros.dtype(), Factor::dtype);
            let mut gradients = ParameterGradients::new(Parameter {
                id: ParamId::from(each.id),
                path: each.path.clone(),
                shape: each.shape.clone(),
                trainable: each.trainable,
                shared: Vec::new(),
                dtype: each.dtype.unwrap_or(own),
            });
            gradients.factor = factor;
            gradients.weight = each.weight.map(ParamId::from);
            gradients.uses = each.uses.iter().cloned().map(Cow::Owned).collect();
            Ok(gradients)
        });
        Ok(Self {
            parameters: parameters.collect::<Result<_, GradError>>()?,
            left_out: record.left_out.clone(),
            zeros,
        })
    }
}

impl FactorRecord {
    fn of(factor: &Factor) -> Result<Self, GradError> {
        Ok(match factor {
            Factor::Outer(outer) => Self::of_outer(outer)?,
            Factor::Scatter(lookups) => Self::of_lookups(lookups)?,
            Factor::Tied(tied) => Self::Tied(
                Box::new(Self::of_lookups(&tied.lookups)?),
                Box::new(Self::of_outer(&tied.outer)?),
            ),
            Factor::Stack(parts) => {
                Self::Stack(parts.iter().map(Self::of).collect::<Result<_, _>>()?)
            }
            Factor::Rows(rows) => Self::Rows(written(rows)?),
        })
    }

    fn of_outer(outer: &Outer) -> Result<Self, GradError> {
        Ok(Self::Outer {
            left: written(&outer.left)?,
            right: written(&outer.right)?,
            inputs: outer.inputs,
        })
    }

    fn of_lookups(lookups: &Lookups) -> Result<Self, GradError> {
        Ok(Self::Scatter {
            indices: written(&lookups.indices)?,
            deltas: written(&lookups.deltas)?,
            rows: lookups.rows,
        })
    }

    /// The factor of n examples.
    fn restored(&self, n: usize, device: &Device) -> Result<Factor, GradError> {
        Ok(match self {
            Self::Outer {
                left,
                right,
                inputs,
            } => {
                if left.dtype() != right.dtype() {
                    return Err(refused("both sides must be in one precision".to_owned()));
                }
                let (left, right) = (floats::<3>(left, device)?, floats::<3>(right, device)?);
                agree("both sides", &left.dims()[..2], &right.dims()[..2])?;
                agree("examples", &[n], &left.dims()[..1])?;
                Factor::of_sides(left, right, *inputs)
            }
            Self::Scatter {
                indices,
                deltas,
                rows,
            } => {
                within(indices, *rows)?;
                let indices = integers::<2>(indices, device)?;
                let deltas = floats::<3>(deltas, device)?;
                agree("indices", &indices.dims(), &deltas.dims()[..2])?;
                agree("examples", &[n], &indices.dims()[..1])?;
                Factor::scatter(indices, deltas, *rows)
            }
            Self::Tied(lookups, outer) => {
                match (lookups.restored(n, device)?, outer.restored(n, device)?) {
                    (Factor::Scatter(lookups), Factor::Outer(outer)) => {
                        let (a, b) = (lookups.sides(), outer.sides());
                        agree("look-ups and outer product", &[a.0, a.1], &[b.0, b.1])?;
                        Factor::tied(lookups, outer)
                    }
                    _ => {
                        let expected = "expected look-ups and an outer product of one matrix";
                        return Err(refused(expected.to_owned()));
                    }
                }
            }
            Self::Stack(parts) => {
                let parts = parts.iter().map(|part| part.restored(n, device));
                Factor::Stack(parts.collect::<Result<_, _>>()?)
            }
            Self::Rows(rows) => {
                let rows = floats::<2>(rows, device)?;
                agree("examples", &[n], &rows.dims()[..1])?;
                Factor::Rows(rows)
            }
        })
    }
}
