//! Times as other systems write them. One that can't be read is left behind: nothing depends on it.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

const LOCAL: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second][optional [.[subsecond]]]");

/// A time with its zone (RFC 3339), also with a blank in its middle.
pub(super) fn zoned(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&text.replacen(' ', "T", 1), &Rfc3339).ok()
}

/// A time of that zone, or seconds since the epoch.
pub(super) fn local(text: &str, zone: UtcOffset) -> Option<OffsetDateTime> {
    let seconds = || text.parse().ok().filter(|seconds| *seconds > 0).map(OffsetDateTime::from_unix_timestamp);
    match PrimitiveDateTime::parse(text, LOCAL) {
        Ok(time) => Some(time.assume_offset(zone)),
        Err(_) => seconds()?.ok(),
    }
}

/// A date.
pub(super) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime, offset};

    use super::*;

    #[test]
    fn times_as_they_are_found() {
        let noon = datetime!(2025-01-18 12:00 +8);
        for text in ["2025-01-18 12:00:00", "2025-01-18 12:00:00.000000", "1737172800"] {
            assert_eq!(local(text, offset!(+8)), Some(noon), "{text}");
        }
        for text in ["2025-01-18T04:00:00Z", "2025-01-18 12:00:00+08:00", "2025-01-18 12:00:00.000000000+08:00"] {
            assert_eq!(zoned(text), Some(noon), "{text}");
        }
        for text in ["", "0", "-5", "0000-00-00 00:00:00", "yesterday", "99999999999999999999"] {
            assert_eq!((local(text, offset!(+8)), zoned(text)), (None, None), "{text}");
        }
        assert_eq!(day("1990-01-01"), Some(date!(1990 - 01 - 01)));
        assert_eq!((day(""), day("0000-00-00")), (None, None));
    }
}
