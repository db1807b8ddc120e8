//! Skeleton and parts in, raw bytes out.

use std::io::{self, Write};

use super::encoder::Encoder;
use super::plan::{Plan, Reference, damaged};

/// Puts a message together again: the skeleton is written to it, the raw bytes come out. `parts` writes the decoded bytes of a
/// part when its turn comes, and answers for their hash, as reading a record does. Constant memory: one block.
///
/// Errors are those of `parts` and `out`, and `InvalidData` where the plan, the parts and the size do not fit each other. What was
/// written until then is worth nothing, and the joiner can only be dropped. Never more than `size` bytes come out.
pub struct Joiner<'a, P> {
    references: std::vec::IntoIter<Reference>,
    next: Option<Reference>,
    /// Raw bytes that are still to come.
    left: u64,
    parts: P,
    out: &'a mut dyn Write,
}

impl<'a, P: FnMut(&Reference, &mut dyn Write) -> io::Result<()>> Joiner<'a, P> {
    /// `size`: raw bytes of the message.
    pub fn new(plan: Plan, size: u64, parts: P, out: &'a mut dyn Write) -> Self {
        let mut references = plan.parts.into_iter();
        let next = references.next();
        Self { references, next, left: size, parts, out }
    }

    /// The skeleton is over.
    pub fn finish(mut self) -> io::Result<()> {
        self.place()?;
        if self.next.is_some() {
            return Err(damaged("a part stands behind the end of its message"));
        }
        if self.left > 0 {
            return Err(damaged("the message is shorter than it was"));
        }
        Ok(())
    }

    /// Writes the parts that stand here.
    fn place(&mut self) -> io::Result<()> {
        while let Some(reference) = self.next.filter(|next| next.gap == 0) {
            let text = reference.text_len().and_then(|text| self.left.checked_sub(text)).ok_or_else(longer)?;
            let encoder = Encoder::new(&reference);
            let mut part = Part { encoder, left: reference.len, out: &mut *self.out };
            (self.parts)(&reference, &mut part)?;
            part.finish()?;
            self.left = text;
            self.next = self.references.next();
        }
        Ok(())
    }
}

impl<P: FnMut(&Reference, &mut dyn Write) -> io::Result<()>> Write for Joiner<'_, P> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.place()?;
        let gap = self.next.map_or(u64::MAX, |next| next.gap);
        let count = bytes.len().min(usize::try_from(gap).unwrap_or(usize::MAX));
        self.left = self.left.checked_sub(count as u64).ok_or_else(longer)?;
        self.out.write_all(&bytes[..count])?;
        if let Some(next) = &mut self.next {
            next.gap -= count as u64;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A part on its way out.
struct Part<'a> {
    encoder: Encoder,
    /// Decoded bytes that are still to come.
    left: u64,
    out: &'a mut dyn Write,
}

impl Part<'_> {
    fn finish(self) -> io::Result<()> {
        if self.left > 0 {
            return Err(damaged("a part is shorter than its message says"));
        }
        self.encoder.finish(self.out)
    }
}

impl Write for Part<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or_else(|| damaged("a part is longer than its message says"))?;
        self.encoder.push(bytes, self.out)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn longer() -> io::Error {
    damaged("the message is longer than it was")
}
