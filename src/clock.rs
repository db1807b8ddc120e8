//! The time, as the archive writes it down.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Unix seconds now.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// RFC 3339 in UTC, `2026-11-21T22:28:00Z`; years that no calendar has are shown as seconds.
pub fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| format!("@{seconds}"), |time| time.to_string())
}

/// `2026-11-21 22:28` in UTC.
pub fn short(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| format!("@{seconds}"), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc_and_never_panic() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(short(1_700_000_000), "2023-11-14 22:13");
        assert_eq!(rfc3339(i64::MAX), format!("@{}", i64::MAX));
    }
}
