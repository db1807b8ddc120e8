//! Instants as Graph and HTTP write them.

use jiff::{Timestamp, tz::TimeZone};

/// `2023-04-25T08:00:00Z`, an `Edm.DateTimeOffset`.
pub fn offset(seconds: i64) -> String {
    format!("{:.0}", Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// `2023-04-25T08:00:00`, as in the `innerError` of Graph.
pub fn plain(seconds: i64) -> String {
    offset(seconds).trim_end_matches('Z').to_owned()
}

/// `2020-04-07 20:52:51Z`, as in the errors of Entra.
pub fn spaced(seconds: i64) -> String {
    offset(seconds).replace('T', " ")
}

/// `Tue, 25 Apr 2023 08:00:00 GMT`, an HTTP-date (RFC 9110).
pub fn http(seconds: i64) -> String {
    let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
    jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S GMT", &at).unwrap_or_default()
}

/// Reads an `Edm.DateTimeOffset` of a `$filter`.
pub fn parse(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

pub fn now() -> i64 {
    Timestamp::now().as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        let at = parse("2023-04-25T10:00:00+02:00").unwrap();
        assert_eq!(offset(at), "2023-04-25T08:00:00Z");
        assert_eq!(plain(at), "2023-04-25T08:00:00");
        assert_eq!(spaced(at), "2023-04-25 08:00:00Z");
        assert_eq!(http(at), "Tue, 25 Apr 2023 08:00:00 GMT");
    }
}
