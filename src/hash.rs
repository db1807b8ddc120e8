//! SHA-256 (FIPS 180-4): the one hash of the product, so that `sha256sum` can check everything.

use std::fmt;
use std::io::{self, Read, Write};

use minicbor::{CborLen, Decode, Encode};
use ring::digest;

/// A SHA-256 value; shown in lower-case hexadecimal.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct Sha256(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 32],
);

impl Sha256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The hash of all that `reader` gives, in constant memory.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<Self> {
        let mut hashing = Hashing::new(io::sink());
        io::copy(reader, &mut hashing)?;
        Ok(hashing.finish().1)
    }

    /// Reads what is shown; `None` where it is anything else.
    pub fn parse(hex: &str) -> Option<Self> {
        let value = Self(unhex(hex)?.try_into().ok()?);
        (value.to_string() == hex).then_some(value)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        text
    })
}

/// The bytes of which [`hex`] made a text, in either case; `None` where it made none like it.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// A hash under way.
#[derive(Clone)]
pub struct Hasher(digest::Context);

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher {
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> Sha256 {
        let mut value = [0; 32];
        value.copy_from_slice(self.0.finish().as_ref());
        Sha256(value)
    }
}

/// Passes bytes on (written to it or read through it) and hashes and counts them on the way.
pub struct Hashing<T> {
    inner: T,
    hasher: Hasher,
    count: u64,
}

impl<T> Hashing<T> {
    pub fn new(inner: T) -> Self {
        Self { inner, hasher: Hasher::new(), count: 0 }
    }

    /// Bytes passed on so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// What bytes were passed on to, and their hash.
    pub fn finish(self) -> (T, Sha256) {
        (self.inner, self.hasher.finish())
    }

    /// Takes `bytes` for passed on.
    pub fn note(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.count += bytes.len() as u64;
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.note(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.note(&into[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_of_abc_is_the_one_of_fips_180_4() {
        assert_eq!(Sha256::of(b"abc").to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Sha256::of_reader(&mut &b"abc"[..]).unwrap(), Sha256::of(b"abc"));
        let shown = Sha256::of(b"abc").to_string();
        assert_eq!(Sha256::parse(&shown), Some(Sha256::of(b"abc")));
        for wrong in ["", &shown[1..], &shown.to_uppercase(), &format!("{shown}0"), &shown.replace('b', "g"), "ä"] {
            assert_eq!(Sha256::parse(wrong), None, "{wrong}");
        }
    }
}
