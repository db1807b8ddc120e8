//! The multiparts that are open, and the lines that part them (RFC 2046, section 5.1).

use super::defect::{Defect, Defects};

/// Bytes of a boundary; RFC 2046 allows 70, senders more.
pub(crate) const BOUNDARY: usize = 1000;

/// A multipart that was begun and has not ended.
#[derive(Debug)]
struct Open {
    boundary: Vec<u8>,
    /// Depth of its parts.
    depth: usize,
    digest: bool,
    seen: bool,
}

/// The open multiparts, outermost first. Never more than the depth that is followed.
#[derive(Debug, Default)]
pub(crate) struct Boundaries(Vec<Open>);

/// What a boundary line begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// A part at a depth, of `multipart/digest` or another multipart.
    Part { depth: usize, digest: bool },
    /// What follows the last part of a multipart whose parts are at a depth.
    Epilogue { depth: usize },
}

impl Boundaries {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn open(&mut self, boundary: Vec<u8>, depth: usize, digest: bool) {
        self.0.push(Open { boundary, depth, digest, seen: false });
    }

    /// Whether `line` is a boundary line. The whole line has to match, white space at its end aside: a boundary may be the
    /// beginning of another one.
    pub fn is_boundary(&self, line: &[u8]) -> bool {
        self.find(line).is_some()
    }

    /// What a boundary line does; none for another line. The boundary of an outer multipart ends the inner ones.
    pub fn cross(&mut self, line: &[u8], defects: &mut Defects) -> Option<Crossing> {
        let (index, closes) = self.find(line)?;
        self.end(index + 1, defects);
        if closes {
            return self.0.pop().map(|open| Crossing::Epilogue { depth: open.depth });
        }
        let open = self.0.last_mut()?;
        open.seen = true;
        Some(Crossing::Part { depth: open.depth, digest: open.digest })
    }

    /// The innermost multipart of a boundary line, and whether it ends.
    fn find(&self, line: &[u8]) -> Option<(usize, bool)> {
        let line = line.strip_prefix(b"--")?.trim_ascii_end();
        let close = line.strip_suffix(b"--");
        let index = self.0.iter().rposition(|open| open.boundary == line || close == Some(open.boundary.as_slice()))?;
        // A boundary may itself end in two hyphens: the whole line decides first.
        Some((index, self.0[index].boundary != line))
    }

    /// Forgets the multiparts from `index` on, which did not end themselves.
    pub fn end(&mut self, index: usize, defects: &mut Defects) {
        for open in self.0.drain(index..) {
            defects.insert(if open.seen { Defect::NoFinalBoundary } else { Defect::NoBoundary });
        }
    }
}
