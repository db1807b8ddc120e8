//! Lines of a server other than FETCH responses (RFC 9051, 7): a function from bytes to values.

use super::fetch_line::split_quoted;
use crate::source::error::words;

/// Capabilities that are remembered; servers name some dozens.
const MOST_CAPABILITIES: usize = 500;

/// How a server judges a command, or the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// `OK [CODE arguments] words`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub verdict: Verdict,
    /// What stands in brackets, in upper case up to its arguments: `COPYUID 7 1:2 3:4`.
    pub code: String,
    /// The words for people, with the code, as one bounded line.
    pub said: String,
}

impl Status {
    /// Whether the code is `name`.
    pub fn has_code(&self, name: &str) -> bool {
        self.code.split(' ').next() == Some(name)
    }

    /// The arguments of the code, if it is `name`.
    pub fn arguments(&self, name: &str) -> Option<&str> {
        self.code.strip_prefix(name)?.strip_prefix(' ')
    }
}

/// A row of LIST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `\Noselect`, `\Sent` …, in lower case.
    pub attributes: Vec<String>,
    pub separator: Option<char>,
    /// As the server writes it; bytes that are not UTF-8 are read as Latin-1.
    pub name: String,
}

/// One line, or one response with its literals written as quoted strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// `a1 OK …`
    Tagged(String, Status),
    /// `+ …`: the text that follows.
    Continue(String),
    /// `* OK …`
    Untagged(Status),
    Exists(u32),
    Capabilities(Vec<String>),
    Row(Row),
    /// NAMESPACE (RFC 2342): what the names of one's own folders begin with.
    Prefix(String),
    /// An untagged line that says nothing to us, or an empty one.
    Unknown,
    /// Neither tagged nor untagged: the two sides no longer agree where lines begin.
    Garbage,
}

/// Reads a line without its line end.
pub fn parse(line: &[u8]) -> Line {
    let line = line.trim_ascii_end();
    if line.is_empty() {
        return Line::Unknown;
    }
    if let Some(text) = line.strip_prefix(b"+") {
        return Line::Continue(String::from_utf8_lossy(text.trim_ascii()).into_owned());
    }
    let (tag, rest) = word(line);
    if tag == b"*" {
        return untagged(rest);
    }
    let name = tag.iter().all(u8::is_ascii_alphanumeric) && tag.len() <= 20;
    match (name, status(rest)) {
        (true, Some(status)) if matches!(status.verdict, Verdict::Ok | Verdict::No | Verdict::Bad) => {
            Line::Tagged(String::from_utf8_lossy(tag).into_owned(), status)
        }
        _ => Line::Garbage,
    }
}

/// Whether what follows `* ` is the beginning of a status response: its text may look like anything.
pub fn is_status(line: &[u8]) -> bool {
    line.strip_prefix(b"* ").is_some_and(|rest| verdict(word(rest).0).is_some())
}

/// What follows `* 12 FETCH `, if the line begins a FETCH response.
pub fn fetch(line: &[u8]) -> Option<&[u8]> {
    let (number, rest) = word(line.strip_prefix(b"* ")?);
    let (name, _) = rest.split_at_checked(5)?;
    let is_fetch = !number.is_empty() && number.iter().all(u8::is_ascii_digit) && name.eq_ignore_ascii_case(b"FETCH");
    rest.get(5..).filter(|rest| is_fetch && matches!(rest.first(), Some(b' ' | b'(')))
}

/// The announcement of a literal at the end of a line (RFC 9051, 4.3; RFC 7888; RFC 3516): where it begins, and the
/// literal's length.
pub fn literal(line: &[u8]) -> Option<(usize, u64)> {
    let inner = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inner)?;
    let digits = inner.get(open + 1..)?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // A number that is too large for 64 bits is too large for everything.
    let len = std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX);
    let before = line.get(..open)?;
    Some((before.strip_suffix(b"~").unwrap_or(before).len(), len))
}

/// Splits the first word off, and the space behind it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.strip_prefix(b" ").unwrap_or(rest))
}

fn verdict(word: &[u8]) -> Option<Verdict> {
    [
        ("OK", Verdict::Ok),
        ("NO", Verdict::No),
        ("BAD", Verdict::Bad),
        ("BYE", Verdict::Bye),
        ("PREAUTH", Verdict::PreAuth),
    ]
    .into_iter()
    .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
    .map(|(_, verdict)| verdict)
}

