//! The words in an attachment are found, whatever kind of file it is; and a file that is made to do harm costs its own words alone:
//! its reader is bound, ends in time, and the next file is read all the same.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use archivista::extract::{About, Extracted, Extractor, Parts, Unread};
use archivista::limits::{EXTRACT_FILE, EXTRACT_TEXT, EXTRACT_TIME};
use archivista::mail::Outliner;
use archivista::pulse::Pulse;
use flate2::{Compress, Compression, FlushCompress, Status};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::archivista::{of_status, program};
use crate::support::files::{Entry, OCTETS, TYPES, base64, deflated, docx, mail_with, zip, zip_of};
use crate::support::random::Random;

fn extractor() -> Extractor {
    Extractor::of(program())
}

fn read(extractor: &mut Extractor, name: &str, bytes: &[u8]) -> Extracted {
    extractor.read(&About { media_type: OCTETS, charset: "", name }, &mut &*bytes).unwrap()
}

/// Reads a file that is made to do harm: in time, and a good one after it.
fn survives(extractor: &mut Extractor, name: &str, bytes: &[u8]) -> Extracted {
    let since = Instant::now();
    let found = read(extractor, name, bytes);
    println!("{name}: {:?} after {:?}", found.unread, since.elapsed());
    assert!(since.elapsed() < EXTRACT_TIME + Duration::from_secs(5), "{name}: {:?}", since.elapsed());
    assert!(found.text.len() <= EXTRACT_TEXT);
    let next = read(extractor, "gut.docx", &docx("Zürich"));
    assert_eq!((next.text.as_str(), next.cut, next.unread), ("Zürich\n", false, None), "after {name}");
    found
}

/// What inflates to `begin` and so many times `unit`, raw.
fn bomb(begin: &[u8], unit: &[u8], times: usize) -> Vec<u8> {
    let mut packing = Compress::new(Compression::best(), false);
    let mut block = |bytes: &[u8]| {
        let mut out = Vec::with_capacity(bytes.len() + 1000);
        // A full flush ends in a whole byte and refers to nothing before it.
        assert_eq!(packing.compress_vec(bytes, &mut out, FlushCompress::Full).unwrap(), Status::Ok);
        out
    };
    let (begin, unit) = (block(begin), block(unit));
    [begin, unit.repeat(times), vec![3, 0]].concat()
}

fn xlsx() -> Vec<u8> {
    zip(&[
        TYPES,
        ("xl/workbook.xml", "<workbook><sheets><sheet name=\"Umsätze\" sheetId=\"1\"/></sheets></workbook>"),
        ("xl/sharedStrings.xml", "<sst><si><t>Zürich</t></si><si><t>Genève</t></si></sst>"),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c><v>4711.5</v></c></row></sheetData></worksheet>",
        ),
    ])
}

fn pptx() -> Vec<u8> {
    let slide = |text: &str| format!("<p:sld><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sld>");
    zip(&[
        TYPES,
        ("ppt/presentation.xml", "<p:presentation/>"),
        ("ppt/slides/slide1.xml", &slide("Zürich")),
        ("ppt/notesSlides/notesSlide1.xml", &slide("Bemerkung für später")),
    ])
}

fn odf(kind: &str, body: &str) -> Vec<u8> {
    let content = format!("<office:document-content><office:body>{body}</office:body></office:document-content>");
    zip(&[("mimetype", &format!("application/vnd.oasis.opendocument.{kind}")), ("content.xml", &content)])
}

fn odt() -> Vec<u8> {
    odf("text", "<office:text><text:h>Grüsse</text:h><text:p>aus <text:span>Zürich</text:span></text:p></office:text>")
}

fn ods() -> Vec<u8> {
    odf(
        "spreadsheet",
        "<table:table><table:table-row><table:table-cell office:value=\"1\"><text:p>Zürich</text:p></table:table-cell>\
         <table:table-cell><text:p>47.11</text:p></table:table-cell></table:table-row></table:table>",
    )
}

