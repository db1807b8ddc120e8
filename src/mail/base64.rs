//! Base64 in pieces of any size (RFC 4648, RFC 2045 section 6.8), as tolerant as readers of mail are: what is no letter of it
//! is passed over, padding in the middle begins anew.

/// What is left of a group of four letters.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    count: u8,
}

const OTHER: u8 = 0xff;
const PADDING: u8 = 0xfe;

/// The value of every byte.
const VALUES: [u8; 256] = {
    let mut values = [OTHER; 256];
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        values[letters[value as usize] as usize] = value;
        value += 1;
    }
    // The alphabet for addresses, which some senders take.
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values[b'=' as usize] = PADDING;
    values
};

impl Base64 {
    /// Appends what `bytes` decode to; never more than three quarters of them and two bytes.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            match VALUES[usize::from(byte)] {
                OTHER => {}
                PADDING => (self.bits, self.count) = (0, 0),
                value => {
                    self.bits = (self.bits << 6) | u32::from(value);
                    self.count += 6;
                    if self.count >= 8 {
                        self.count -= 8;
                        // The lowest eight bits are what is wanted.
                        out.push((self.bits >> self.count).to_le_bytes()[0]);
                        self.bits &= (1 << self.count) - 1;
                    }
                }
            }
        }
    }
}

/// Appends `bytes` in Base64 with padding.
pub(super) fn encode(bytes: &[u8], out: &mut String) {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode_string(bytes, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerant_in_any_pieces() {
        for (text, expected) in [
            ("QUJD", "ABC"),
            ("QUI=", "AB"),
            ("QQ==", "A"),
            ("QQ==QUJD", "AABC"),
            ("Q U!\r\nJ*D", "ABC"),
            ("QUJ", "AB"),
            ("Q", ""),
            ("", ""),
        ] {
            for size in 1..9 {
                let (mut base64, mut out) = (Base64::default(), Vec::new());
                text.as_bytes().chunks(size).for_each(|chunk| base64.push(chunk, &mut out));
                assert_eq!(out, expected.as_bytes(), "{text} by {size}");
            }
        }
    }
}
