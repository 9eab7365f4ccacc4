//! `[storage.batch]`: how much one commit takes.

use std::time::Duration;

use ringwire_storage::BatchLimits;
use serde::{Deserialize, Serialize};

use super::validate::{Invalid, within};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "they are called so in the file")]
pub(super) struct RawBatch {
    pub(super) max_rows: u32,
    pub(super) max_bytes: u32,
    pub(super) max_age_us: u32,
}

impl Default for RawBatch {
    fn default() -> Self {
        let BatchLimits { max_rows, max_bytes, max_age } = BatchLimits::default();
        Self {
            max_rows: max_rows as u32,
            max_bytes: max_bytes as u32,
            max_age_us: max_age.as_micros() as u32,
        }
    }
}

pub(super) fn batch(raw: &RawBatch) -> Result<BatchLimits, Invalid> {
    let max_age_us = within("storage.batch.max_age_us", raw.max_age_us, 0, 100_000)?;
    Ok(BatchLimits {
        max_rows: within("storage.batch.max_rows", raw.max_rows, 1, 16_384)? as usize,
        max_bytes: within("storage.batch.max_bytes", raw.max_bytes, 1, 1 << 26)? as usize,
        max_age: Duration::from_micros(max_age_us.into()),
    })
}