/// A PDF of these objects; the first is the catalog. `trailer` is what else is said at its end.
fn pdf_of(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let (mut out, mut places) = (b"%PDF-1.7\n".to_vec(), Vec::new());
    for (index, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend([format!("{} 0 obj\n", index + 1).as_bytes(), object, b"\nendobj\n"].concat());
    }
    let xref = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        out.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    out.extend(format!("trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{xref}\n%%EOF\n").bytes());
    out
}

fn stream(dict: &str, bytes: &[u8]) -> Vec<u8> {
    [format!("<< /Length {} {dict} >>\nstream\n", bytes.len()).as_bytes(), bytes, b"\nendstream"].concat()
}

/// One page with this content stream, and two fonts: F by the names of its glyphs, G by a map to Unicode.
fn pdf_page(content: Vec<u8>, trailer: &str) -> Vec<u8> {
    let map = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
        2 beginbfchar <0003> <0020> <0007> <00FC> endbfchar 2 beginbfrange <0010> <0029> <0061> <0030> <0049> <0041> endbfrange endcmap";
    let map = [&[0x78, 0x9c][..], &deflated(map), &[0; 4]].concat();
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R /G 6 0 R >> >> >>".to_vec(),
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+X /Encoding /Identity-H /ToUnicode 7 0 R /DescendantFonts [8 0 R] >>".to_vec(),
        stream("/Filter /FlateDecode", &map),
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+X /DW 500 >>".to_vec(),
    ];
    pdf_of(&objects, trailer)
}

fn pdf() -> Vec<u8> {
    // G: Zürich, letter by letter.
    pdf_page(
        stream("", b"BT /F 12 Tf 50 700 Td (Gr\\374sse) Tj 0 -14 Td /G 12 Tf <0049000700210018> Tj <00120017> Tj ET"),
        "",
    )
}

fn winmail() -> Vec<u8> {
    let attribute = |id: u32, data: &[u8]| {
        [&[1][..], &id.to_le_bytes(), &u32::try_from(data.len()).unwrap().to_le_bytes(), data, &[0, 0]].concat()
    };
    [
        &0x223e_9f78_u32.to_le_bytes()[..],
        &[1, 0],
        &attribute(0x0006_9007, &1252u64.to_le_bytes()),
        &attribute(0x0002_800c, b"Gr\xfcsse aus Z\xfcrich\0"),
        &attribute(0x0006_9002, &[0; 14]),
        &attribute(0x0001_8010, b"liste.xlsx\0"),
        &attribute(0x0006_800f, &xlsx()),
    ]
    .concat()
}

/// One of each kind, what its text is to be.
fn samples() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("a.txt", "Grüsse\r\naus Zürich".into(), "Grüsse\naus Zürich"),
        ("a.html", "<html><script>x</script><p>Gr&uuml;sse<p>aus Zürich".into(), "Grüsse\n\naus Zürich"),
        ("a.pdf", pdf(), "Grüsse\nZürich\n"),
        ("a.docx", docx("Grüsse aus Zürich"), "Grüsse aus Zürich\n"),
        ("a.xlsx", xlsx(), "Umsätze\nZürich\nGenève\n4711.5\n"),
        ("a.pptx", pptx(), "Zürich\nBemerkung für später\n"),
        ("a.odt", odt(), "Grüsse\naus Zürich\n"),
        ("a.ods", ods(), "Zürich\n47.11\n"),
        ("a.zip", zip(&[("Bilder/Zürich.jpg", "x"), ("b.docx", "y")]), "Bilder/Zürich.jpg\nb.docx\n"),
        (
            "a.eml",
            mail_with("b.docx", &docx("Innen")).into_bytes(),
            "Grüsse\nAnna <anna@example.ch>\nBeat <beat@example.ch>\naus Zürich\nb.docx\nInnen\n",
        ),
        ("winmail.dat", winmail(), "Grüsse aus Zürich\nliste.xlsx\nUmsätze\nZürich\nGenève\n4711.5\n"),
    ]
}

