//! A part of a document: byte ranges (RFC 9110, section 14), cut out of bytes that are pushed.

use std::io::{self, Write};

/// What of `len` bytes a `Range` field asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All: no field, several ranges, or something else than bytes.
    Whole,
    /// From the first to the last byte, both included.
    Part(u64, u64),
    /// Nothing that is there.
    Beyond,
}

impl Asked {
    pub fn of(field: Option<&str>, len: u64) -> Self {
        let Some(range) = field.and_then(|field| field.trim().strip_prefix("bytes=")) else { return Self::Whole };
        let Some((first, last)) = range.trim().split_once('-') else { return Self::Whole };
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // More digits than a number holds are beyond any end.
            is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
        };
        match (number(first.trim()), number(last.trim())) {
            (Some(first), Some(last)) if first > last => Self::Whole,
            (Some(first), _) if first >= len && (number(last.trim()).is_some() || last.trim().is_empty()) => {
                Self::Beyond
            }
            (Some(first), Some(last)) => Self::Part(first, last.min(len - 1)),
            (Some(first), None) if last.trim().is_empty() => Self::Part(first, len - 1),
            // The last so many bytes.
            (None, Some(0)) if first.trim().is_empty() => Self::Beyond,
            (None, Some(count)) if first.trim().is_empty() && len > 0 => Self::Part(len.saturating_sub(count), len - 1),
            (None, Some(_)) if first.trim().is_empty() => Self::Beyond,
            _ => Self::Whole,
        }
    }
}

/// Passes a range of what is written to it on, and refuses what follows, so that its writer stops early.
pub struct Window<'a> {
    out: &'a mut dyn Write,
    skip: u64,
    left: u64,
    /// What `out` failed with.
    broken: Option<io::Error>,
}

impl<'a> Window<'a> {
    /// `left` bytes behind the first `skip`.
    pub fn new(out: &'a mut dyn Write, skip: u64, left: u64) -> Self {
        Self { out, skip, left, broken: None }
    }

    /// Whether the range was passed on to its end.
    pub fn finish(self) -> io::Result<()> {
        match self.broken {
            Some(error) => Err(error),
            None if self.left > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            None => Ok(()),
        }
    }
}

impl Write for Window<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - skipped);
        if let Err(error) = self.out.write_all(&bytes[skipped..skipped + taken]) {
            let kind = error.kind();
            self.broken = Some(error);
            return Err(kind.into());
        }
        self.left -= taken as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        for (field, len, expected) in [
            (None, 10, Asked::Whole),
            (Some("bytes=0-"), 10, Asked::Part(0, 9)),
            (Some("bytes=2-5"), 10, Asked::Part(2, 5)),
            (Some("bytes=2-500"), 10, Asked::Part(2, 9)),
            (Some("bytes=9-9"), 10, Asked::Part(9, 9)),
            (Some("bytes=-3"), 10, Asked::Part(7, 9)),
            (Some("bytes=-30"), 10, Asked::Part(0, 9)),
            (Some("bytes=10-"), 10, Asked::Beyond),
            (Some("bytes=99999999999999999999999-"), 10, Asked::Beyond),
            (Some("bytes=-0"), 10, Asked::Beyond),
            (Some("bytes=0-"), 0, Asked::Beyond),
            (Some("bytes=-1"), 0, Asked::Beyond),
            (Some("bytes=5-2"), 10, Asked::Whole),
            (Some("bytes=0-1,3-4"), 10, Asked::Whole),
            (Some("bytes=a-b"), 10, Asked::Whole),
            (Some("bytes=-"), 10, Asked::Whole),
            (Some("lines=1-2"), 10, Asked::Whole),
        ] {
            assert_eq!(Asked::of(field, len), expected, "{field:?}");
        }
    }

    #[test]
    fn a_window_passes_its_range_on_and_stops_its_writer() {
        for piece in 1..12 {
            let mut out = Vec::new();
            let mut window = Window::new(&mut out, 3, 4);
            let written = b"0123456789".chunks(piece).try_for_each(|bytes| window.write_all(bytes));
            assert_eq!(written.is_err(), 10usize.div_ceil(piece) > 7usize.div_ceil(piece), "{piece}");
            window.finish().unwrap();
            assert_eq!(out, b"3456");
        }
        let mut out = Vec::new();
        let mut window = Window::new(&mut out, 3, 4);
        window.write_all(b"01234").unwrap();
        assert!(window.finish().is_err());
    }
}
