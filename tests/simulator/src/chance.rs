//! Chance that comes out the same in every run with the same seed, whatever the order of the requests.

/// Mixes bytes into a number (FNV-1a, finished by the mixer of splitmix64).
pub fn hash(parts: &[&[u8]]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    mix(state)
}

/// The next number of a sequence that starts anywhere.
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Whether a share of `rate` (0 to 1) falls on this number.
#[allow(clippy::cast_precision_loss)] // 53 bits decide, and a double has as many.
pub fn falls(number: u64, rate: f64) -> bool {
    ((number >> 11) as f64 / (1_u64 << 53) as f64) < rate
}

/// An order of things that nobody promised to sort.
pub fn shuffle<T>(things: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..things.len()).rev() {
        state = mix(state);
        let other = usize::try_from(state % (last as u64 + 1)).unwrap_or(0);
        things.swap(last, other);
    }
}

/// A number in the form of a GUID.
pub fn guid(number: u64) -> String {
    let (high, low) = (mix(number), mix(number ^ 0x5555_5555_5555_5555));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_about_as_large_as_it_was_asked_for() {
        let hits = (0..10_000_u64).filter(|number| falls(mix(*number), 0.05)).count();
        assert!((400..600).contains(&hits), "{hits}");
        assert!(falls(u64::MAX, 1.0));
        assert!(!falls(0, 0.0));
    }

    #[test]
    fn a_guid_looks_like_one() {
        let guid = guid(7);
        assert_eq!(guid.len(), 36);
        assert_eq!(guid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
