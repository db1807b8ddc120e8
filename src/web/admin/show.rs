//! Numbers, sizes and times as people read them.

use maud::{Markup, html};

use crate::clock;
use crate::language::Lang;

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

/// Decimal units: `1.4 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    if tenths >= 1000 {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

/// A moment, Unix seconds.
pub fn time(seconds: i64) -> Markup {
    html! { time datetime=(clock::rfc3339(seconds)) { (clock::short(seconds)) " UTC" } }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sizes_and_spans() {
        assert_eq!(number(Lang::De, 1_234_567), "1’234’567");
        assert_eq!((number(Lang::En, 999), number(Lang::En, 1000)), ("999".into(), "1,000".into()));
        let sizes = [0, 999, 1000, 1_449_999, 150_000_000, u64::MAX].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "1.4 MB", "150 MB", "18446 PB"]);
        let spans = [-5, 1, 89, 90, 5400, 172_800].map(|seconds| span(Lang::De, seconds));
        assert_eq!(spans, ["0 Sekunden", "1 Sekunde", "89 Sekunden", "2 Minuten", "2 Stunden", "2 Tagen"]);
    }
}
