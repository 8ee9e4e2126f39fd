//! Instants as whole milliseconds since the epoch, for the store: it has no 128-bit numbers, which is what the
//! time library would write.

use serde::{Deserialize, Deserializer, Serializer, de};
use time::OffsetDateTime;

pub(super) fn serialize<S: Serializer>(instant: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(instant.unix_timestamp() * 1000 + i64::from(instant.millisecond()))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    let millis = i64::deserialize(deserializer)?;
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).map_err(de::Error::custom)
}
