//! Dates, numbers and sizes as people read them here.

use std::cell::RefCell;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use maud::{Markup, html};

use crate::clock;
use crate::language::Lang;
use crate::settings::administration::Administration;

thread_local! {
    static ZONE: RefCell<TimeZone> = RefCell::new(Administration::default().zone());
}

/// From now on this thread shows times in this zone; set for every request before its page is made.
pub fn set_zone(zone: TimeZone) {
    ZONE.set(zone);
}

/// The zone of the archive's table and of the days in a search.
pub fn zone() -> TimeZone {
    ZONE.with_borrow(TimeZone::clone)
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

/// `1’234` in German (Swiss), `1,234` in English.
pub fn number(lang: Lang, number: u64) -> String {
    let digits = number.to_string();
    let separator = if lang == Lang::De { '’' } else { ',' };
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// `820 B`, `1,4 kB` (in English `1.4 kB`), `30 MB`; decimal units.
pub fn size(lang: Lang, bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    let name = UNITS[unit];
    if tenths < 100 {
        let comma = if lang == Lang::De { ',' } else { '.' };
        format!("{}{comma}{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", tenths / 10)
    }
}

/// A moment, Unix seconds, to the minute.
pub fn time(seconds: i64) -> Markup {
    html! { time datetime=(clock::rfc3339(seconds)) { (minute(seconds)) } }
}

/// `3 minutes`; the largest unit that fits.
pub fn span(lang: Lang, seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (count, de, en) = match seconds {
        0..=89 => (seconds, ["Sekunde", "Sekunden"], ["second", "seconds"]),
        90..=5399 => ((seconds + 30) / 60, ["Minute", "Minuten"], ["minute", "minutes"]),
        5400..=172_799 => ((seconds + 1800) / 3600, ["Stunde", "Stunden"], ["hour", "hours"]),
        _ => (seconds / 86_400, ["Tag", "Tagen"], ["day", "days"]),
    };
    let word = if lang == Lang::De { de } else { en }[usize::from(count != 1)];
    format!("{count} {word}")
}

/// `-0,250 s`, from milliseconds.
pub fn milliseconds(lang: Lang, milliseconds: i64) -> String {
    let comma = if lang == Lang::De { ',' } else { '.' };
    let (sign, size) = (if milliseconds < 0 { "−" } else { "+" }, milliseconds.unsigned_abs());
    format!("{sign}{}{comma}{:03} s", number(lang, size / 1000), size % 1000)
}

/// A moment in the past, with how long ago it is.
pub fn ago(lang: Lang, seconds: i64) -> Markup {
    let past = span(lang, clock::now() - seconds);
    let text = if lang == Lang::De { format!("vor {past}") } else { format!("{past} ago") };
    html! { (text) " " small { (time(seconds)) } }
}

/// A moment that is to come.
pub fn ahead(lang: Lang, seconds: i64) -> Markup {
    let left = span(lang, seconds - clock::now());
    html! { "in " (left) " " small { (time(seconds)) } }
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
            (u64::MAX, "18446 PB"),
        ] {
            assert_eq!(size(Lang::De, bytes), text);
            assert_eq!(size(Lang::En, bytes), text.replace(',', "."));
        }
        assert_eq!(person("Anna Meier <anna@example.ch>, b@c"), "Anna Meier");
        assert_eq!(person("<anna@example.ch>"), "anna@example.ch");
    }

    #[test]
    fn numbers_and_spans_read_well() {
        assert_eq!(number(Lang::De, 1_234_567), "1’234’567");
        assert_eq!(milliseconds(Lang::De, -1_234_056), "−1’234,056 s");
        assert_eq!(milliseconds(Lang::En, 7), "+0.007 s");
        assert_eq!((number(Lang::En, 999), number(Lang::En, 1000)), ("999".into(), "1,000".into()));
        let spans = [-5, 1, 89, 90, 5400, 172_800].map(|seconds| span(Lang::De, seconds));
        assert_eq!(spans, ["0 Sekunden", "1 Sekunde", "89 Sekunden", "2 Minuten", "2 Stunden", "2 Tagen"]);
    }
}
