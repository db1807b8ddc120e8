//! Dates and sizes as people read them here.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// The zone of the archive's table and of the days in a search.
pub fn zone() -> TimeZone {
    TimeZone::get("Europe/Zurich").unwrap_or(TimeZone::UTC)
}

/// `21.11.2026`.
pub fn day(seconds: i64) -> String {
    format(seconds, &zone(), "%d.%m.%Y")
}

/// `21.11.2026 22:28`.
pub fn minute(seconds: i64) -> String {
    format(seconds, &zone(), "%d.%m.%Y %H:%M")
}

/// `21.11.2026 22:28:07 (+01:00)`.
pub fn second(seconds: i64) -> String {
    format(seconds, &zone(), "%d.%m.%Y %H:%M:%S (%:z)")
}

/// `21.11.2026 22:28 (+05:30)`: in the zone that a `Date` field names, else in ours.
pub fn as_sent(seconds: i64, field: &str) -> String {
    let zone = offset(field).map_or_else(zone, TimeZone::fixed);
    format(seconds, &zone, "%d.%m.%Y %H:%M (%:z)")
}

fn offset(field: &str) -> Option<Offset> {
    let token = field.split_whitespace().find(|token| {
        token.len() == 5 && token.starts_with(['+', '-']) && token[1..].bytes().all(|byte| byte.is_ascii_digit())
    })?;
    let number: i32 = token[1..].parse().ok()?;
    let seconds = (number / 100 * 60 + number % 100) * 60;
    Offset::from_seconds(if token.starts_with('-') { -seconds } else { seconds }).ok()
}

fn format(seconds: i64, zone: &TimeZone, pattern: &str) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| format!("@{seconds}"), |time| time.to_zoned(zone.clone()).strftime(pattern).to_string())
}

/// `820 B`, `1,4 kB`, `30 MB`; `comma` stands between the digits.
pub fn size(bytes: u64, comma: char) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut unit = 1000u64;
    let mut name = "kB";
    for next in ["MB", "GB", "TB"] {
        if bytes / 100 < unit * 10 {
            break;
        }
        (unit, name) = (unit * 1000, next);
    }
    let tenths = bytes / (unit / 10);
    if tenths < 100 {
        format!("{}{comma}{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", bytes / unit)
    }
}

/// The beginning of a text.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The name of a sender without the address, as a table shows it.
pub fn person(text: &str) -> String {
    let first = text.split(" <").next().unwrap_or(text).trim().trim_matches('"');
    if first.is_empty() { text.trim_matches(['<', '>']).into() } else { first.trim_matches(['<', '>']).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_sizes_read_well() {
        assert_eq!(minute(1_700_000_000), "14.11.2023 23:13");
        assert_eq!(as_sent(1_700_000_000, "Tue, 14 Nov 2023 17:13:20 -0500 (EST)"), "14.11.2023 17:13 (-05:00)");
        assert_eq!(as_sent(1_700_000_000, "Tue, 14 Nov 2023 22:13:20 GMT"), "14.11.2023 23:13 (+01:00)");
        assert_eq!(as_sent(1_700_000_000, "x +9999"), "14.11.2023 23:13 (+01:00)");
        assert_eq!(day(i64::MAX), format!("@{}", i64::MAX));
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1,0 kB"),
            (1449, "1,4 kB"),
            (30_000_000, "30 MB"),
            (999_999, "999 kB"),
            (2_000_000, "2,0 MB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(size(bytes, ','), text);
        }
        assert_eq!(person("Anna Meier <anna@example.ch>, b@c"), "Anna Meier");
        assert_eq!(person("<anna@example.ch>"), "anna@example.ch");
    }
}
