//! `winmail.dat`: what Outlook packs when it sends to others as if to itself (MS-OXTNEF).

use std::ops::Range;

use crate::ingest::text::{clean, raw};
use crate::limits::{MAIL_ROWS, MAIL_TEXT};

use super::super::{charset, file_name};

const SIGNATURE: u32 = 0x223e_9f78;
/// Attributes of a file, and properties of one attribute, that are read.
const ATTRIBUTES: usize = 10_000;

const ATTACH_REND_DATA: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800f;
const ATTACHMENT: u32 = 0x0006_9005;
const BODY: u32 = 0x0002_800c;
const MAPI_PROPERTIES: u32 = 0x0006_9003;
const OEM_CODEPAGE: u32 = 0x0006_9007;

const PR_BODY: u16 = 0x1000;
const PR_BODY_HTML: u16 = 0x1013;
const PR_ATTACH_DATA: u16 = 0x3701;
const PR_ATTACH_LONG_FILENAME: u16 = 0x3707;
const PR_ATTACH_MIME_TAG: u16 = 0x370e;
const PT_UNICODE: u16 = 0x001f;

/// What is packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tnef {
    /// Plain text, empty where there is none (Outlook often packs compressed RTF only).
    pub text: String,
    /// HTML, not yet safe; empty where there is none.
    pub html: String,
    pub files: Vec<File>,
}

/// A packed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// As [`file_name::safe`] makes it.
    pub name: String,
    /// As the sender says, empty where it is not said.
    pub media_type: String,
    /// Where its bytes lie within the decoded `winmail.dat`.
    pub range: Range<usize>,
}

/// Reads a decoded `winmail.dat`; none if it is not one. The caller bounds its length ([`crate::limits::MAIL_ENVELOPE`]). What is
/// cut or broken is read as far as it goes, at most [`MAIL_ROWS`] files.
pub fn read(bytes: &[u8]) -> Option<Tnef> {
    let mut reader = Reader { bytes, at: 0 };
    if reader.u32()? != SIGNATURE {
        return None;
    }
    reader.u16()?;
    let mut found = Found::default();
    for _ in 0..ATTRIBUTES {
        if found.attribute(&mut reader).is_none() {
            break;
        }
    }
    Some(found.finish())
}

#[derive(Default)]
struct Found {
    tnef: Tnef,
    /// A file that is begun: name of eight characters, then the long one.
    file: Option<File>,
    codepage: Option<u32>,
}

impl Found {
    fn attribute(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        reader.take(1)?;
        let id = reader.u32()?;
        let length = usize::try_from(reader.u32()?).ok()?;
        let range = reader.take(length)?;
        let data = &reader.bytes[range.clone()];
        match id {
            ATTACH_REND_DATA => {
                self.file_end();
                self.file = Some(File::default());
            }
            ATTACH_TITLE => {
                let name = self.text(data);
                if let Some(file) = self.file.as_mut().filter(|file| file.name.is_empty()) {
                    file.name = name;
                }
            }
            ATTACH_DATA => {
                if let Some(file) = &mut self.file {
                    file.range = range;
                }
            }
            ATTACHMENT | MAPI_PROPERTIES => self.properties(data, range.start),
            BODY if self.tnef.text.is_empty() => self.tnef.text = self.text(data),
            OEM_CODEPAGE => self.codepage = Reader { bytes: data, at: 0 }.u32(),
            _ => {}
        }
        // A checksum that nobody reads.
        reader.take(2).map(|_| ())
    }

    fn properties(&mut self, data: &[u8], offset: usize) {
        let mut reader = Reader { bytes: data, at: 0 };
        let count = reader.u32().unwrap_or(0);
        for _ in 0..count.min(10_000) {
            let Some((kind, id, range)) = reader.property() else { break };
            let value = &data[range.clone()];
            let text = |found: &Self| if kind == PT_UNICODE { utf16(value) } else { found.text(value) };
            match (id, &self.file) {
                (PR_BODY, None) if self.tnef.text.is_empty() => self.tnef.text = text(self),
                (PR_BODY_HTML, None) => self.tnef.html = text(self),
                (PR_ATTACH_LONG_FILENAME, Some(_)) => {
                    let name = text(self);
                    self.file.iter_mut().filter(|_| !name.is_empty()).for_each(|file| file.name.clone_from(&name));
                }
                (PR_ATTACH_MIME_TAG, Some(_)) => {
                    let media_type = clean(&text(self), 255).to_ascii_lowercase();
                    self.file.iter_mut().for_each(|file| file.media_type.clone_from(&media_type));
                }
                (PR_ATTACH_DATA, Some(file)) if file.range.is_empty() => {
                    let range = range.start + offset..range.end + offset;
                    self.file.iter_mut().for_each(|file| file.range = range.clone());
                }
                _ => {}
            }
        }
    }