fn status(text: &[u8]) -> Option<Status> {
    let (name, text) = word(text);
    let verdict = verdict(name)?;
    let text = text.trim_ascii();
    let code = text.strip_prefix(b"[").and_then(|text| Some(text.split_at(memchr::memchr(b']', text)?).0));
    let mut code = String::from_utf8_lossy(code.unwrap_or_default()).into_owned();
    let end = code.find(' ').unwrap_or(code.len());
    if let Some(name) = code.get_mut(..end) {
        name.make_ascii_uppercase();
    }
    Some(Status { verdict, code, said: words(text) })
}

fn untagged(rest: &[u8]) -> Line {
    if let Some(status) = status(rest) {
        return Line::Untagged(status);
    }
    let (first, rest) = word(rest);
    if first.eq_ignore_ascii_case(b"CAPABILITY") {
        return Line::Capabilities(capabilities(&String::from_utf8_lossy(rest)));
    }
    if first.eq_ignore_ascii_case(b"LIST") {
        return row(rest).map_or(Line::Unknown, Line::Row);
    }
    if first.eq_ignore_ascii_case(b"NAMESPACE") {
        return prefix(rest).map_or(Line::Unknown, Line::Prefix);
    }
    let number = std::str::from_utf8(first).ok().and_then(|number| number.parse().ok());
    match number {
        Some(number) if rest.trim_ascii().eq_ignore_ascii_case(b"EXISTS") => Line::Exists(number),
        _ => Line::Unknown,
    }
}

/// The names of a capability line, in upper case.
pub fn capabilities(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().take(MOST_CAPABILITIES).map(str::to_ascii_uppercase).collect()
}

/// `(("INBOX." ".")) NIL NIL`: the first prefix of the personal namespace.
fn prefix(text: &[u8]) -> Option<String> {
    let text = text.trim_ascii_start().strip_prefix(b"(")?.trim_ascii_start().strip_prefix(b"(")?;
    string(text)?.0.map(readable)
}

/// `(\HasNoChildren \Sent) "/" "Sent Items"`
fn row(text: &[u8]) -> Option<Row> {
    let text = text.trim_ascii_start();
    let (attributes, text) = match text.strip_prefix(b"(") {
        Some(text) => text.split_at_checked(memchr::memchr(b')', text)?)?,
        // NIL is no list, and some write it where there are none.
        None => (&[][..], text.split_at_checked(3).filter(|(nil, _)| nil.eq_ignore_ascii_case(b"NIL"))?.1),
    };
    let attributes = String::from_utf8_lossy(attributes).to_ascii_lowercase();
    let (separator, text) = string(text.strip_prefix(b")").unwrap_or(text))?;
    let (name, _) = string(text)?;
    let name = name?;
    Some(Row {
        attributes: attributes.split_ascii_whitespace().map(str::to_owned).collect(),
        separator: separator.and_then(|separator| readable(separator).chars().next()),
        name: readable(name),
    })
}

