//! How a message is handed out. Exchange keeps no MIME: it takes a message apart when it arrives and writes it anew when it
//! is asked for, so what `$value` gives is never the bytes that were sent.

use std::fmt::Write as _;
use std::io::{self, BufReader, Cursor, Read};
use std::str::FromStr;

use crate::chance::hash;
use crate::source::Source;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Render {
    /// The bytes as they lie on disk.
    #[default]
    Verbatim,
    /// The same with CRLF.
    Crlf,
    /// As Exchange writes them: header fields in its own order and with its own additions, new boundaries, CRLF.
    Exchange,
}

impl FromStr for Render {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "verbatim" => Ok(Self::Verbatim),
            "crlf" => Ok(Self::Crlf),
            "exchange" => Ok(Self::Exchange),
            _ => anyhow::bail!("verbatim, crlf or exchange"),
        }
    }
}

/// The length, where it is known without reading, and the bytes.
pub fn open(source: &Source, render: Render) -> io::Result<Box<dyn Read + Send>> {
    match render {
        Render::Verbatim => source.open(),
        Render::Crlf => Ok(Box::new(Crlf { inner: BufReader::new(source.open()?), last: 0 })),
        Render::Exchange => {
            let mut bytes = Vec::new();
            Crlf { inner: BufReader::new(source.open()?), last: 0 }.read_to_end(&mut bytes)?;
            Ok(Box::new(Cursor::new(exchange(&bytes))))
        }
    }
}

/// Makes CRLF of every bare LF on the way.
struct Crlf<R> {
    inner: BufReader<R>,
    last: u8,
}

impl<R: Read> Read for Crlf<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::io::BufRead;
        let available = self.inner.fill_buf()?;
        let (mut used, mut filled) = (0, 0);
        while used < available.len() && filled < buffer.len() {
            let byte = available[used];
            // A bare LF gives two bytes, the second of which may have to wait for the next read.
            let given = if byte == b'\n' && self.last != b'\r' { b'\r' } else { byte };
            used += usize::from(given == byte);
            buffer[filled] = given;
            filled += 1;
            self.last = given;
        }
        self.inner.consume(used);
        Ok(filled)
    }
}

/// Fields that Exchange writes first, in this order; all others follow as they came.
const ORDER: [&str; 8] = ["From", "To", "CC", "Subject", "Thread-Topic", "Date", "Message-ID", "References"];
/// Fields that do not survive the way into the store.
const LOST: [&str; 5] = ["Status", "X-Status", "X-UID", "Content-Length", "X-Mozilla-Status"];

fn exchange(mail: &[u8]) -> Vec<u8> {
    let end = mail.windows(4).position(|window| window == b"\r\n\r\n").map_or(mail.len(), |at| at + 2);
    let (head, body) = mail.split_at(end);
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        match fields.last_mut() {
            Some(field) if line.starts_with(b" ") || line.starts_with(b"\t") => field.extend(line),
            _ => fields.push(line.to_vec()),
        }
    }
    let name_of = |field: &[u8]| {
        let end = field.iter().position(|byte| *byte == b':').unwrap_or(0);
        String::from_utf8_lossy(&field[..end]).trim().to_owned()
    };
    fields.retain(|field| {
        let name = name_of(field);
        !LOST.iter().any(|lost| lost.eq_ignore_ascii_case(&name))
    });
    let place = |field: &Vec<u8>| {
        let name = name_of(field);
        ORDER.iter().position(|known| known.eq_ignore_ascii_case(&name)).unwrap_or(ORDER.len())
    };
    fields.sort_by_key(place);
    let mut out: Vec<u8> = Vec::with_capacity(mail.len() + 512);
    for field in &fields {
        // One space after the colon; the body of the field stays as it is.
        let name = name_of(field);
        match field.get(name.len() + 1..) {
            Some(rest) if !name.is_empty() && field.get(name.len()) == Some(&b':') => {
                out.extend(name.as_bytes());
                out.extend(b": ");
                out.extend(rest.strip_prefix(b" ").unwrap_or(rest));
            }
            _ => out.extend(field),
        }
    }
    let mut added = String::new();
    let id = hash(&[head]);
    let _ = write!(
        added,
        "X-MS-Exchange-Organization-SCL: -1\r\nX-MS-Exchange-Organization-AuthSource: SIM{id:016X}.prod.outlook.com\r\n\
         X-MS-Has-Attach:\r\nX-MS-TNEF-Correlator:\r\nX-MS-Exchange-Organization-RecordReviewCfmType: 0\r\n"
    );
    out.extend(added.as_bytes());
    out.extend(body);
    rename_boundaries(out)
}

/// Gives every multipart a boundary of Exchange's making. A boundary is replaced wherever its text stands, which is in its
/// parameter and in its lines.
fn rename_boundaries(mail: Vec<u8>) -> Vec<u8> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let lower = mail.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = find(&lower[from..], b"boundary=") {
        let start = from + at + 9;
        let quoted = mail.get(start) == Some(&b'"');
        let start = start + usize::from(quoted);
        let ends = |byte: &u8| if quoted { *byte == b'"' } else { b"; \r\n\t".contains(byte) };
        let length = mail[start..].iter().take(200).position(ends).unwrap_or(0);
        // Short names could stand in the text as well; signed mails must stay as they are.
        if length >= 8 {
            names.push(mail[start..start + length].to_vec());
        }
        from = start;
    }
    if find(&lower, b"multipart/signed").is_some() {
        return mail;
    }
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.dedup();
    names.into_iter().enumerate().fold(mail, |mail, (number, name)| {
        let new = format!("_{number:03}_{:016x}_", hash(&[&name]));
        replace(&mail, &name, new.as_bytes())
    })
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

fn replace(hay: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(hay.len()), 0);
    while let Some(found) = find(&hay[at..], old) {
        out.extend(&hay[at..at + found]);
        out.extend(new);
        at += found + old.len();
    }
    out.extend(&hay[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends() {
        let mut out = String::new();
        Crlf { inner: BufReader::with_capacity(3, &b"a\nb\r\n\nc"[..]), last: 0 }.read_to_string(&mut out).unwrap();
        assert_eq!(out, "a\r\nb\r\n\r\nc");
        // However small the room that a reader gives.
        let mut crlf = Crlf { inner: BufReader::new(&b"a\n\nb"[..]), last: 0 };
        let bytes: Vec<u8> = std::iter::from_fn(|| {
            let mut byte = [0];
            (crlf.read(&mut byte).unwrap() == 1).then_some(byte[0])
        })
        .collect();
        assert_eq!(bytes, b"a\r\n\r\nb");
    }

    #[test]
    fn exchange_writes_anew() {
        let mail =
            b"X-UID: 3\r\nSubject: s\r\nFrom: a@b\r\nContent-Type: multipart/mixed; boundary=\"=-12345678\"\r\n\r\n\
                     --=-12345678\r\n\r\ntext\r\n--=-12345678--\r\n";
        let out = String::from_utf8(exchange(mail)).unwrap();
        assert!(out.starts_with("From: a@b\r\nSubject: s\r\nContent-Type"), "{out}");
        assert!(!out.contains("12345678\r") && out.contains("\r\ntext\r\n--_000_"), "{out}");
    }
}