#[test]
fn the_words_in_each_kind_of_file() {
    let mut extractor = extractor();
    let mut child = None;
    for (name, bytes, expected) in samples() {
        let found = read(&mut extractor, name, &bytes);
        assert_eq!((found.text.as_str(), found.cut, found.unread), (expected, false, None), "{name}");
        // The name tells nothing where the bytes do.
        if extractor.child().is_some() && !["a.txt", "a.html", "a.eml"].contains(&name) {
            assert_eq!(read(&mut extractor, "x.bin", &bytes), found, "{name}");
        }
        // One child for all.
        child = child.or(extractor.child());
        assert_eq!(child, extractor.child(), "{name}");
    }
    assert!(child.is_some());
    extractor.rest();
    assert!(extractor.child().is_none() && !fs::exists(format!("/proc/{}", child.unwrap())).unwrap());
}

#[test]
fn all_attachments_of_a_mail_in_one_pass() {
    let part = |name: &str, bytes: &[u8]| {
        format!(
            "--b\r\nContent-Type: {OCTETS}; name={name}\r\nContent-Disposition: attachment\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            base64(bytes)
        )
    };
    let parts: String = samples().iter().map(|(name, bytes, _)| part(name, bytes)).collect();
    let mail = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText\r\n{parts}--b--\r\n");
    let outline = Outliner::read(mail.as_bytes());
    let mut extractor = extractor();
    let attachments = outline.bodies().attachments;
    let mut writer = Parts::new(&mut extractor, attachments.iter().map(|number| &outline.parts[*number]));
    mail.as_bytes().chunks(1000).for_each(|piece| writer.write_all(piece).unwrap());
    let found = writer.finish();
    assert_eq!(found.len(), samples().len());
    for ((number, found), (name, _, expected)) in found.iter().zip(samples()) {
        assert_eq!((outline.parts[*number].name.as_str(), found.text.as_str()), (name, expected));
    }
}

#[test]
fn files_with_a_password_say_so() {
    let mut extractor = extractor();
    let secret = "/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f> \
        /U <1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100> >> /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]";
    let content = stream("", b"BT /F 12 Tf (geheim) Tj ET");
    let manifest =
        "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
    let odt = zip(&[("mimetype", "x"), ("content.xml", "y"), ("META-INF/manifest.xml", manifest)]);
    let compound = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0; 1000]].concat();
    let zipped = zip_of(&[Entry("word/document.xml", vec![1; 100], 100, 1)]);
    for (name, bytes) in [
        ("a.pdf", pdf_page(content, secret)),
        ("a.odt", odt),
        ("a.docx", compound),
        ("b.docx", zipped),
        ("a.asc", b"-----BEGIN PGP MESSAGE-----\n\nabc".to_vec()),
    ] {
        let found = read(&mut extractor, name, &bytes);
        assert_eq!((found.text.as_str(), found.unread), ("", Some(Unread::Encrypted)), "{name}");
    }
    // Within a mail the rest is read.
    let found = read(
        &mut extractor,
        "a.eml",
        mail_with("b.docx", &[&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0; 99]].concat()).as_bytes(),
    );
    assert!(found.text.contains("aus Zürich") && found.unread == Some(Unread::Encrypted), "{found:?}");
}