fn readable(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

/// Splits a quoted string, an atom or NIL off.
fn string(text: &[u8]) -> Option<(Option<Vec<u8>>, &[u8])> {
    let text = text.trim_ascii_start();
    if let Some(inside) = text.strip_prefix(b"\"") {
        let (value, rest) = split_quoted(inside)?;
        return Some((Some(value), rest));
    }
    let (atom, rest) = word(text);
    if atom.is_empty() {
        return None;
    }
    Some(((!atom.eq_ignore_ascii_case(b"NIL")).then(|| atom.to_vec()), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status(verdict: Verdict, code: &str, said: &str) -> Status {
        Status { verdict, code: code.to_owned(), said: said.to_owned() }
    }

    #[test]
    fn lines() {
        use Line::{Capabilities, Continue, Exists, Garbage, Tagged, Unknown, Untagged};
        for (line, want) in [
            (&b"a1 OK done"[..], Tagged("a1".into(), status(Verdict::Ok, "", "done"))),
            (b"a1 OK", Tagged("a1".into(), status(Verdict::Ok, "", ""))),
            (
                b"a1 no [TryCreate] Gr\xfc",
                Tagged("a1".into(), status(Verdict::No, "TRYCREATE", "[TryCreate] Gr\u{fc}")),
            ),
            (b"* NO [ALERT] disk", Untagged(status(Verdict::No, "ALERT", "[ALERT] disk"))),
            (b"* OK [UIDNEXT 5] x", Untagged(status(Verdict::Ok, "UIDNEXT 5", "[UIDNEXT 5] x"))),
            (b"* OK [UIDNEXT 5", Untagged(status(Verdict::Ok, "", "[UIDNEXT 5"))),
            (b"* BYE", Untagged(status(Verdict::Bye, "", ""))),
            (b"* 12 EXISTS", Exists(12)),
            (b"* 12 exists ", Exists(12)),
            (b"* 99999999999 EXISTS", Unknown),
            (b"* CAPABILITY IMAP4rev1  Move", Capabilities(vec!["IMAP4REV1".into(), "MOVE".into()])),
            (b"* XFOO bar", Unknown),
            (b"* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL", Line::Prefix("INBOX.".into())),
            (b"* NAMESPACE ((\"\" \"/\")) NIL NIL", Line::Prefix(String::new())),
            (b"* NAMESPACE NIL NIL NIL", Unknown),
            (b"", Unknown),
            (b"+", Continue(String::new())),
            (b"+ eyJ9", Continue("eyJ9".into())),
            (b"a1", Garbage),
            (b"a1 BYE", Garbage),
            (b"def)", Garbage),
            (b"Subject: OK", Garbage),
        ] {
            assert_eq!(parse(line), want, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn rows() {
        for (line, separator, name) in [
            (&br#"* LIST (\HasNoChildren) "/" INBOX"#[..], Some('/'), "INBOX"),
            (br#"* LIST () "\\" "a\"b\\c""#, Some('\\'), r#"a"b\c"#),
            (br#"* list (\Noselect)  NIL "x y""#, None, "x y"),
            (br#"* LIST () "" INBOX"#, None, "INBOX"),
            (b"* LIST () \".\" \"Gr\xfc\"", Some('.'), "Gr\u{fc}"),
            (b"* LIST NIL NIL x", None, "x"),
            (b"* LIST () \".\" \"\xc3\xbc\" (CHILDINFO (\"a\"))", Some('.'), "\u{fc}"),
        ] {
            let Line::Row(row) = parse(line) else { panic!("{}", line.escape_ascii()) };
            assert_eq!((row.separator, row.name.as_str()), (separator, name));
        }
        for line in ["* LIST", "* LIST (", "* LIST ()", "* LIST () \"/\"", "* LIST () \"/\" NIL", "* LIST () \"/\" \"a"]
        {
            assert_eq!(parse(line.as_bytes()), Line::Unknown, "{line}");
        }
    }

    #[test]
    fn literals_and_fetches() {
        for (line, want) in [
            ("BODY[] {12}", Some((7, 12))),
            ("BODY[] {12+}", Some((7, 12))),
            ("BODY[] ~{12}", Some((7, 12))),
            ("{99999999999999999999999}", Some((0, u64::MAX))),
            ("{}", None),
            ("{-1}", None),
            ("12}", None),
            ("{12} ", None),
        ] {
            assert_eq!(literal(line.as_bytes()), want, "{line}");
        }
        for (line, want) in [
            ("* 12 FETCH (UID 1)", Some(" (UID 1)")),
            ("* 12 fetch(UID 1)", Some("(UID 1)")),
            ("* FETCH (UID 1)", None),
            ("* 12 FETCHED (UID 1)", None),
            ("* 12 FETCH", None),
            ("a1 OK", None),
        ] {
            assert_eq!(fetch(line.as_bytes()), want.map(str::as_bytes), "{line}");
        }
        assert!(is_status(b"* OK BODY[] {5}") && !is_status(b"* OKAY") && !is_status(b"* 1 FETCH"));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in any::<Vec<u8>>(), start in prop::sample::select(vec!["", "* ", "* LIST ", "* OK [", "a1 ", "* 1 FETCH"])) {
            let line = [start.as_bytes(), &bytes].concat();
            parse(&line);
            fetch(&line);
            literal(&line);
            is_status(&line);
        }
    }
}
