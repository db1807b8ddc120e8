//! Office files: ZIP files of XML (ECMA-376, `OpenDocument`). Of any other ZIP file the names of what is in it.
//!
//! The XML is read as a sequence of tags and texts. Nothing of a DTD is read: an entity that is not one of XML's own five stands for
//! nothing, and nothing outside is ever looked at.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::Unread;
use super::text::Text;
use super::zip::{Directory, Entry, Inflated};
use crate::limits::EXTRACT_INFLATED;

/// What the tags of a file mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// Texts and presentations: text stands in `t`, paragraphs are `p`.
    Office,
    /// The table of strings of a workbook.
    Strings,
    /// A sheet: numbers and strings of its own.
    Sheet,
    /// The names of sheets.
    Workbook,
    OpenDocument,
    /// Title, subject, keywords: all text.
    Properties,
}

/// Reads an office file, or the names in another ZIP file.
pub(super) fn read(bytes: &[u8], text: &mut Text<'_>) -> Result<(), Unread> {
    let directory = Directory::read(bytes)?;
    let mut wanted = wanted(&directory);
    if wanted.is_empty() {
        if is_office(&directory) {
            return Err(Unread::Kind);
        }
        for entry in &directory.entries {
            text.push(&entry.name);
            text.line();
        }
        if directory.cut {
            text.cut();
        }
        return Ok(());
    }
    if is_sealed(&directory) {
        return Err(Unread::Encrypted);
    }
    wanted.sort_by_key(|(order, _, entry)| (*order, number(&entry.name), &entry.name));
    let mut budget = EXTRACT_INFLATED;
    let mut unread = Ok(());
    for (_, dialect, entry) in wanted {
        if text.is_full() || budget == 0 {
            text.cut();
            break;
        }
        let read = directory.open(entry, budget).and_then(|xml| part(xml, dialect, &mut budget, text));
        unread = unread.and(read);
        text.line();
        text.hand_on();
    }
    unread
}

/// The files within that have text: their order, what their tags mean.
fn wanted<'a>(directory: &'a Directory<'_>) -> Vec<(u8, Dialect, &'a Entry)> {
    let is_open_document = directory.find("content.xml").is_some() && directory.find("mimetype").is_some();
    let one = |entry: &'a Entry| {
        let name = entry.name.as_str();
        let (order, dialect) = match name.rsplit_once('/') {
            None if is_open_document => match name {
                "meta.xml" => (0, Dialect::Properties),
                "content.xml" => (1, Dialect::OpenDocument),
                // Heads and feet of pages.
                "styles.xml" => (2, Dialect::OpenDocument),
                _ => return None,
            },
            Some((folder, file)) => {
                let file = file.strip_suffix(".xml")?;
                let stem = file.trim_end_matches(|char: char| char.is_ascii_digit());
                match (folder, stem) {
                    ("docProps", "core") => (0, Dialect::Properties),
                    ("word", "document") | ("ppt/slides", "slide") => (1, Dialect::Office),
                    ("word", "header" | "footer" | "footnotes" | "endnotes" | "comments")
                    | ("ppt/notesSlides", "notesSlide")
                    | ("ppt/comments" | "xl/threadedComments", _)
                    | ("xl", "comments")
                    | ("xl/drawings", "drawing") => (3, Dialect::Office),
                    ("xl", "workbook") => (1, Dialect::Workbook),
                    ("xl", "sharedStrings") => (2, Dialect::Strings),
                    ("xl/worksheets", "sheet") => (4, Dialect::Sheet),
                    _ => return None,
                }
            }
            None => return None,
        };
        Some((order, dialect, entry))
    };
    let found: Vec<_> = directory.entries.iter().filter_map(one).collect();
    // Properties alone make no office file.
    if found.iter().any(|(order, ..)| *order > 0) { found } else { Vec::new() }
}

/// Whether it is an office file all the same, of a kind that is not read.
fn is_office(directory: &Directory<'_>) -> bool {
    directory.find("[Content_Types].xml").is_some()
}

