use super::*;

/// A PDF of these objects, the first of them the catalog.
pub(in crate::extract) fn pdf(objects: &[&str]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let xref = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        out.extend(format!("{place:010} 00000 n \n").bytes());
    }
    out.extend(format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n", objects.len() + 1).bytes());
    out
}

fn stream(content: &str) -> String {
    format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len())
}

/// One page with this content, its fonts `F` (Helvetica) and `G` (two bytes, with a map).
fn page(content: &str, more: &str) -> Vec<u8> {
    let map = "begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0001> <005A> <0002> <00FC> endbfchar \
        1 beginbfrange <0010> <0020> <0061> endbfrange endcmap";
    pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        &format!(
            "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R /G 6 0 R >> /XObject << /X 9 0 R >> >> {more} >>"
        ),
        &stream(content),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /BaseEncoding /WinAnsiEncoding /Differences [1 /scaron /f_i] >> >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 7 0 R /DescendantFonts [8 0 R] >>",
        &stream(map),
        "<< /Type /Font /Subtype /CIDFontType2 /DW 500 /W [1 [600 500] 16 32 400] >>",
        &stream("BT /F 10 Tf (Form) Tj ET").replace("<<", "<< /Type /XObject /Subtype /Form"),
    ])
}

fn found(bytes: Vec<u8>) -> (String, Result<(), Unread>) {
    let mut text = Text::held(100_000);
    let read = read(bytes, &mut text);
    (text.finish().0, read)
}

#[test]
fn words_and_lines_by_where_they_stand() {
    for (content, expected) in [
        ("BT /F 10 Tf 50 700 Td (Gr\\374sse) Tj ( aus) Tj ET", "Grüsse aus\n"),
        ("BT /F 10 Tf 50 700 Td (eins) Tj 0 -12 Td (zwei) Tj T* ET", "eins\nzwei\n"),
        ("BT /F 10 Tf 50 700 Td (Ver-) Tj 0 -12 Td (tr) Tj (ag) Tj ET", "Vertrag\n"),
        // Kerning, and a space that is none.
        ("BT /F 10 Tf [(W) 80 (ort) -300 (zwei)] TJ ET", "Wort zwei\n"),
        // Each word placed on its own: 22.23 is how wide the first is.
        ("BT /F 10 Tf 1 0 0 1 50 700 Tm (Hello) Tj 1 0 0 1 75.5 700 Tm (Welt) Tj ET", "Hello Welt\n"),
        ("BT /F 10 Tf 1 0 0 1 50 700 Tm (Hel) Tj 1 0 0 1 65 700 Tm (lo) Tj ET", "Hello\n"),
        // Turned by a quarter.
        (
            "BT /F 10 Tf 0 1 -1 0 50 100 Tm (auf) Tj 0 1 -1 0 50 140 Tm (ab) Tj 0 1 -1 0 62 100 Tm (neu) Tj ET",
            "auf ab\nneu\n",
        ),
        ("BT /G 10 Tf <000100020011> Tj ET", "Züb\n"),
        ("BT /F 10 Tf <0102> Tj ET", "šfi\n"),
        ("q 1 0 0 1 10 10 cm /X Do Q BT /F 10 Tf 0 700 Td (Seite) Tj ET", "Form\nSeite\n"),
        ("BT /F 10 Tf 12 TL (a) Tj (b) ' 1 2 (c) \" ET", "a\nb\nc\n"),
    ] {
        let (text, read) = found(page(content, ""));
        assert_eq!((text.as_str(), read), (expected, Ok(())), "{content}");
    }
}

#[test]
fn notes_and_forms_that_were_filled_in() {
    let annotations = "/Annots [<< /Subtype /Text /Contents (Notiz) >> << /Subtype /Widget /AP << /N 9 0 R >> >>]";
    let (text, _) = found(page("", annotations));
    assert_eq!(text, "Notiz\nForm\n");
}

#[test]
fn without_text_and_broken() {
    assert_eq!(found(page("0 0 m 1 1 l S", "")).1, Err(Unread::NoText));
    assert_eq!(found(b"%PDF-1.7\nnothing".to_vec()).1, Err(Unread::Broken));
    let bytes = page("BT /F 10 Tf (ganz) Tj ET", "");
    // Its end is missing, its objects are there.
    let (text, _) = found(bytes[..bytes.len() - 150].to_vec());
    assert_eq!(text, "ganz\n");
    for end in (0..bytes.len()).step_by(7) {
        let _ = found(bytes[..end].to_vec());
        let mut turned = bytes.clone();
        turned[end] ^= 0x55;
        let _ = found(turned);
    }
}

#[test]
fn forms_that_paint_themselves_end() {
    let form = stream("/X Do /X Do BT /F 10 Tf (x) Tj ET").replace("<<", "<< /Type /XObject /Subtype /Form");
    let (text, read) = found(pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R 2 0 R] /Count 1 >>",
        "<< /Type /Page /Contents 4 0 R /Resources << /Font << /F 6 0 R >> /XObject << /X 5 0 R >> >> >>",
        &stream("/X Do"),
        &form,
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]));
    assert!(text.contains('x') && read.is_ok(), "{read:?}");
}
