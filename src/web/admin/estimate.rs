//! How fast a run is, and how long it may take.

/// Mails and seconds after which a rate says something.
const ENOUGH: u64 = 20;
const LONG_ENOUGH: f64 = 5.0;

#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn real(count: u64) -> f64 {
    count as f64
}

/// Bytes a second.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
pub fn rate(bytes: u64, seconds: f64) -> u64 {
    (real(bytes) / seconds.max(0.001)) as u64
}

/// Mails a second, as people read it.
pub fn per_second(done: u64, seconds: f64) -> String {
    let rate = real(done) / seconds.max(0.001);
    if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

/// Seconds that are left in a folder at the rate so far; `None` as long as that rate says nothing.
#[expect(clippy::cast_possible_truncation, reason = "an estimate for people")]
pub fn left(done: u64, of: u64, seconds: f64) -> Option<i64> {
    let is_known = done >= ENOUGH && seconds >= LONG_ENOUGH && of > done;
    is_known.then(|| (seconds / real(done) * real(of - done)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_made_when_there_is_something_to_go_by() {
        assert_eq!(left(0, 100, 10.0), None);
        assert_eq!(left(19, 100, 10.0), None);
        assert_eq!(left(50, 100, 1.0), None);
        assert_eq!(left(50, 100, 10.0), Some(10));
        assert_eq!(left(100, 100, 10.0), None);
        assert_eq!((per_second(100, 10.0), per_second(5, 2.0)), ("10".into(), "2.5".into()));
    }
}
