//! Until when a certificate is valid: one field of it, read from its DER (RFC 5280, section 4.1; X.690).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the certificate ends, Unix seconds; `None` where `der` is no certificate.
pub fn not_after(der: &[u8]) -> Option<i64> {
    let (certificate, _) = inside(der, SEQUENCE)?;
    let (mut fields, _) = inside(certificate, SEQUENCE)?;
    if let Some((_, rest)) = inside(fields, VERSION) {
        fields = rest;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        (_, _, fields) = element(fields)?;
    }
    let (validity, _) = inside(fields, SEQUENCE)?;
    let (_, _, rest) = element(validity)?;
    let (tag, text, _) = element(rest)?;
    let digits: Vec<u32> =
        text.strip_suffix(b"Z")?.iter().map(|byte| char::from(*byte).to_digit(10)).collect::<Option<_>>()?;
    let (year, rest) = match (tag, digits.as_slice()) {
        (UTC_TIME, [tens, ones, rest @ ..]) => {
            let year = tens * 10 + ones;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, [a, b, c, d, rest @ ..]) => (a * 1000 + b * 100 + c * 10 + d, rest),
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let pair = |place: usize| i8::try_from(rest[2 * place] * 10 + rest[2 * place + 1]).ok();
    let time = DateTime::new(i16::try_from(year).ok()?, pair(0)?, pair(1)?, pair(2)?, pair(3)?, pair(4)?, 0).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// The content of the first element, which has to have this tag, and what follows it.
fn inside(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// Tag and content of the first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(length, _)| length.len() <= 4)?;
        (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["archivista.local".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 12, 21);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_is_read_before_and_after_2050() {
        assert_eq!(not_after(&certificate(2028)), Some(1_860_969_600));
        assert_eq!(not_after(&certificate(2060)), Some(2_870_812_800));
    }

    #[test]
    fn a_certificate_that_is_cut_has_no_end() {
        let whole = certificate(2028);
        for length in 0..whole.len() {
            assert_eq!(not_after(&whole[..length]), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            place in 0usize..400,
            byte: u8,
        ) {
            let _ = not_after(&bytes);
            let mut bent = certificate(2028);
            let place = place % bent.len();
            bent[place] = byte;
            let _ = not_after(&bent);
        }
    }
}
