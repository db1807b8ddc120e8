//! What stands in a document field: read from what a person types, shown as people read it, held against what is looked for.
//!
//! Documents keep one form of each value: texts as they are, numbers with a point and nothing between the digits, days as
//! `2026-11-21`, `yes`. A value that was there before its field had this kind stays as it is.

use std::cmp::Ordering;

use jiff::civil::Date;

use super::document_fields::Kind;
use crate::language::Lang;
use crate::limits::FIELD_NUMBER_CHARS;

/// What a ticked box of kind yes/no is kept as; one that is not ticked is no value.
pub const YES: &str = "yes";

/// What a person entered, as documents keep it; empty: no value. `None`: this cannot stand in a field of this kind.
/// `values` are those of a selection.
pub fn read(kind: Kind, values: &[String], text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return Some(String::new());
    }
    match kind {
        Kind::Text => Some(text.into()),
        Kind::Number => number(text),
        Kind::Date => day(text).map(|day| day.to_string()),
        Kind::YesNo => yes_no(text).map(|yes| if yes { YES.into() } else { String::new() }),
        Kind::Selection => values.iter().find(|value| *value == text).cloned(),
    }
}

/// As people read it.
pub fn shown(kind: Kind, value: &str, lang: Lang) -> String {
    match kind {
        Kind::Number => number_shown(value),
        Kind::Date => value.parse::<Date>().map_or_else(|_| value.into(), |day| day.strftime("%d.%m.%Y").to_string()),
        Kind::YesNo if value == YES => if lang == Lang::De { "Ja" } else { "Yes" }.into(),
        _ => value.into(),
    }
}

/// Whether a value fits what is looked for, in lower case: a part of a text; a number or a day, or `<` `>` `<=` `>=` before
/// one; a month or a year; yes or no; `*` fits every value. No value fits nothing but no.
pub fn fits(kind: Kind, value: Option<&str>, wanted: &str) -> bool {
    if kind == Kind::YesNo
        && let Some(wanted) = yes_no(wanted)
    {
        return wanted == value.is_some_and(|value| value == YES);
    }
    let Some(value) = value.filter(|value| !value.is_empty()) else { return false };
    if wanted == "*" {
        return true;
    }
    let (compare, rest) = comparison(wanted);
    let order = match kind {
        Kind::Number => number(rest).and_then(|rest| order(value, &rest)),
        Kind::Date => day(rest).and_then(|rest| Some(value.parse::<Date>().ok()?.cmp(&rest))),
        _ => None,
    };
    match order {
        Some(order) => compare.contains(&order),
        None => value.to_lowercase().contains(wanted),
    }
}

/// `2026-11-21` or `21.11.2026`.
pub fn day(text: &str) -> Option<Date> {
    if let Ok(date) = text.parse::<Date>() {
        return Some(date);
    }
    let mut parts = text.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(year.trim().parse().ok()?, month.trim().parse().ok()?, day.trim().parse().ok()?).ok()
}

fn comparison(wanted: &str) -> (&'static [Ordering], &str) {
    let all: [(&str, &[Ordering]); 5] = [
        (">=", &[Ordering::Greater, Ordering::Equal]),
        ("<=", &[Ordering::Less, Ordering::Equal]),
        (">", &[Ordering::Greater]),
        ("<", &[Ordering::Less]),
        ("=", &[Ordering::Equal]),
    ];
    for (sign, orders) in all {
        if let Some(rest) = wanted.strip_prefix(sign) {
            return (orders, rest.trim());
        }
    }
    (&[Ordering::Equal], wanted)
}

fn yes_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "ja" | "yes" | "x" | "true" => Some(true),
        "0" | "nein" | "no" | "false" => Some(false),
        _ => None,
    }
}

/// `1’234.50`, `1'234,50`, `1.234,50`, `-3` as `1234.50` and `-3`. Of points and commas the last one parts off the decimals;
/// the others stand before groups of three digits. `1,234` and `1.234` could be either, and are taken for none.
fn number(text: &str) -> Option<String> {
    let unsigned = text.trim_start_matches(['-', '−', '+']);
    let mut parts = unsigned.split([',', '.']);
    if let (Some(whole), Some(rest), None) = (parts.next(), parts.next(), parts.next())
        && rest.len() == 3
        && (whole != "0" || unsigned.contains(','))
    {
        return None;
    }
    plain_number(text)
}

/// The same, where it is known that a single point parts off the decimals, as in what documents keep.
fn plain_number(text: &str) -> Option<String> {
    if text.chars().count() > FIELD_NUMBER_CHARS {
        return None;
    }
    let (sign, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let last = text.rfind([',', '.']);
    let (whole, decimals) = last.map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])));
    let groups: Vec<&str> = whole.split(['\'', '’', ' ', '\u{a0}', '\u{202f}', '.', ',']).collect();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let are_groups = groups.iter().all(|group| is_digits(group))
        && groups.iter().skip(1).all(|group| group.len() == 3)
        && (groups.len() == 1 || groups[0].len() <= 3);
    if !are_groups || !decimals.is_none_or(is_digits) {
        return None;
    }
    let digits = groups.concat();
    let whole = match digits.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if decimals.is_some() { "." } else { "" };
    let decimals = decimals.unwrap_or_default();
    let is_zero = whole == "0" && decimals.bytes().all(|byte| byte == b'0');
    Some(format!("{}{whole}{point}{decimals}", if is_zero { "" } else { sign }))
}