#[test]
fn pdfs_that_are_made_to_do_harm() {
    let mut extractor = extractor();
    // 10 GB of spaces, once, and within themselves.
    let spaces = vec![b' '; 1 << 20];
    let wrapped = |raw: &[u8]| [&[0x78, 0x9c][..], raw].concat();
    let once = wrapped(&bomb(b"BT /F 12 Tf (vorher) Tj ET ", &spaces, 10_000));
    let twice = wrapped(&deflated(&once));
    for (name, content) in [
        ("bombe.pdf", stream("/Filter /FlateDecode", &once)),
        ("zweimal.pdf", stream("/Filter [/FlateDecode /FlateDecode]", &twice)),
    ] {
        let found = survives(&mut extractor, name, &pdf_page(content, ""));
        assert!(matches!(found.unread, Some(Unread::TooLarge | Unread::TooSlow)), "{found:?}");
    }
    // The first page is kept, whatever the second does.
    let font = "/Resources << /Font << /F 6 0 R >> >>";
    let pages = pdf_of(
        &[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>".to_vec(),
            format!("<< /Type /Page /Contents 5 0 R {font} >>").into_bytes(),
            format!("<< /Type /Page /Contents 7 0 R {font} >>").into_bytes(),
            stream("", b"BT /F 12 Tf (Seite eins) Tj ET"),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
            stream("/Filter /FlateDecode", &once),
        ],
        "",
    );
    let found = survives(&mut extractor, "zweite.pdf", &pages);
    assert!(found.text.starts_with("Seite eins") && found.cut && found.unread.is_some(), "{found:?}");
    // Page trees without end, a form and a font map that name themselves.
    let endless = pdf_of(
        &[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 99999 >>".to_vec(),
            b"<< /Type /Pages /Kids [2 0 R 3 0 R << /Type /Pages /Kids [2 0 R 3 0 R] >>] >>".to_vec(),
        ],
        "",
    );
    assert!(survives(&mut extractor, "kreis.pdf", &endless).unread.is_some());
    let form = stream("/Type /XObject /Subtype /Form", &b"/X Do ".repeat(1000));
    let forms = pdf_of(
        &[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [3 0 R] >>".to_vec(),
            b"<< /Type /Page /Contents 4 0 R /Resources << /XObject << /X 4 0 R >> >> >>".to_vec(),
            form,
        ],
        "",
    );
    assert!(survives(&mut extractor, "formen.pdf", &forms).unread.is_some());
    // Brackets in brackets.
    for unit in [&b"["[..], b"<<", b"<</A", b"("] {
        let deep = pdf_page(stream("", &unit.repeat(1_000_000)), "");
        survives(&mut extractor, "tief.pdf", &deep);
        let deep = pdf_of(&[unit.repeat(1_000_000)], "");
        survives(&mut extractor, "tief.pdf", &deep);
    }
    // An object stream, and a table of objects, that are bombs.
    let dict = "/Type /ObjStm /N 100000 /First 10 /Filter /FlateDecode";
    survives(
        &mut extractor,
        "objekte.pdf",
        &[b"%PDF-1.7\n1 0 obj\n", &stream(dict, &once)[..], b"\nendobj\ntrailer << /Root 1 0 R >>"].concat(),
    );
    let table = stream("/Type /XRef /W [1 2 1] /Size 2000000000 /Root 1 0 R /Filter /FlateDecode", &once);
    survives(
        &mut extractor,
        "tabelle.pdf",
        &[b"%PDF-1.7\n1 0 obj\n", &table[..], b"\nendobj\nstartxref\n9\n%%EOF"].concat(),
    );
}

#[test]
fn of_very_many_pages_the_first_are_read() {
    const PAGES: usize = 10_000;
    let mut extractor = extractor();
    let kids = (0..PAGES).map(|page| format!("{} 0 R", 4 + 2 * page)).collect::<Vec<_>>().join(" ");
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {PAGES} >>").into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ];
    for page in 0..PAGES {
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /Contents {} 0 R /Resources << /Font << /F 3 0 R >> >> >>",
                5 + 2 * page
            )
            .into_bytes(),
        );
        objects.push(stream("", format!("BT /F 12 Tf (Seite {page}.) Tj ET").as_bytes()));
    }
    let since = Instant::now();
    let found = survives(&mut extractor, "viele.pdf", &pdf_of(&objects, ""));
    println!("10,000 pages: {:?}", since.elapsed());
    assert!(found.text.starts_with("Seite 0.\nSeite 1.\n") && found.cut && found.unread.is_none());
    assert!(found.text.contains("Seite 1999.") && !found.text.contains("Seite 2000."));
}

