//! Tables as Parquet files, for data frames.

use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::ReportError;
use crate::table::{Cell, Table};

/// The table as one row group without compression. What is absent is null.
pub(crate) fn bytes(table: &Table) -> Result<Vec<u8>, ReportError> {
    write(table).map_err(|source| ReportError::Table {
        table: table.name.clone(),
        reason: source.to_string(),
    })
}

fn write(table: &Table) -> Result<Vec<u8>, ParquetError> {
    let fields = (0..table.heads.len())
        .map(|column| field(table, column).map(Arc::new))
        .collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder("schema")
        .with_fields(fields)
        .build()?;
    let mut file = SerializedFileWriter::new(
        Vec::new(),
        Arc::new(schema),
        Arc::new(WriterProperties::builder().build()),
    )?;
    let mut group = file.next_row_group()?;
    let mut column = 0;
    while let Some(mut writer) = group.next_column()? {
        values(table, column, writer.untyped())?;
        writer.close()?;
        column += 1;
    }
    group.close()?;
    file.into_inner()
}

/// A column without rows is one of text.
fn field(table: &Table, column: usize) -> Result<Type, ParquetError> {
    let (physical, converted) = match table.rows.first().map(|row| &row[column]) {
        Some(Cell::Number(_)) => (Physical::DOUBLE, ConvertedType::NONE),
        Some(Cell::Whole(_)) => (Physical::INT64, ConvertedType::NONE),
        Some(Cell::Flag(_)) => (Physical::BOOLEAN, ConvertedType::NONE),
        Some(Cell::Text(_)) | None => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
    };
    Type::primitive_type_builder(&table.heads[column], physical)
        .with_converted_type(converted)
        .with_repetition(Repetition::OPTIONAL)
        .build()
}

fn values(table: &Table, column: usize, writer: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
    let cells = || table.rows.iter().map(|row| &row[column]);
    let absent = |cell: &Cell| matches!(cell, Cell::Number(None) | Cell::Whole(None));
    let levels: Vec<i16> = cells().map(|cell| i16::from(!absent(cell))).collect();
    let levels = Some(&levels[..]);
    match writer {
        ColumnWriter::DoubleColumnWriter(writer) => {
            let numbers = cells().filter_map(|cell| match cell {
                Cell::Number(number) => *number,
                _ => None,
            });
            writer.write_batch(&numbers.collect::<Vec<_>>(), levels, None)?;
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let numbers = cells().filter_map(|cell| match cell {
                Cell::Whole(number) => number.map(|number| number as i64),
                _ => None,
            });
            writer.write_batch(&numbers.collect::<Vec<_>>(), levels, None)?;
        }
        ColumnWriter::BoolColumnWriter(writer) => {
            let flags = cells().filter_map(|cell| match cell {
                Cell::Flag(flag) => Some(*flag),
                _ => None,
            });
            writer.write_batch(&flags.collect::<Vec<_>>(), levels, None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let texts = cells().filter_map(|cell| match cell {
                Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                _ => None,
            });
            writer.write_batch(&texts.collect::<Vec<_>>(), levels, None)?;
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    #[test]
    fn a_table_comes_back() {
        let mut table = Table::new("t", &["arm", "seed", "gap", "finished"]);
        table.push(["erm".into(), 3_u64.into(), 0.25.into(), true.into()]);
        table.push(["a, b".into(), 4_u64.into(), None.into(), false.into()]);
        let bytes = bytes(&table).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let rows: Vec<String> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        assert_eq!(
            rows,
            [
                "{arm: \"erm\", seed: 3, gap: 0.25, finished: true}",
                "{arm: \"a, b\", seed: 4, gap: null, finished: false}",
            ]
        );
    }

    #[test]
    fn an_empty_table_has_its_columns() {
        let bytes = bytes(&Table::new("t", &["arm", "gap"])).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
        assert_eq!(
            reader
                .metadata()
                .file_metadata()
                .schema()
                .get_fields()
                .len(),
            2
        );
    }
}