/// Whether an `OpenDocument` has a password: its manifest says how it is encrypted.
fn is_sealed(directory: &Directory<'_>) -> bool {
    let Some(entry) = directory.find("META-INF/manifest.xml") else { return false };
    let Ok(xml) = directory.open(entry, EXTRACT_INFLATED) else { return true };
    let (mut reader, mut buffer) = (Reader::from_reader(xml), Vec::new());
    loop {
        buffer.clear();
        reader.get_mut().begin_token();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(tag) | Event::Empty(tag)) if tag.local_name().as_ref() == "encryption-data" => return true,
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// The number at the end of a name, so that slide 10 comes after slide 9.
fn number(name: &str) -> u64 {
    let stem = name.strip_suffix(".xml").unwrap_or(name);
    let digits = stem.len() - stem.trim_end_matches(|char: char| char.is_ascii_digit()).len();
    stem[stem.len() - digits..].parse().unwrap_or(0)
}

/// One file within; what it takes is taken from `budget`.
fn part(xml: Inflated<'_>, dialect: Dialect, budget: &mut u64, text: &mut Text<'_>) -> Result<(), Unread> {
    let mut reader = Reader::from_reader(xml);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut walk = Walk { dialect, takes: 0, skips: 0, is_value: false };
    let mut buffer = Vec::new();
    let ended = loop {
        buffer.clear();
        reader.get_mut().begin_token();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => break Ok(()),
            Ok(event) => walk.event(&event, text),
            Err(_) => break Err(Unread::Broken),
        }
        if text.is_full() {
            break Ok(());
        }
    };
    let xml = reader.get_ref();
    *budget = budget.saturating_sub(xml.taken());
    if xml.is_cut() {
        text.cut();
        return Err(Unread::TooLarge);
    }
    ended
}

struct Walk {
    dialect: Dialect,
    /// Elements around this place whose text is taken, and those whose text is not.
    takes: usize,
    skips: usize,
    /// Whether the cell of a sheet holds its value itself.
    is_value: bool,
}