#[test]
fn office_files_that_are_made_to_do_harm() {
    let mut extractor = extractor();
    let unit = b"<w:p></w:p>".repeat(100_000);
    let begin = b"<w:document><w:p><w:t>Anfang</w:t></w:p>";
    // 11 GB, whether they are declared or not.
    for size in [u32::MAX, 100] {
        let packed = bomb(begin, &unit, 10_000);
        let found = survives(&mut extractor, "bombe.docx", &zip_of(&[Entry("word/document.xml", packed, size, 0)]));
        assert!(found.text.starts_with("Anfang") && found.cut, "{found:?}");
        assert_eq!(found.unread, Some(Unread::TooLarge));
    }
    // One word without end, one tag without end, and words without end.
    let word = bomb(b"<w:p><w:t>Anfang</w:t></w:p><w:t>", &vec![b'x'; 1 << 20], 10_000);
    let found = survives(&mut extractor, "wort.docx", &zip_of(&[Entry("word/document.xml", word, 5, 0)]));
    assert!(found.text.starts_with("Anfang") && found.unread.is_some(), "{:?}", found.unread);
    let tag = bomb(b"<w:p><w:t>Anfang</w:t></w:p><w:t a='", &vec![b'x'; 1 << 20], 10_000);
    let found = survives(&mut extractor, "tag.docx", &zip_of(&[Entry("word/document.xml", tag, 5, 0)]));
    assert!(found.text.starts_with("Anfang") && found.unread.is_some(), "{:?}", found.unread);
    let words = bomb(b"<w:p>", &b"<w:t>Wort </w:t>".repeat(60_000), 10_000);
    let found = survives(&mut extractor, "worte.docx", &zip_of(&[Entry("word/document.xml", words, 5, 0)]));
    assert!(found.text.len() > EXTRACT_TEXT - 10 && found.cut && found.unread.is_none());
    // Many entries that are the same bytes.
    let packed = bomb(begin, &unit, 25);
    let many: Vec<String> = (0..1000).map(|number| format!("word/header{number}.xml")).collect();
    let entries: Vec<Entry<'_>> = many.iter().map(|name| Entry(name, packed.clone(), 5, 0)).collect();
    let found = survives(&mut extractor, "viele.docx", &zip_of(&entries));
    assert!(found.cut);
    let deep = format!("<w:p><w:t>Anfang</w:t>{}", "<w:p>".repeat(2_000_000));
    let found = survives(&mut extractor, "tief.docx", &zip(&[("word/document.xml", &deep)]));
    assert!(found.text.starts_with("Anfang"));
}

#[test]
fn entities_of_xml_stand_for_nothing() {
    let mut extractor = extractor();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("geheim");
    fs::write(&secret, "Geheimnis").unwrap();
    let laughs = |level: usize| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10));
    let laughs = (1..10).map(laughs).collect::<Vec<_>>().concat();
    let outside = secret.display();
    let xml = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE x SYSTEM \"file://{outside}\" [<!ENTITY l0 \"Lachen\">{laughs}\
         <!ENTITY f SYSTEM \"file://{outside}\"><!ENTITY % p SYSTEM \"file://{outside}\"> %p;]>\
         <w:document><w:p><w:t>vor&l9;&f;&amp;nach</w:t></w:p></w:document>"
    );
    let found = survives(&mut extractor, "lachen.docx", &zip(&[("word/document.xml", &xml)]));
    assert_eq!((found.text.as_str(), found.unread), ("vor&nach\n", None));
}

#[test]
fn nesting_without_end() {
    let mut extractor = extractor();
    let mut inner = b"x".to_vec();
    for level in 0..50 {
        inner = zip_of(&[Entry(&format!("stufe{level}.zip"), deflated(&inner), 5, 0)]);
    }
    let found = survives(&mut extractor, "stufen.zip", &inner);
    assert_eq!((found.text.as_str(), found.unread), ("stufe49.zip\n", None));
    // Messages in messages: as they are, and each packed as a file of the one around it.
    let straight = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    assert_eq!(survives(&mut extractor, "gerade.eml", straight.as_bytes()).unread, Some(Unread::TooDeep));
    let mut packed = "Subject: innen\r\n\r\ntief".to_string();
    for _ in 0..12 {
        packed = mail_with("innen.eml", packed.as_bytes());
    }
    let found = survives(&mut extractor, "gepackt.eml", packed.as_bytes());
    assert!(found.unread == Some(Unread::TooDeep) && !found.text.contains("tief"), "{found:?}");
    // A bomb in a mail costs what comes after it.
    let bomb = bomb(b" ", &vec![b' '; 1 << 20], 10_000);
    let content = stream("/Filter /FlateDecode", &[&[0x78, 0x9c][..], &bomb].concat());
    let found = survives(&mut extractor, "mail.eml", mail_with("b.pdf", &pdf_page(content, "")).as_bytes());
    assert!(found.text.contains("aus Zürich\nb.pdf") && found.cut && found.unread.is_some(), "{found:?}");
    let parts = format!(
        "Content-Type: multipart/mixed; boundary=A\r\n\r\n{}",
        "--A\r\nContent-Type: message/rfc822\r\n\r\n".repeat(50_000)
    );
    survives(&mut extractor, "teile.eml", parts.as_bytes());
}

