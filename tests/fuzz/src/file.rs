//! The readers of attachments: no panic, and a text that is bounded and printable. What a foreign library does when it is given a broken
//! PDF is not ours to say, and in a child it costs one file; its panics count all the same, so that they are known.

use archivista::extract::{About, read_here};
use archivista::limits::EXTRACT_TEXT;

pub fn run(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    let (name, bytes) = file(*kind, rest);
    let found = read_here(&bytes, &About { media_type: "application/octet-stream", charset: "", name });
    assert!(found.text.len() <= EXTRACT_TEXT);
    let wrong = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!found.text.chars().any(wrong), "{:?}", found.text);
}

/// A file in which the input stands where a reader looks at it.
fn file(kind: u8, rest: &[u8]) -> (&'static str, Vec<u8>) {
    match kind % 10 {
        0 => ("a.docx", zip("word/document.xml", rest)),
        1 => ("a.xlsx", zip("xl/worksheets/sheet1.xml", rest)),
        2 => ("a.pptx", zip("ppt/slides/slide1.xml", rest)),
        3 => ("a.odt", zip("content.xml", rest)),
        4 => ("a.zip", [b"PK\x03\x04", rest].concat()),
        5 => ("a.pdf", [b"%PDF-1.7\n", rest].concat()),
        6 => ("a.pdf", pdf(rest)),
        7 => ("winmail.dat", [b"\x78\x9f\x3e\x22\x01\0", rest].concat()),
        8 => ("a.eml", rest.to_vec()),
        _ => ("smime.p7m", rest.to_vec()),
    }
}

/// One entry, stored as it is.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let number = |of: usize| u32::try_from(of).unwrap_or(u32::MAX).to_le_bytes();
    let head = [
        &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &crc32fast::hash(content).to_le_bytes(),
        &number(content.len()),
        &number(content.len()),
        &number(name.len())[..2],
        &[0, 0],
    ]
    .concat();
    let entry = [b"PK\x03\x04", &head[..], name.as_bytes(), content].concat();
    let directory = [b"PK\x01\x02\x14\0", &head[..], &[0; 14], name.as_bytes()].concat();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &number(directory.len())[..], &number(entry.len()), &[0, 0]].concat();
    [entry, directory, end].concat()
}

/// One page with this content, and a font.
fn pdf(content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>".to_vec(),
        [format!("<< /Length {length} >>\nstream\n").as_bytes(), content, b"\nendstream"].concat(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ];
    let mut out = b"%PDF-1.7\n".to_vec();
    for (at, object) in objects.iter().enumerate() {
        out.extend([format!("{} 0 obj\n", at + 1).as_bytes(), object, b"\nendobj\n"].concat());
    }
    out.extend(b"trailer\n<< /Size 6 /Root 1 0 R >>\n%%EOF\n");
    out
}

pub fn seeds() -> Vec<Vec<u8>> {
    let of = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    vec![
        of(0, b"<w:document><w:body><w:p><w:r><w:t>Gr\xc3\xbcsse</w:t><w:tab/></w:r></w:p></w:body></w:document>"),
        of(1, b"<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>a</t></is></c><c><v>47.11</v></c></row></sheetData></worksheet>"),
        of(2, b"<p:sld><a:p><a:r><a:t>Titel</a:t></a:r></a:p></p:sld>"),
        of(3, b"<office:text><text:p>a<text:s/>b<text:tab/></text:p></office:text>"),
        of(4, &zip("a.txt", b"x")[4..]),
        of(5, &pdf(b"BT /F 12 Tf (x) Tj ET")[9..]),
        of(6, b"BT /F 12 Tf 50 700 Td (Gr\\374sse) Tj 0 -14 Td [<41> -200 (b)] TJ T* (c) ' ET q 1 0 0 1 0 0 cm Q"),
        of(7, b"\x01\x07\x90\x06\0\x08\0\0\0\xe4\x04\0\0\0\0\0\0\0\0"),
        of(8, b"Subject: =?utf-8?q?a=20b?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz\r\n--b--\r\n"),
        of(9, b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\0\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80\x24\x80\x04\x03abc\0\0\0\0\0\0\0\0\0\0\0\0"),
    ]
}
