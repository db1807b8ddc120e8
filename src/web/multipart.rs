//! `multipart/form-data` (RFC 7578) as browsers send it, read from a stream in constant memory.
//!
//! Every byte is hostile: heads and values are bounded, a body that ends early is an error, and what is between parts is
//! passed over.

use std::io::{self, Read, Write};

use memchr::memmem;

use crate::limits::{MULTIPART_HEAD, MULTIPART_VALUE};

/// Bytes that are read in one go.
const PIECE: usize = 64 * 1024;
/// Characters of a boundary (RFC 2046, section 5.1.1).
const BOUNDARY: usize = 70;

#[derive(Debug, thiserror::Error)]
pub enum MultipartError {
    /// No `multipart/form-data`, or one that breaks its own rules.
    #[error("not a form with files: {0}")]
    Broken(&'static str),
    /// A head or value is longer than any browser's.
    #[error("a part of the form is too long")]
    TooLong,
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What the part was written to.
    #[error(transparent)]
    Out(io::Error),
}

type Result<T> = std::result::Result<T, MultipartError>;

/// What the head of a part says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The field.
    pub name: String,
    /// Of a file, as the browser gives it.
    pub file_name: Option<String>,
}

/// A form that is being read. Parts come one after the other; what of one was not read is passed over.
pub struct Multipart<R> {
    input: R,
    /// Line end, two hyphens and the boundary.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    /// Within a part, whose end was not reached.
    in_part: bool,
    is_over: bool,
}

impl<R: Read> Multipart<R> {
    /// `content_type` is the header field of the request.
    pub fn new(content_type: &str, input: R) -> Result<Self> {
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return Err(MultipartError::Broken("its type is another one"));
        }
        let boundary = parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
            .map(|(_, value)| value.trim().trim_matches('"'))
            .filter(|value| (1..=BOUNDARY).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or(MultipartError::Broken("it names no boundary"))?;
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        // The first delimiter stands at the beginning, without a line end before it.
        Ok(Self { input, delimiter, buffer: b"\r\n".to_vec(), in_part: true, is_over: false })
    }