#[test]
fn cut_and_random_bytes_of_every_kind() {
    let mut extractor = extractor();
    let mut random = Random::seeded(7);
    let mut children = std::collections::HashSet::new();
    let mut count = 0;
    for (name, bytes, _) in samples() {
        let mut hostile: Vec<Vec<u8>> = Vec::new();
        for step in 0..40 {
            hostile.push(bytes[..bytes.len() * step / 40].to_vec());
            let mut turned = bytes.clone();
            for _ in 0..=step {
                let at = random.index(bytes.len());
                turned[at] = random.bytes(1)[0];
            }
            hostile.push(turned);
            let mut noise = random.bytes(2000);
            let kept = bytes.len().min(8);
            noise[..kept].copy_from_slice(&bytes[..kept]);
            hostile.push(noise);
        }
        for bytes in hostile {
            let since = Instant::now();
            let found = read(&mut extractor, name, &bytes);
            assert!(since.elapsed() < Duration::from_secs(10), "{name}");
            assert!(!matches!(found.unread, Some(Unread::NotTried | Unread::TooSlow)), "{name}: {found:?}");
            children.extend(extractor.child());
            count += 1;
        }
        let next = read(&mut extractor, "gut.docx", &docx("Zürich"));
        assert_eq!((next.text.as_str(), next.unread), ("Zürich\n", None), "after {name}");
    }
    println!("{count} files, {} children", children.len());
}

#[test]
fn the_child_is_bound_and_its_end_costs_one_file() {
    let mut extractor = extractor();
    assert_eq!(read(&mut extractor, "a.pdf", &pdf()).unread, None);
    let child = extractor.child().unwrap();
    let limits = fs::read_to_string(format!("/proc/{child}/limits")).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().to_string()
    };
    assert_eq!(
        [limit("Max open files"), limit("Max file size"), limit("Max core file size"), limit("Max processes")],
        ["3", "0", "0", "0"]
    );
    let memory: u64 = limit("Max address space").parse().unwrap();
    println!(
        "address space: {} MiB, of which mapped at rest: {} MiB, resident: {} MiB",
        memory >> 20,
        of_status(child, "VmSize") >> 10,
        of_status(child, "VmRSS") >> 10
    );
    assert!(limit("Max cpu time").parse::<u64>().unwrap() < 60);
    assert_eq!(fs::read(format!("/proc/{child}/environ")).unwrap(), b"");
    assert_eq!(fs::read_dir(format!("/proc/{child}/fd")).unwrap().count(), 3);
    // Ended in the middle of a file.
    for (signal, expected) in
        [(Signal::SIGKILL, Unread::TooLarge), (Signal::SIGXCPU, Unread::TooSlow), (Signal::SIGILL, Unread::Crashed)]
    {
        read(&mut extractor, "a.pdf", &pdf());
        let child = i32::try_from(extractor.child().unwrap()).unwrap();
        let mut job = extractor.begin(&About { media_type: OCTETS, charset: "", name: "" });
        job.write_all(&pdf()).unwrap();
        job.write_all(&[b' '; 10_000]).unwrap();
        kill(Pid::from_raw(child), signal).unwrap();
        job.write_all(&vec![b' '; 200_000]).unwrap();
        assert_eq!(job.finish().unread, Some(expected));
        assert_eq!(read(&mut extractor, "a.pdf", &pdf()).text, "Grüsse\nZürich\n");
    }
    // Ended between two files: no file's fault.
    let child = i32::try_from(extractor.child().unwrap()).unwrap();
    kill(Pid::from_raw(child), Signal::SIGKILL).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(read(&mut extractor, "a.pdf", &pdf()).text, "Grüsse\nZürich\n");
    // A job that is given up costs nothing but its child.
    let mut job = extractor.begin(&About { media_type: OCTETS, charset: "", name: "" });
    job.write_all(&[&pdf()[..], &[b' '; 10_000]].concat()).unwrap();
    drop(job);
    assert_eq!(read(&mut extractor, "a.pdf", &pdf()).text, "Grüsse\nZürich\n");
}

