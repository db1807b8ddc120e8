//! One question to a time server and its answer: NTP version 4, client mode (RFC 4330, RFC 5905). No socket and no clock in
//! here.
//!
//! Times are microseconds since 1970.

use crate::limits::SNTP_DISTANCE;

/// Length of a packet without extensions.
pub const LENGTH: usize = 48;
/// From 1900 to 1970, seconds.
const TO_UNIX: i64 = 2_208_988_800;
/// One era of NTP's 32 bits of seconds.
const ERA: i64 = 1 << 32;

const CLIENT: u8 = 3;
const SERVER: u8 = 4;
const VERSION: u8 = 4;
const NOT_SYNCHRONIZED: u8 = 3;
const LAST_STRATUM: u8 = 15;

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// When it received the question and sent the answer, by its own clock.
    Times { received: i64, sent: i64 },
    /// Ask less often (kiss-o'-death `RATE`).
    Rate,
    /// Never ask again (`DENY`, `RSTR`).
    Deny,
}

/// Why an answer counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("it is no answer of a time server")]
    NoAnswer,
    /// It may be somebody else's, or an old one.
    #[error("it answers another question")]
    Foreign,
    #[error("the server does not know the time itself")]
    NotSynchronized,
    #[error("the server is too far from its own source of time")]
    Far,
}

/// A question. The cookie stands where a client's time usually does: the server gives it back, nobody can guess it, and
/// nobody learns how wrong this clock is.
pub fn question(cookie: [u8; 8]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes[0] = (VERSION << 3) | CLIENT;
    bytes[40..].copy_from_slice(&cookie);
    bytes
}

/// Reads an answer. Of the eras of NTP's clock (one ends in 2036) the one counts that brings it nearest to `near`, Unix
/// seconds.
pub fn read(bytes: &[u8], cookie: [u8; 8], near: i64) -> Result<Answer, Unusable> {
    let bytes: &[u8; LENGTH] = bytes.first_chunk().ok_or(Unusable::NoAnswer)?;
    let (leap, version, mode, stratum) = (bytes[0] >> 6, (bytes[0] >> 3) & 7, bytes[0] & 7, bytes[1]);
    if mode != SERVER || !(3..=VERSION).contains(&version) {
        return Err(Unusable::NoAnswer);
    }
    if bytes[24..32] != cookie {
        return Err(Unusable::Foreign);
    }
    if stratum == 0 {
        return match &bytes[12..16] {
            b"RATE" => Ok(Answer::Rate),
            b"DENY" | b"RSTR" => Ok(Answer::Deny),
            _ => Err(Unusable::NotSynchronized),
        };
    }
    let (received, sent) = (word(bytes, 32), word(bytes, 40));
    if leap == NOT_SYNCHRONIZED || stratum > LAST_STRATUM || received == [0; 2] || sent == [0; 2] {
        return Err(Unusable::NotSynchronized);
    }
    // Root delay and root dispersion, seconds in 16.16 bits.
    let [delay, dispersion] = word(bytes, 4).map(|short| (u64::from(short) * 1_000_000) >> 16);
    if delay / 2 + dispersion > u64::try_from(SNTP_DISTANCE.as_micros()).unwrap_or(u64::MAX) {
        return Err(Unusable::Far);
    }
    let [received, sent] = [received, sent].map(|time| unix(time, near));
    if sent < received { Err(Unusable::NoAnswer) } else { Ok(Answer::Times { received, sent }) }
}