impl Walk {
    fn event(&mut self, event: &Event<'_>, text: &mut Text<'_>) {
        match event {
            Event::Start(tag) => self.start(tag, text),
            Event::Empty(tag) => {
                self.start(tag, text);
                self.end(tag.local_name().as_ref(), text);
            }
            Event::End(tag) => self.end(tag.local_name().as_ref(), text),
            _ if self.takes == 0 || self.skips > 0 => {}
            Event::Text(piece) => text.push(&piece.xml10_content()),
            Event::CData(piece) => text.push(&piece.xml10_content()),
            Event::GeneralRef(reference) => text.push(&resolve(reference)),
            _ => {}
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>, text: &mut Text<'_>) {
        let local = tag.local_name();
        let name = local.as_ref();
        self.takes += usize::from(self.is_taken(name));
        self.skips += usize::from(self.is_skipped(name));
        if self.skips > 0 {
            return;
        }
        match (self.dialect, name) {
            (Dialect::Sheet, "c") => {
                let kind = attribute(tag, "t");
                self.is_value = !matches!(kind.as_deref(), Some("s" | "b" | "e"));
                text.space();
            }
            (Dialect::Workbook, "sheet") => {
                text.push(&attribute(tag, "name").unwrap_or_default());
                text.line();
            }
            (Dialect::Office, "tab") | (Dialect::OpenDocument, "tab" | "s") => text.space(),
            // A paragraph may stand within a cell or a text box of another.
            (Dialect::Office, "p" | "br" | "cr") | (Dialect::OpenDocument, "p" | "h" | "line-break") => text.line(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str, text: &mut Text<'_>) {
        self.takes = self.takes.saturating_sub(usize::from(self.is_taken(name)));
        self.skips = self.skips.saturating_sub(usize::from(self.is_skipped(name)));
        match (self.dialect, name) {
            (Dialect::Office, "p" | "text")
            | (Dialect::OpenDocument, "p" | "h")
            | (Dialect::Strings, "si")
            | (Dialect::Sheet, "row")
            | (Dialect::Properties, _) => text.line(),
            (Dialect::OpenDocument, "table-cell") => text.space(),
            _ => {}
        }
    }

    fn is_taken(&self, name: &str) -> bool {
        match self.dialect {
            // `text` is a comment in a presentation and in a thread.
            Dialect::Office => matches!(name, "t" | "text"),
            Dialect::Strings => name == "t",
            Dialect::Sheet => name == "t" || (name == "v" && self.is_value),
            Dialect::Workbook => false,
            Dialect::OpenDocument => matches!(name, "p" | "h"),
            Dialect::Properties => matches!(name, "title" | "subject" | "description" | "keywords" | "keyword"),
        }
    }

    fn is_skipped(&self, name: &str) -> bool {
        match self.dialect {
            // The same again for older programs; how a word is spoken; what was deleted.
            Dialect::Office => matches!(name, "Fallback" | "rPh"),
            Dialect::Strings => name == "rPh",
            Dialect::OpenDocument => matches!(name, "tracked-changes" | "ruby-text"),
            Dialect::Sheet | Dialect::Workbook | Dialect::Properties => false,
        }
    }
}

/// What a reference stands for: a character by its number, or one of XML's own five. All others stand for nothing.
fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(char)) = reference.resolve_char_ref() {
        return char.to_string();
    }
    quick_xml::escape::resolve_xml_entity(reference.as_ref()).unwrap_or_default().to_string()
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().with_checks(false).flatten().find(|found| found.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::super::zip::tests::zip;
    use super::*;

    fn found(entries: &[(&str, &[u8])]) -> (String, Result<(), Unread>) {
        let mut text = Text::held(10_000);
        let read = read(&zip(entries), &mut text);
        (text.finish().0, read)
    }

    #[test]
    fn a_document() {
        let document = "<w:document><w:body><w:p><w:r><w:t>Gr&#xFC;sse &amp; </w:t></w:r><w:r><w:t>K&#252;sse</w:t><w:tab/>\
            <w:t>x</w:t><w:instrText>PAGE</w:instrText></w:r></w:p><w:p><mc:AlternateContent><mc:Choice><w:t>einmal</w:t></mc:Choice>\
            <mc:Fallback><w:t>zweimal</w:t></mc:Fallback></mc:AlternateContent></w:p></w:body></w:document>";
        let (text, read) = found(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("word/footer1.xml", b"<w:ftr><w:p><w:t>Fuss</w:t></w:p></w:ftr>"),
            ("word/document.xml", document.as_bytes()),
            ("word/styles.xml", b"<w:t>no</w:t>"),
            (
                "docProps/core.xml",
                b"<cp:coreProperties><dc:title>Titel</dc:title><dc:creator>x</dc:creator></cp:coreProperties>",
            ),
        ]);
        assert_eq!((text.as_str(), read), ("Titel\nGrüsse & Küsse x\neinmal\nFuss\n", Ok(())));
    }

    #[test]
    fn a_workbook_and_a_presentation() {
        let (text, read) = found(&[
            ("xl/workbook.xml", b"<workbook><sheets><sheet name=\"Ums&#228;tze\"/></sheets></workbook>"),
            (
                "xl/sharedStrings.xml",
                "<sst><si><t>Zürich</t></si><si><r><t>Gen</t></r><r><t>f</t></r></si></sst>".as_bytes(),
            ),
            (
                "xl/worksheets/sheet1.xml",
                b"<sheetData><row><c t=\"s\"><v>0</v></c><c><v>47.5</v></c><c t=\"inlineStr\"><is><t>da</t></is></c></row></sheetData>",
            ),
        ]);
        assert_eq!((text.as_str(), read), ("Umsätze\nZürich\nGenf\n47.5 da\n", Ok(())));
        let slide = |word: &str| format!("<p:sld><a:p><a:r><a:t>{word}</a:t></a:r></a:p></p:sld>");
        let (text, _) = found(&[
            ("ppt/slides/slide10.xml", slide("zehn").as_bytes()),
            ("ppt/slides/slide9.xml", slide("neun").as_bytes()),
        ]);
        assert_eq!(text, "neun\nzehn\n");
    }

    #[test]
    fn open_documents() {
        let content = "<office:text><text:h>Titel</text:h><text:p>Gr<text:span>üsse</text:span><text:s/>an<text:tab/>alle</text:p></office:text>";
        let (text, read) =
            found(&[("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", content.as_bytes())]);
        assert_eq!((text.as_str(), read), ("Titel\nGrüsse an alle\n", Ok(())));
        let sealed: &[u8] = b"<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
        let (text, read) =
            found(&[("mimetype", b"x"), ("content.xml", b"\x01\x02"), ("META-INF/manifest.xml", sealed)]);
        assert_eq!((text.as_str(), read), ("", Err(Unread::Encrypted)));
    }

    #[test]
    fn other_archives_by_their_names_alone() {
        let (text, read) = found(&[("Bilder/Säntis.jpg", b"x"), ("a.docx", b"y")]);
        assert_eq!((text.as_str(), read), ("Bilder/Säntis.jpg\na.docx\n", Ok(())));
        assert_eq!(found(&[("[Content_Types].xml", b""), ("xl/workbook.bin", b"")]).1, Err(Unread::Kind));
    }

    #[test]
    fn entities_stand_for_nothing() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>\
            <w:p><w:t>vor &b;&c; nach</w:t></w:p>";
        let (text, _) = found(&[("word/document.xml", bomb.as_bytes())]);
        assert_eq!(text, "vor  nach\n");
        let (text, read) = found(&[("word/document.xml", b"<w:p><w:t>bis hier</w:t><w:p <<<")]);
        assert_eq!((text.trim(), read.is_err()), ("bis hier", true));
    }
}