/// Compares two numbers as documents keep them, however long; `None` where the first one is none.
fn order(one: &str, other: &str) -> Option<Ordering> {
    let one = plain_number(one)?;
    let parts = |text: &str| {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        (is_negative, whole.len(), whole.to_owned(), decimals.trim_end_matches('0').to_owned())
    };
    let ((one_negative, one_len, one_whole, one_rest), (other_negative, other_len, other_whole, other_rest)) =
        (parts(&one), parts(other));
    let size = (one_len, one_whole, one_rest).cmp(&(other_len, other_whole, other_rest));
    Some(match (one_negative, other_negative) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    })
}

fn number_shown(value: &str) -> String {
    let Some(plain) = plain_number(value).filter(|plain| plain == value) else { return value.into() };
    let (sign, plain) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let (whole, decimals) = plain.split_once('.').map_or((plain, None), |(whole, decimals)| (whole, Some(decimals)));
    let mut out = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push('’');
        }
        out.push(digit);
    }
    out.extend(decimals.map(|decimals| format!(".{decimals}")));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("1’234.50", Some("1234.50")),
            ("1'234,5", Some("1234.5")),
            ("1.234,50", Some("1234.50")),
            ("1,234.50", Some("1234.50")),
            ("1 234 567", Some("1234567")),
            ("-003", Some("-3")),
            ("−0.0", Some("0.0")),
            ("+7", Some("7")),
            ("12,50", Some("12.50")),
            ("1,234", None),
            ("0,125", None),
            ("1.234", None),
            ("-12.345", None),
            ("0.125", Some("0.125")),
            ("1.2340", Some("1.2340")),
            ("1.234.567", Some("1234.567")),
            ("12.", None),
            (".5", None),
            ("1’23", None),
            ("1.2.3", None),
            ("1e5", None),
            ("zwölf", None),
            ("12 CHF", None),
            ("", Some("")),
        ] {
            assert_eq!(read(Kind::Number, &[], text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(shown(Kind::Number, "-1234567.50", Lang::De), "-1’234’567.50");
        assert_eq!(shown(Kind::Number, "1234", Lang::En), "1’234");
        assert_eq!(shown(Kind::Number, "früher ein Text", Lang::En), "früher ein Text");
        // What is shown can be entered again.
        assert_eq!(read(Kind::Number, &[], "-1’234’567.50").unwrap(), "-1234567.50");
    }

    #[test]
    fn days_boxes_and_selections_are_checked() {
        assert_eq!(read(Kind::Date, &[], "1.2.2026").unwrap(), "2026-02-01");
        assert_eq!(read(Kind::Date, &[], "2026-02-01").unwrap(), "2026-02-01");
        for wrong in ["31.2.2026", "morgen", "1.2", "2026-13-01"] {
            assert_eq!(read(Kind::Date, &[], wrong), None, "{wrong}");
        }
        assert_eq!(shown(Kind::Date, "2026-02-01", Lang::De), "01.02.2026");
        assert_eq!(shown(Kind::Date, "irgendwann", Lang::De), "irgendwann");
        let values = ["Offerte".to_owned(), "Rechnung".to_owned()];
        assert_eq!(read(Kind::Selection, &values, "Rechnung").unwrap(), "Rechnung");
        assert_eq!(read(Kind::Selection, &values, "rechnung"), None);
        assert_eq!(read(Kind::YesNo, &[], "1").unwrap(), YES);
        assert_eq!(read(Kind::YesNo, &[], "vielleicht"), None);
    }

    #[test]
    fn values_fit_what_is_looked_for() {
        for (kind, value, wanted, expected) in [
            (Kind::Text, Some("Meier AG"), "meier", true),
            (Kind::Text, Some("Meier AG"), "muster", false),
            (Kind::Text, Some("x"), "*", true),
            (Kind::Text, None, "*", false),
            (Kind::Number, Some("1234.50"), "1’234,5", true),
            (Kind::Number, Some("1234.50"), "1234", false),
            (Kind::Number, Some("1234.50"), ">1000", true),
            (Kind::Number, Some("1234.50"), "<=1234.5", true),
            (Kind::Number, Some("-5"), "<-4", true),
            (Kind::Number, Some("9"), ">10", false),
            (Kind::Number, Some("früher"), "früh", true),
            (Kind::Date, Some("2026-02-01"), "1.2.2026", true),
            (Kind::Date, Some("2026-02-01"), "2026-02", true),
            (Kind::Date, Some("2026-02-01"), ">=2026-02-01", true),
            (Kind::Date, Some("2026-02-01"), "<1.2.2026", false),
            (Kind::YesNo, Some(YES), "ja", true),
            (Kind::YesNo, None, "nein", true),
            (Kind::YesNo, None, "ja", false),
            (Kind::Selection, Some("Offerte"), "off", true),
        ] {
            assert_eq!(fits(kind, value, wanted), expected, "{kind:?} {value:?} {wanted}");
        }
    }
}