/// Two numbers of 32 bits.
fn word(bytes: &[u8; LENGTH], at: usize) -> [u32; 2] {
    [at, at + 4].map(|at| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
}

fn unix([seconds, fraction]: [u32; 2], near: i64) -> i64 {
    let first = i64::from(seconds) - TO_UNIX;
    let near = near.clamp(-ERA * 64, ERA * 64);
    let eras = (near - first + ERA / 2).div_euclid(ERA);
    (first + eras * ERA) * 1_000_000 + ((i64::from(fraction) * 1_000_000) >> 32)
}

/// What this clock is behind (or, negative, ahead), and how long the packets were on their way: from when the question was
/// sent, by this clock, and how long its answer took. `None` where that cannot be.
pub fn offset(asked: i64, took: i64, received: i64, sent: i64) -> Option<(i64, i64)> {
    let on_the_way = took.checked_sub(sent.checked_sub(received)?)?;
    // A server that took longer than everything together contradicts itself, but for the grain of clocks.
    if took < 0 || on_the_way < -1000 {
        return None;
    }
    let there = received.checked_sub(asked)?;
    let back = sent.checked_sub(asked.checked_add(took)?)?;
    Some((there / 2 + back / 2, on_the_way.max(0)))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub const COOKIE: [u8; 8] = *b"\x01cookie!";
    const NOW: i64 = 1_790_000_000;

    /// A good answer of a server whose clock shows this, Unix microseconds.
    pub fn answer(cookie: [u8; 8], time: i64) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&[0x24, 2, 6, 0xe8]);
        bytes[24..32].copy_from_slice(&cookie);
        let seconds = u32::try_from((time.div_euclid(1_000_000) + TO_UNIX).rem_euclid(ERA)).unwrap();
        let fraction = u32::try_from((time.rem_euclid(1_000_000) << 32) / 1_000_000).unwrap();
        for at in [32, 40] {
            bytes[at..at + 4].copy_from_slice(&seconds.to_be_bytes());
            bytes[at + 4..at + 8].copy_from_slice(&fraction.to_be_bytes());
        }
        bytes
    }

    fn bent(change: impl FnOnce(&mut [u8; LENGTH])) -> Result<Answer, Unusable> {
        let mut bytes = answer(COOKIE, NOW * 1_000_000);
        change(&mut bytes);
        read(&bytes, COOKIE, NOW)
    }

    #[test]
    fn a_good_answer_has_the_time_to_the_microsecond() {
        let time = NOW * 1_000_000 + 250_000;
        assert_eq!(read(&answer(COOKIE, time), COOKIE, 0), Ok(Answer::Times { received: time, sent: time }));
        // With an extension behind it.
        let long = [&answer(COOKIE, time)[..], &[0; 20]].concat();
        assert!(read(&long, COOKIE, NOW).is_ok());
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_seen() {
        assert_eq!(bent(|bytes| bytes[0] = 0x23), Err(Unusable::NoAnswer), "a question");
        assert_eq!(bent(|bytes| bytes[0] = 0x25), Err(Unusable::NoAnswer), "a broadcast");
        assert_eq!(bent(|bytes| bytes[0] = 0x0c), Err(Unusable::NoAnswer), "version 1");
        assert_eq!(bent(|bytes| bytes[0] = 0xe4), Err(Unusable::NotSynchronized), "leap alarm");
        assert_eq!(bent(|bytes| bytes[1] = 16), Err(Unusable::NotSynchronized), "stratum 16");
        assert_eq!(bent(|bytes| bytes[25] ^= 1), Err(Unusable::Foreign));
        assert_eq!(bent(|bytes| bytes[40..].fill(0)), Err(Unusable::NotSynchronized), "no transmit time");
        assert_eq!(bent(|bytes| bytes[32..40].fill(0)), Err(Unusable::NotSynchronized), "no receive time");
        assert_eq!(bent(|bytes| bytes[35] += 1), Err(Unusable::NoAnswer), "sent before it was received");
        assert_eq!(bent(|bytes| bytes[5] = 4), Err(Unusable::Far), "4 s of root delay");
        assert_eq!(bent(|bytes| bytes[9] = 2), Err(Unusable::Far), "2 s of dispersion");
        assert!(bent(|bytes| bytes[5] = 1).is_ok());
        assert_eq!(read(&answer(COOKIE, 0)[..47], COOKIE, NOW), Err(Unusable::NoAnswer));
    }

    #[test]
    fn a_kiss_of_death_is_one_only_with_the_cookie() {
        let kiss = |code: &[u8; 4]| {
            bent(|bytes| {
                bytes[1] = 0;
                bytes[12..16].copy_from_slice(code);
            })
        };
        assert_eq!(kiss(b"RATE"), Ok(Answer::Rate));
        assert_eq!(kiss(b"DENY"), Ok(Answer::Deny));
        assert_eq!(kiss(b"RSTR"), Ok(Answer::Deny));
        assert_eq!(kiss(b"INIT"), Err(Unusable::NotSynchronized));
        let forged = bent(|bytes| {
            bytes[1] = 0;
            bytes[12..16].copy_from_slice(b"DENY");
            bytes[24] ^= 1;
        });
        assert_eq!(forged, Err(Unusable::Foreign));
    }

    #[test]
    fn the_era_is_the_one_nearest_to_what_is_known() {
        for year in [2025, 2036, 2037, 2090, 2170] {
            let time = (i64::from(year) - 1970) * 31_556_952;
            let read = read(&answer(COOKIE, time * 1_000_000), COOKIE, time - 10 * 31_556_952);
            assert_eq!(read, Ok(Answer::Times { received: time * 1_000_000, sent: time * 1_000_000 }), "{year}");
        }
        // Earlier than what is known stays earlier, and is no date of the next era.
        let past = 1_600_000_000;
        assert_eq!(unix([u32::try_from(past + TO_UNIX).unwrap(), 0], NOW), past * 1_000_000);
    }

    #[test]
    fn the_offset_is_halfway_and_contradictions_have_none() {
        // 10 s behind, 40 ms there and back, 2 ms within the server.
        assert_eq!(offset(0, 42_000, 10_020_000, 10_022_000), Some((10_000_000, 40_000)));
        assert_eq!(offset(10_000_000, 40_000, 20_000, 20_000), Some((-10_000_000, 40_000)));
        assert_eq!(offset(0, 1000, 0, 100_000), None);
        assert_eq!(offset(0, -1, 0, 0), None);
        assert_eq!(offset(i64::MIN, i64::MAX, i64::MAX, i64::MIN), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), near: i64, asked: i64, took: i64) {
            if let Ok(Answer::Times { received, sent }) = read(&bytes, COOKIE, near) {
                let _ = offset(asked, took, received, sent);
            }
            let mut fitting = bytes.clone();
            fitting.resize(LENGTH, 0);
            fitting[24..32].copy_from_slice(&COOKIE);
            fitting[0] = (fitting[0] & 0xf8) | SERVER;
            if let Ok(Answer::Times { received, sent }) = read(&fitting, COOKIE, near) {
                let _ = offset(asked, took, received, sent);
            }
        }
    }
}
