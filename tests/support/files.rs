//! Files as people attach them, and mails with one.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;

pub const OCTETS: &str = "application/octet-stream";

/// Bytes deflated, raw.
pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packing = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    packing.write_all(bytes).unwrap();
    packing.finish().unwrap()
}

/// An entry of a ZIP file: its name, packed bytes, what it says its size is, its flags.
pub struct Entry<'a>(pub &'a str, pub Vec<u8>, pub u32, pub u16);

pub fn zip_of(entries: &[Entry<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for Entry(name, packed, size, flags) in entries {
        let head = [
            &[20, 0][..],
            &(flags | 1 << 11).to_le_bytes(),
            &[8, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &u32::try_from(packed.len()).unwrap().to_le_bytes(),
            &size.to_le_bytes(),
            &u16::try_from(name.len()).unwrap().to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        let offset = u32::try_from(out.len()).unwrap().to_le_bytes();
        directory.extend([b"PK\x01\x02\x14\x00", &head[..], &[0; 10], &offset, name.as_bytes()].concat());
        out.extend([b"PK\x03\x04", &head[..], name.as_bytes(), packed].concat());
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &length(&directory), &length(&out), &[0, 0]].concat();
    [out, directory, end].concat()
}

pub fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut packed = Vec::new();
    for (name, content) in entries {
        packed.push(Entry(name, deflated(content.as_bytes()), u32::try_from(content.len()).unwrap(), 0));
    }
    zip_of(&packed)
}

pub const TYPES: (&str, &str) = ("[Content_Types].xml", "<?xml version=\"1.0\"?><Types/>");

fn word(content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"w\"><w:body>{content}</w:body></w:document>"
    )
}

pub fn docx(text: &str) -> Vec<u8> {
    zip(&[TYPES, ("word/document.xml", &word(&format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")))])
}

fn mail(attachment: &str) -> String {
    format!(
        "Subject: =?utf-8?q?Gr=C3=BCsse?=\r\nFrom: Anna <anna@example.ch>\r\nTo: Beat <beat@example.ch>\r\n\
         Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\naus Zürich\r\n\
         --a\r\n{attachment}\r\n--a--\r\n"
    )
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn mail_with(name: &str, bytes: &[u8]) -> String {
    mail(&format!(
        "Content-Type: {OCTETS}; name={name}\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(bytes)
    ))
}