    fn text(&self, data: &[u8]) -> String {
        let data = &data[..data.len().min(MAIL_TEXT)];
        let data = data.split(|&byte| byte == 0).next().unwrap_or_default();
        match self.codepage {
            Some(page) => charset::text(data, &format!("windows-{page}"), false),
            None => raw(data),
        }
    }

    fn file_end(&mut self) {
        if let Some(mut file) = self.file.take()
            && self.tnef.files.len() < MAIL_ROWS
        {
            file.name = file_name::safe(&file.name);
            if file.name.is_empty() {
                file.name = format!("{}.bin", self.tnef.files.len() + 1);
            }
            self.tnef.files.push(file);
        }
    }

    fn finish(mut self) -> Tnef {
        self.file_end();
        self.tnef
    }
}

fn utf16(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(2 * MAIL_TEXT)];
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    fn u16(&mut self) -> Option<u16> {
        let range = self.take(2)?;
        Some(u16::from_le_bytes(self.bytes[range].try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        let range = self.take(4)?;
        Some(u32::from_le_bytes(self.bytes[range].try_into().ok()?))
    }

    /// Bytes and what fills them up to a multiple of four.
    fn padded(&mut self, length: usize) -> Option<Range<usize>> {
        let range = self.take(length)?;
        self.at = self.at.checked_add(length.wrapping_neg() % 4)?;
        Some(range)
    }

    /// A property: its type, its id, its first value (MS-OXTNEF, section 2.1.3.4).
    fn property(&mut self) -> Option<(u16, u16, Range<usize>)> {
        let (kind, id) = (self.u16()?, self.u16()?);
        if id >= 0x8000 {
            self.take(16)?;
            if self.u32()? == 0 {
                self.u32()?;
            } else {
                let length = usize::try_from(self.u32()?).ok()?;
                self.padded(length)?;
            }
        }
        let several = kind & 0x1000 != 0;
        let kind = kind & 0x0fff;
        let size = match kind {
            0x0002 | 0x0003 | 0x0004 | 0x000a | 0x000b => Some(4),
            0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Some(8),
            0x0048 => Some(16),
            0x000d | 0x001e | 0x001f | 0x0102 => None,
            _ => return None,
        };
        let count = if several || size.is_none() { self.u32()? } else { 1 };
        let mut first = None;
        for _ in 0..count.min(10_000) {
            let range = if let Some(size) = size {
                self.take(size)?
            } else {
                let length = usize::try_from(self.u32()?).ok()?;
                self.padded(length)?
            };
            first.get_or_insert(range);
        }
        Some((kind, id, first.unwrap_or(self.at..self.at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(id: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        [&[1][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
    }

    fn property(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap();
        let padding = vec![0; value.len().wrapping_neg() % 4];
        [&kind.to_le_bytes()[..], &id.to_le_bytes(), &1u32.to_le_bytes(), &length.to_le_bytes(), value, &padding]
            .concat()
    }

    #[test]
    fn text_and_files() {
        let name: Vec<u8> = "../Rechnung März.pdf\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let named =
            [&0x0003u16.to_le_bytes()[..], &0x8001u16.to_le_bytes(), &[7; 16], &0u32.to_le_bytes(), &[1; 8]].concat();
        let properties = [
            &3u32.to_le_bytes()[..],
            &named,
            &property(PT_UNICODE, PR_ATTACH_LONG_FILENAME, &name),
            &property(0x001e, PR_ATTACH_MIME_TAG, b"application/pdf\0"),
        ]
        .concat();
        let bytes = [
            &SIGNATURE.to_le_bytes()[..],
            &[1, 0],
            &attribute(OEM_CODEPAGE, &1252u64.to_le_bytes()),
            &attribute(BODY, b"Gr\xfcezi\0"),
            &attribute(ATTACH_REND_DATA, &[0; 14]),
            &attribute(ATTACH_TITLE, b"RECHNU~1.PDF\0"),
            &attribute(ATTACH_DATA, b"%PDF-"),
            &attribute(ATTACHMENT, &properties),
            &attribute(ATTACH_REND_DATA, &[0; 14]),
        ]
        .concat();
        let tnef = read(&bytes).unwrap();
        assert_eq!((tnef.text.as_str(), tnef.files.len()), ("Grüezi", 2));
        assert_eq!(
            (tnef.files[0].name.as_str(), tnef.files[0].media_type.as_str()),
            ("Rechnung März.pdf", "application/pdf")
        );
        assert_eq!(&bytes[tnef.files[0].range.clone()], b"%PDF-");
        assert_eq!(tnef.files[1].name, "2.bin");
        // Cut anywhere, it is read as far as it goes.
        for end in 0..bytes.len() {
            let found = read(&bytes[..end]).unwrap_or_default();
            assert!(found.files.iter().all(|file| file.range.end <= end));
        }
    }
}
