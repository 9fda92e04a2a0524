//! `.safetensors`: several tensors by name.

use std::path::Path;

use anyhow::{Context as _, bail};
use burn::tensor::{Element, TensorData, bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::array::{self, Array};
use super::{MOST_BYTES, bytes};

/// The tensors of a file in the order of their names, or the one of a name.
pub(super) fn read(path: &Path, wanted: Option<&str>) -> anyhow::Result<Vec<Array>> {
    let content = bytes(path, MOST_BYTES)?;
    let file = SafeTensors::deserialize(&content)
        .with_context(|| format!("{}: no file of safetensors", path.display()))?;
    let mut tensors: Vec<(String, TensorView<'_>)> = file.tensors();
    tensors.sort_by(|one, other| one.0.cmp(&other.0));
    if let Some(wanted) = wanted {
        let names: Vec<String> = tensors
            .iter()
            .map(|one| gradual::runs::shown(&one.0))
            .collect();
        tensors.retain(|(name, _)| name == wanted);
        if tensors.is_empty() {
            bail!(
                "{}: expected a tensor {}, found {}",
                path.display(),
                gradual::runs::shown(wanted),
                names.join(", ")
            );
        }
    }
    if tensors.is_empty() {
        bail!("{}: holds no tensor", path.display());
    }
    tensors
        .iter()
        .map(|(tensor, view)| {
            let name = format!("{}:{tensor}", path.display());
            let data = values(view).with_context(|| name.clone())?;
            let mut array = Array::new(name, data);
            match view.dtype() {
                Dtype::F16 => array.rounding = array::rounding_of_half(10),
                Dtype::BF16 => array.rounding = array::rounding_of_half(7),
                _ => {}
            }
            Ok(array)
        })
        .collect()
}

fn values(view: &TensorView<'_>) -> anyhow::Result<TensorData> {
    Ok(match view.dtype() {
        Dtype::F32 => of(view, f32::from_le_bytes),
        Dtype::F64 => of(view, f64::from_le_bytes),
        Dtype::I64 => of(view, i64::from_le_bytes),
        Dtype::I32 => of(view, i32::from_le_bytes),
        Dtype::I16 => of(view, i16::from_le_bytes),
        Dtype::I8 => of(view, i8::from_le_bytes),
        Dtype::U64 => of(view, u64::from_le_bytes),
        Dtype::U32 => of(view, u32::from_le_bytes),
        Dtype::U16 => of(view, u16::from_le_bytes),
        Dtype::U8 => of(view, u8::from_le_bytes),
        Dtype::F16 => array::from_bits(&of(view, u16::from_le_bytes), |bits| {
            f16::from_bits(bits).to_f32()
        }),
        Dtype::BF16 => array::from_bits(&of(view, u16::from_le_bytes), |bits| {
            bf16::from_bits(bits).to_f32()
        }),
        other => bail!(
            "expected {}, found {other:?}; convert the tensor before it is saved",
            array::READ
        ),
    })
}

fn of<T: Element, const N: usize>(view: &TensorView<'_>, read: fn([u8; N]) -> T) -> TensorData {
    let (entries, _) = view.data().as_chunks::<N>();
    let entries: Vec<T> = entries.iter().map(|&bytes| read(bytes)).collect();
    TensorData::new(entries, view.shape().to_vec())
}
