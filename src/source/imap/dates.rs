//! INTERNALDATE (RFC 9051, `date-time`): when the server received a message.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Unix seconds of `17-Jul-1996 02:44:25 -0700`. `None` for what is no date, and for dates before 1970: servers that
/// know none say 30-Dec-1899 or the like.
pub fn parse(text: &str) -> Option<i64> {
    let mut fields = text.split_ascii_whitespace();
    let mut day = fields.next()?.split('-');
    let (date, month, year) = (day.next()?, day.next()?, day.next()?);
    let mut time = fields.next()?.split(':');
    let (hour, minute, second) = (time.next()?, time.next()?, time.next()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    let civil = DateTime::new(
        year.parse().ok()?,
        i8::try_from(month).ok()?,
        date.parse().ok()?,
        hour.parse().ok()?,
        minute.parse().ok()?,
        // A leap second counts as the second before it.
        second.parse::<i8>().ok()?.min(59),
        0,
    )
    .ok()?;
    let seconds = civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second() - zone(fields.next())?;
    (seconds > 0).then_some(seconds)
}

/// Seconds east of Greenwich of `+0130`; a date without a zone counts as UTC.
fn zone(text: Option<&str>) -> Option<i64> {
    let Some(text) = text else { return Some(0) };
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return Some(0),
    };
    let number: i64 = digits.parse().ok().filter(|n| (0..=2400).contains(n))?;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

/// The form in which a date goes to the server, in UTC; `None` outside the years that IMAP can write.
pub fn format(seconds: i64) -> Option<String> {
    let at = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC);
    let month = MONTHS.get(usize::try_from(at.month()).ok()?.checked_sub(1)?)?;
    (0..=9999).contains(&at.year()).then(|| {
        format!("{:02}-{month}-{:04} {:02}:{:02}:{:02} +0000", at.day(), at.year(), at.hour(), at.minute(), at.second())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, seconds) in [
            ("17-Jul-1996 02:44:25 -0700", Some(837_596_665)),
            (" 1-Jan-2024 00:00:00 +0000", Some(1_704_067_200)),
            ("01-jan-2024 01:30:00 +0130", Some(1_704_067_200)),
            ("31-Dec-2016 23:59:60 +0000", Some(1_483_228_799)),
            ("01-Jan-2024 00:00:00", Some(1_704_067_200)),
            ("30-Dec-1899 00:00:00 +0000", None),
            ("01-Jan-1970 00:00:00 +0000", None),
            ("31-Feb-2024 00:00:00 +0000", None),
            ("01-Jan-99999999999 00:00:00 +0000", None),
            ("01-Jan-2024 00:00:00 +99999999999999999999", None),
            ("NIL", None),
            ("", None),
        ] {
            assert_eq!(parse(text), seconds, "{text}");
        }
    }

    #[test]
    fn written_dates_are_read_again() {
        for seconds in [1, 837_596_665, 1_704_067_200, 4_102_444_800] {
            assert_eq!(parse(&format(seconds).unwrap()), Some(seconds));
        }
        assert_eq!(format(837_596_665).unwrap(), "17-Jul-1996 09:44:25 +0000");
        assert_eq!(format(i64::MAX), None);
    }
}