    /// The head of the next part; `None` after the last one.
    pub fn next_part(&mut self) -> Result<Option<Head>> {
        if self.is_over {
            return Ok(None);
        }
        if self.in_part {
            self.copy(&mut io::sink())?;
        }
        self.need(2)?;
        if self.buffer.starts_with(b"--") {
            self.is_over = true;
            return Ok(None);
        }
        // White space may follow a boundary (RFC 2046, section 5.1.1).
        let line = self.line()?;
        if !line.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(MultipartError::Broken("something follows a boundary"));
        }
        let mut head = Head::default();
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            length += line.len();
            if length > MULTIPART_HEAD {
                return Err(MultipartError::TooLong);
            }
            let line = String::from_utf8_lossy(&line);
            if let Some((name, value)) = line.split_once(':')
                && name.trim().eq_ignore_ascii_case("content-disposition")
            {
                head = disposition(value);
            }
        }
        self.in_part = true;
        Ok(Some(head))
    }

    /// Writes what is left of the part to `out`; returns how many bytes.
    pub fn copy(&mut self, out: &mut dyn Write) -> Result<u64> {
        let mut count = 0;
        if !self.in_part {
            return Ok(0);
        }
        loop {
            let found = memmem::find(&self.buffer, &self.delimiter);
            // A delimiter may have begun at the end of what is there.
            let sure = found.unwrap_or_else(|| (self.buffer.len() + 1).saturating_sub(self.delimiter.len()));
            out.write_all(&self.buffer[..sure]).map_err(MultipartError::Out)?;
            count += sure as u64;
            self.buffer.drain(..sure);
            if found.is_some() {
                self.buffer.drain(..self.delimiter.len());
                self.in_part = false;
                return Ok(count);
            }
            self.fill()?;
        }
    }

    /// The part as text, at most [`MULTIPART_VALUE`] bytes.
    pub fn text(&mut self) -> Result<String> {
        let mut out = Bounded(Vec::new());
        match self.copy(&mut out) {
            Ok(_) => Ok(String::from_utf8_lossy(&out.0).into_owned()),
            Err(MultipartError::Out(_)) => Err(MultipartError::TooLong),
            Err(error) => Err(error),
        }
    }

    fn fill(&mut self) -> Result<()> {
        let before = self.buffer.len();
        self.buffer.resize(before + PIECE, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        match read? {
            0 => Err(MultipartError::Broken("it ends early")),
            _ => Ok(()),
        }
    }

    fn need(&mut self, count: usize) -> Result<()> {
        while self.buffer.len() < count {
            self.fill()?;
        }
        Ok(())
    }

    /// A line without its end.
    fn line(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = memmem::find(&self.buffer, b"\r\n") {
                let line = self.buffer[..end].to_vec();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            if self.buffer.len() > MULTIPART_HEAD {
                return Err(MultipartError::TooLong);
            }
            self.fill()?;
        }
    }
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MULTIPART_VALUE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `form-data; name="files"; filename="a.pdf"`: browsers write UTF-8, and `%22`, `%0D`, `%0A` for what would end a value
/// (HTML, section 4.10.21.7).
fn disposition(value: &str) -> Head {
    let mut head = Head::default();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('=') {
        let name = before.rsplit(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(';').unwrap_or((after, "")),
        };
        let value = value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
        match name.as_str() {
            "name" => head.name = value,
            "filename" => head.file_name = Some(value),
            _ => {}
        }
        rest = next;
    }
    head
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XYZ";

    /// Gives few bytes at a time, so that every boundary is cut somewhere.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(into.len()).min(self.0.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(body: &[u8], drop: usize) -> Result<Vec<(Head, Vec<u8>)>> {
        let mut form = Multipart::new(TYPE, Drops(body, drop))?;
        let mut parts = Vec::new();
        while let Some(head) = form.next_part()? {
            let mut bytes = Vec::new();
            form.copy(&mut bytes)?;
            parts.push((head, bytes));
        }
        Ok(parts)
    }

    fn file(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut part =
            format!("--XYZ\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n").into_bytes();
        part.extend_from_slice(bytes);
        part.extend_from_slice(b"\r\n");
        part
    }

    #[test]
    fn parts_come_back_however_they_are_cut() {
        let tricky = b"\r\n--XY\r\n--XYY--\r\n\r\n-\r\n--".to_vec();
        let mut body = b"before\r\n".to_vec();
        body.extend(b"--XYZ\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n");
        body.extend(file("a \"b%22.pdf", &tricky));
        body.extend(file("\u{fc}; name=x.bin", b""));
        body.extend(b"--XYZ--\r\nafter");
        for drop in 1..40 {
            let parts = read(&body, drop).unwrap();
            assert_eq!(parts[0].0, Head { name: "csrf".into(), file_name: None });
            assert_eq!(parts[0].1, b"token");
            assert_eq!(parts[1].1, tricky);
            assert_eq!(parts[2], (Head { name: "f".into(), file_name: Some("ü; name=x.bin".into()) }, vec![]));
            assert_eq!(parts.len(), 3);
        }
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        for body in [
            &b""[..],
            b"--XYZ",
            b"--XYZ\r\n",
            b"--XYZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue",
            b"--XYZgarbage\r\n\r\n\r\n--XYZ--",
            b"no boundary anywhere",
        ] {
            assert!(matches!(read(body, 7), Err(MultipartError::Broken(_))), "{}", String::from_utf8_lossy(body));
        }
        let mut endless = b"--XYZ\r\nX: ".to_vec();
        endless.extend(vec![b'a'; MULTIPART_HEAD * 2]);
        assert!(matches!(read(&endless, 1000), Err(MultipartError::TooLong)));
        let many = [b"--XYZ\r\n".to_vec(), b"X: y\r\n".repeat(MULTIPART_HEAD)].concat();
        assert!(matches!(read(&many, 1000), Err(MultipartError::TooLong)));
        for kind in
            ["text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=a b"]
        {
            assert!(Multipart::new(kind, io::empty()).is_err(), "{kind}");
        }
        let mut long = file("x", &vec![b'a'; MULTIPART_VALUE + 1]);
        long.extend(b"--XYZ--");
        let mut form = Multipart::new(TYPE, &long[..]).unwrap();
        form.next_part().unwrap();
        assert!(matches!(form.text(), Err(MultipartError::TooLong)));
    }

    #[test]
    fn memory_does_not_grow_with_a_file() {
        let head = file("x", b"");
        let zeros = io::repeat(b'\r').take(50_000_000);
        let mut form = Multipart::new(TYPE, (&head[..head.len() - 2]).chain(zeros)).unwrap();
        form.next_part().unwrap();
        assert!(form.copy(&mut io::sink()).is_err());
        assert!(form.buffer.capacity() <= 4 * PIECE);
    }

    proptest! {
        #[test]
        fn any_file_comes_back(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), any::<u8>()], 0..300), drop in 1usize..50) {
            prop_assume!(memmem::find(&bytes, b"\r\n--XYZ").is_none() && !bytes.starts_with(b"--XYZ"));
            let mut body = file("x", &bytes);
            body.extend(b"--XYZ--\r\n");
            let parts = read(&body, drop).unwrap();
            prop_assert_eq!(&parts[0].1, &bytes);
        }

        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), Just(b'Y'), Just(b'Z'), any::<u8>()], 0..300), drop in 1usize..50) {
            let _ = read(&bytes, drop);
            let mut body = b"--XYZ\r\n".to_vec();
            body.extend(&bytes);
            let _ = read(&body, drop);
        }
    }
}
