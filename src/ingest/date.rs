//! The date of a message (RFC 5322, section 3.3, with its obsolete forms), read leniently.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Unix seconds of a date as senders write it; none where it cannot be (31 February, year 99999). A zone that is missing or
/// not known is read as UTC (RFC 5322, section 4.3).
pub(super) fn date(text: &str) -> Option<i64> {
    // Only the beginning: a date has at most a weekday, a day, a time, a zone and a comment.
    let text: String = text.chars().take(200).collect();
    let text = without_comments(&text);
    if let Ok(timestamp) = text.trim().parse::<Timestamp>() {
        return (1900..=9999).contains(&TimeZone::UTC.to_datetime(timestamp).year()).then_some(timestamp.as_second());
    }
    let mut found = Found::default();
    for token in text.split(|char: char| char.is_whitespace() || char == ',').filter(|token| !token.is_empty()) {
        found.token(token);
    }
    found.seconds()
}

fn without_comments(text: &str) -> String {
    let mut depth = 0usize;
    text.chars()
        .filter(|char| {
            match char {
                '(' => depth += 1,
                ')' if depth > 0 => {
                    depth -= 1;
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

/// The pieces of a date, each where it was first seen: their order differs between senders.
#[derive(Default)]
struct Found {
    day: Option<i8>,
    month: Option<i8>,
    year: Option<i16>,
    time: Option<(i8, i8, i8)>,
    zone: Option<i64>,
    afternoon: Option<bool>,
}

impl Found {
    fn token(&mut self, token: &str) {
        let first = token.chars().next().unwrap_or(' ');
        if self.time.is_some() && matches!(first, '+' | '-') {
            self.zone = self.zone.or_else(|| offset(token));
        } else if token.contains(':') && first.is_ascii_digit() {
            self.clock(token);
        } else if first.is_ascii_digit() && token.contains('-') {
            // 3-Jun-2002
            token.split('-').for_each(|piece| self.token(piece));
        } else if first.is_ascii_digit() {
            self.number(token);
        } else if first.is_ascii_alphabetic() {
            self.word(token);
        }
    }

    fn number(&mut self, digits: &str) {
        let digits = digits.trim_end_matches('.');
        if self.day.is_none() && digits.len() <= 2 {
            self.day = digits.parse().ok();
        } else if self.year.is_none() && self.day.is_some() {
            let year: Option<i16> = digits.parse().ok();
            // RFC 5322, section 4.3: years of two and three digits.
            self.year = match (digits.len(), year) {
                (2, Some(year)) if year < 50 => Some(year + 2000),
                // Programs of the year 2000 wrote 0102 for 2002.
                (2 | 3, Some(year)) | (4, Some(year @ 100..=199)) => Some(year + 1900),
                (_, year) => year,
            };
        } else if self.time.is_some() && self.zone.is_none() && digits.len() == 4 {
            self.zone = offset(&format!("+{digits}"));
        }
    }

    fn clock(&mut self, token: &str) {
        if self.time.is_some() {
            return;
        }
        let end = token.find(['+', '-']).unwrap_or(token.len());
        let mut pieces = token[..end].split(':');
        let mut next = || pieces.next().unwrap_or("0").split('.').next()?.parse::<i8>().ok();
        let (hour, minute, second) = (next(), next(), next());
        if let (Some(hour), Some(minute), Some(second)) = (hour, minute, second) {
            // A leap second is the second before it.
            self.time = Some((hour, minute, if second == 60 { 59 } else { second }));
            if end < token.len() {
                self.zone = offset(&token[end..]);
            }
        }
    }

    fn word(&mut self, word: &str) {
        let lower = word.to_ascii_lowercase();
        if self.time.is_some() {
            match lower.as_str() {
                "am" => self.afternoon = Some(false),
                "pm" => self.afternoon = Some(true),
                _ => {}
            }
            let sign = lower.find(['+', '-']);
            self.zone = self.zone.or_else(|| match sign {
                // GMT+0200
                Some(at) => offset(&word[at..]),
                None => named_zone(&lower),
            });
        }
        if self.month.is_none()
            && let Some(index) = lower.get(..3).and_then(|start| MONTHS.iter().position(|month| *month == start))
        {
            self.month = i8::try_from(index + 1).ok();
        }
    }

    fn seconds(&self) -> Option<i64> {
        let (mut hour, minute, second) = self.time?;
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let year = self.year.filter(|year| (1900..=9999).contains(year))?;
        let civil = DateTime::new(year, self.month?, self.day?, hour, minute, second, 0).ok()?;
        let local = civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
        Some(local - self.zone.unwrap_or(0))
    }
}

/// `+0200`, `-05:30`, `+2` in seconds east of Greenwich.
fn offset(text: &str) -> Option<i64> {
    let digits: String = text.chars().skip(1).filter(|char| *char != ':').collect();
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() <= 2 { (value, 0) } else { (value / 100, value % 100) };
    let seconds = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

/// The zones of RFC 822 and those seen in European mail.
fn named_zone(name: &str) -> Option<i64> {
    let hours = match name {
        "ut" | "utc" | "gmt" | "z" | "wet" => 0,
        "edt" => -4,
        "est" | "cdt" => -5,
        "cst" | "mdt" => -6,
        "mst" | "pdt" => -7,
        "pst" => -8,
        "cet" | "met" | "mez" | "bst" => 1,
        "cest" | "mest" | "mesz" | "eet" => 2,
        "eest" => 3,
        _ => return None,
    };
    Some(hours * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_senders_write_them() {
        const NOON: i64 = 1_023_105_600; // 3 June 2002, 12:00 UTC
        for (text, expected) in [
            ("Mon, 3 Jun 2002 12:00:00 +0000", Some(NOON)),
            ("Mon, 03 Jun 2002 14:00:00 +0200 (CEST)", Some(NOON)),
            ("3 Jun 02 07:00 EST", Some(NOON)),
            ("Mon Jun  3 12:00:00 2002", Some(NOON)),
            ("Mon Jun  3 14:00:00 MEST 2002", Some(NOON)),
            ("3-Jun-2002 12:00:00", Some(NOON)),
            ("Mon, 3 June 102 12:00:00 GMT", Some(NOON)),
            ("Mon, 3 Jun 2002 12:00:00", Some(NOON)),
            ("Mon, 3 Jun 0102 12:00:00 +0000", Some(NOON)),
            ("Mon, 3 Jun 2002 14:00:00+0200", Some(NOON)),
            ("Mon, 3 Jun 2002 14:00:00 GMT+02:00", Some(NOON)),
            ("Mon, 3 Jun 2002 02:00:00 PM +0200", Some(NOON)),
            ("Mon, 3 Jun 2002 17:30:00 0530", Some(NOON)),
            ("Mon, 3 Jun 2002 12.00", None),
            ("(comment) Mon, 3 (third) Jun 2002 12:00:00 -0000", Some(NOON)),
            ("2002-06-03T14:00:00+02:00", Some(NOON)),
            ("Mon, 3 Jun 2002 12:00:00 +9999", Some(NOON)),
            ("Sat, 31 Dec 2016 23:59:60 +0000", Some(1_483_228_799)),
            ("Thu, 1 Jan 1970 00:00:00 +0100", Some(-3600)),
            ("Sun, 31 Feb 2002 12:00:00 +0000", None),
            ("Mon, 3 Jun 99999 12:00:00 +0000", None),
            ("Mon, 3 Jun 0001 12:00:00 +0000", None),
            ("Mon, 3 Jun 2002 25:00:00 +0000", None),
            ("Mon, 3 Jun 2002", None),
            ("yesterday", None),
            ("äöü:üöä 3 Jän", None),
            ("", None),
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
    }
}