#[test]
fn a_child_that_was_taken_over_gets_nowhere() {
    // More than any socket holds, so that the parent waits while it writes.
    const MUCH: usize = 4 << 20;
    let folder = tempfile::tempdir().unwrap();
    let frame = folder.path().join("frame");
    fs::write(&frame, [&65_536u32.to_le_bytes()[..], &vec![b'x'; 65_536]].concat()).unwrap();
    for (name, does, size, expected) in [
        ("nonsense", "exec yes".to_string(), 0, Unread::Crashed),
        ("endless", format!("while :; do cat {} || exit; done", frame.display()), 0, Unread::Crashed),
        ("silent", "exec sleep 1000".to_string(), MUCH, Unread::TooSlow),
    ] {
        let program = folder.path().join(name);
        fs::write(&program, format!("#!/bin/sh\nprintf R\n{does}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let since = Instant::now();
        let bytes = [&b"%PDF-1.7"[..], &vec![b' '; size]].concat();
        let found = read(&mut Extractor::of(&program), "a.pdf", &bytes);
        assert_eq!(found.unread, Some(expected), "{name}");
        assert!(found.text.len() <= EXTRACT_TEXT && since.elapsed() < EXTRACT_TIME + Duration::from_secs(5), "{name}");
    }
}

#[test]
fn the_parent_needs_no_memory() {
    let mut extractor = extractor();
    let me = std::process::id();
    read(&mut extractor, "a.pdf", &pdf());
    let before = of_status(me, "VmHWM");
    let endless = |begin: &'static [u8]| begin.chain(io::repeat(b'x').take(1 << 30));
    for (begin, name, expected) in [
        (&b"Text"[..], "a.txt", None),
        (b"%PDF-1.7", "a.pdf", Some(Unread::TooLarge)),
        (b"PK\x03\x04", "a.docx", Some(Unread::TooLarge)),
        (b"Subject: a\r\n\r\n", "a.eml", Some(Unread::TooLarge)),
        (b"\x89PNG\0", "a.png", Some(Unread::Kind)),
    ] {
        let about = About { media_type: OCTETS, charset: "", name };
        let found = extractor.read(&about, &mut endless(begin)).unwrap();
        assert_eq!(found.unread, expected, "{name}");
        assert!(found.cut || !["a.txt", "a.eml"].contains(&name), "{name}");
    }
    let given = of_status(me, "VmHWM");
    println!("parent: {} KiB more for 5 GiB", given - before);
    assert!(given < before + 16 * 1024, "{before} KiB, then {given} KiB");
    // The longest that is taken is read.
    let mut longest = pdf();
    longest.resize(usize::try_from(EXTRACT_FILE).unwrap(), b' ');
    assert_eq!(read(&mut extractor, "a.pdf", &longest).text, "Grüsse\nZürich\n");
}

#[test]
fn many_slow_files_of_one_mail_are_bound_together() {
    let mut extractor = extractor();
    let pulse = Pulse::new();
    // Nothing is left for the first one.
    extractor.bound(&pulse, Duration::ZERO);
    assert_eq!(read(&mut extractor, "a.docx", &docx("Zürich")).unread, Some(Unread::TooSlow));
    extractor.bound(&pulse, EXTRACT_TIME);
    assert_eq!(read(&mut extractor, "a.docx", &docx("Zürich")).text, "Zürich\n");
    // Nor for one that was told to stop.
    pulse.cancel();
    assert_eq!(read(&mut extractor, "a.docx", &docx("Zürich")).unread, Some(Unread::TooSlow));
    extractor.bound(&Pulse::new(), EXTRACT_TIME);
    assert_eq!(read(&mut extractor, "a.docx", &docx("Zürich")).text, "Zürich\n");
}
