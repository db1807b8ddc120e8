//! A tolerant reader of one FETCH response (RFC 9051, 7.5.2), fed piece by piece.
//!
//! A *piece* is the text between two literals. Nothing is kept but the handful of items that an archiver asks for; items
//! that nobody asked for are skipped, whatever they hold. Strict grammars lose mail.

use super::dates;

/// Flags of one message that are kept; servers allow any number.
const MOST_FLAGS: usize = 100;
/// Longest flag that is kept.
const LONGEST_FLAG: usize = 100;

/// What a FETCH response says of one message, without the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    pub uid: Option<u32>,
    /// Without `\Recent`; `None` where the response has no FLAGS.
    pub flags: Option<Vec<String>>,
    /// INTERNALDATE, Unix seconds.
    pub received: Option<i64>,
    /// RFC822.SIZE: a hint, some servers are off by a factor of three.
    pub size: Option<u64>,
    /// The message was named, but as NIL or as something that is no string.
    pub no_body: bool,
}

/// What a literal, or a quoted string in its place, is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The message, or the section that was asked for.
    Body,
    /// Something to skip.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Uid,
    Flags,
    Date,
    Size,
    Body,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the opening parenthesis.
    Start,
    /// Before the name of an item, or the closing parenthesis.
    Name,
    /// Before the value of an item.
    Value(Item),
    /// Inside a parenthesised value, so many levels deep.
    Nested(Item, u32),
    End,
}

/// Reads one response.
#[derive(Debug)]
pub struct FetchParser {
    state: State,
    fetched: Fetched,
    /// A second body in one response is skipped.
    has_body: bool,
    broken: bool,
    quoted: Option<Vec<u8>>,
}

impl FetchParser {
    /// Begins a response; what is fed follows `* 12 FETCH `.
    pub fn new() -> Self {
        Self { state: State::Start, fetched: Fetched::default(), has_body: false, broken: false, quoted: None }
    }

    /// What is known so far.
    pub fn so_far(&self) -> &Fetched {
        &self.fetched
    }

    /// A body that came as quoted string in the last piece, unescaped.
    pub fn take_quoted_body(&mut self) -> Option<Vec<u8>> {
        self.quoted.take()
    }

    /// Feeds a piece of text, without line end and without the mark of the literal that ends it.
    pub fn text(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some((&c, after)) = rest.split_first() {
            rest = match (self.state, c) {
                (State::End, _) => return,
                (_, b' ' | b'\t') => after,
                (State::Start, b'(') => {
                    self.state = State::Name;
                    after
                }
                (State::Name, b')') => {
                    self.state = State::End;
                    after
                }
                // An item without a value: most likely a literal that was longer than announced.
                (State::Name, b'(' | b'"') | (State::Start, _) | (State::Value(_), b')') => return self.give_up(),
                (State::Name, _) => {
                    let (name, after) = split_name(rest);
                    self.state = State::Value(item(name));
                    after
                }
                (State::Value(item), b'(') => {
                    if item == Item::Flags {
                        self.fetched.flags = Some(Vec::new());
                    }
                    self.state = State::Nested(item, 1);
                    after
                }
                (State::Nested(item, depth), b'(') => {
                    self.state = State::Nested(item, depth.saturating_add(1));
                    after
                }
                (State::Nested(item, depth), b')') => {
                    self.state = if depth <= 1 { State::Name } else { State::Nested(item, depth - 1) };
                    self.fetched.no_body |= self.state == State::Name && item == Item::Body && !self.has_body;
                    after
                }
                (_, b'"') => {
                    let Some((value, after)) = split_quoted(after) else { return self.give_up() };
                    self.value(&value, true);
                    after
                }
                _ => {
                    let (value, after) = split_atom(rest);
                    self.value(value, false);
                    after
                }
            };
        }
    }

    fn value(&mut self, value: &[u8], is_quoted: bool) {
        let text = || std::str::from_utf8(value).unwrap_or_default();
        match self.state {
            State::Value(item) => {
                self.state = State::Name;
                match item {
                    Item::Uid => self.uid(text().parse().ok()),
                    Item::Size => self.fetched.size = text().parse().ok(),
                    Item::Date => self.fetched.received = dates::parse(text()),
                    Item::Body if is_quoted && !self.has_body => {
                        self.has_body = true;
                        self.quoted = Some(value.to_vec());
                    }
                    Item::Body => self.fetched.no_body |= !self.has_body,
                    Item::Flags | Item::Other => {}
                }
            }
            State::Nested(Item::Flags, 1) => {
                if let Some(flags) = &mut self.fetched.flags
                    && flags.len() < MOST_FLAGS
                    && value.len() <= LONGEST_FLAG
                    && !value.eq_ignore_ascii_case(b"\\Recent")
                {
                    flags.push(String::from_utf8_lossy(value).into_owned());
                }
            }
            _ => {}
        }
    }

    fn uid(&mut self, uid: Option<u32>) {
        let uid = uid.filter(|uid| *uid > 0);
        self.broken |= uid.is_none() || self.fetched.uid.is_some_and(|first| Some(first) != uid);
        self.fetched.uid = self.fetched.uid.or(uid);
    }

    /// A literal comes where the last piece ended: what for?
    pub fn literal(&mut self) -> Role {
        match self.state {
            State::Value(Item::Body) if !self.has_body => {
                self.state = State::Name;
                self.has_body = true;
                Role::Body
            }
            State::Value(item) => {
                self.state = State::Name;
                self.broken |= item == Item::Uid;
                Role::Other
            }
            State::Nested(..) => Role::Other,
            State::Start | State::Name | State::End => {
                self.give_up();
                Role::Other
            }
        }
    }

    fn give_up(&mut self) {
        self.broken = true;
        self.state = State::End;
    }

    /// Ends the response: what it says, and whether it was whole.
    pub fn finish(self) -> (Fetched, bool) {
        let whole = self.state == State::End && !self.broken;
        (self.fetched, whole)
    }
}

impl Default for FetchParser {
    fn default() -> Self {
        Self::new()
    }
}

fn item(name: &[u8]) -> Item {
    const ITEMS: [(&[u8], Item); 9] = [
        (b"UID", Item::Uid),
        (b"FLAGS", Item::Flags),
        (b"INTERNALDATE", Item::Date),
        (b"RFC822.SIZE", Item::Size),
        (b"BODY[]", Item::Body),
        (b"BODY[]<0>", Item::Body),
        (b"RFC822", Item::Body),
        // The echo of the one section that the connection test asks for; some servers put quotes around the field's name.
        (b"BODY[HEADER.FIELDS (SUBJECT)]", Item::Body),
        (b"BODY[HEADER.FIELDS (\"SUBJECT\")]", Item::Body),
    ];
    ITEMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(Item::Other, |(_, item)| *item)
}

/// Splits an item's name off; brackets may hold spaces and parentheses (`BODY[HEADER.FIELDS (SUBJECT)]<0>`).
fn split_name(text: &[u8]) -> (&[u8], &[u8]) {
    let mut in_brackets = false;
    let end = text.iter().position(|c| match c {
        b'[' => {
            in_brackets = true;
            false
        }
        b']' => {
            in_brackets = false;
            false
        }
        b' ' | b'(' | b')' | b'"' => !in_brackets,
        _ => false,
    });
    text.split_at(end.unwrap_or(text.len()))
}

fn split_atom(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|c| matches!(c, b' ' | b'(' | b')' | b'"')).unwrap_or(text.len()))
}

/// Splits a quoted string off whose opening quote is gone already: its value, and what follows. `None` if it never ends.
pub(super) fn split_quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        let stop = memchr::memchr2(b'"', b'\\', rest)?;
        let (plain, tail) = rest.split_at_checked(stop)?;
        value.extend_from_slice(plain);
        match tail.split_first()? {
            (b'"', after) => return Some((value, after)),
            (_, escaped) => {
                let (c, after) = escaped.split_first()?;
                value.push(*c);
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&str]) -> (Fetched, bool, Vec<Role>, Option<Vec<u8>>) {
        let mut parser = FetchParser::new();
        let mut roles = Vec::new();
        for (n, piece) in pieces.iter().enumerate() {
            if n > 0 {
                roles.push(parser.literal());
            }
            parser.text(piece.as_bytes());
        }
        let quoted = parser.take_quoted_body();
        let (fetched, whole) = parser.finish();
        (fetched, whole, roles, quoted)
    }

    #[test]
    fn usual_responses() {
        let (fetched, whole, roles, _) = read(&[
            r#"(UID 12 FLAGS (\Seen \Recent $Label) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 44 BODY[] "#,
            ")",
        ]);
        assert!(whole);
        assert_eq!(roles, [Role::Body]);
        assert_eq!(
            fetched,
            Fetched {
                uid: Some(12),
                flags: Some(vec!["\\Seen".into(), "$Label".into()]),
                received: Some(837_596_665),
                size: Some(44),
                no_body: false,
            }
        );
    }

    #[test]
    fn items_in_any_order_and_unknown_ones() {
        use Role::{Body, Other};
        for (pieces, uid, roles, no_body) in [
            (&["(BODY[] ", " UID 12 FLAGS (\\Seen))"][..], 12, &[Body][..], false),
            (&["(body[]<0> ", "uid 3)"], 3, &[Body], false),
            (&["(RFC822 ", " UID 3)"], 3, &[Body], false),
            (&["(UID 4 X-FOO 3 X-BAR NIL X-BAZ \"a)\\\"b\" BODY[] ", ")"], 4, &[Body], false),
            (&["(ENVELOPE (NIL ", " (\"x\" (NIL))) UID 5 BODY[] ", ")"], 5, &[Other, Body], false),
            (&["(BODY[HEADER] ", " UID 6)"], 6, &[Other], false),
            (&["(X-A ((BODY[] ", ")) UID 6)"], 6, &[Other], false),
            (&["(BODY[HEADER.FIELDS (SUBJECT)] ", " UID 6)"], 6, &[Body], false),
            (&["(BODY[] ", " RFC822 ", " UID 6)"], 6, &[Body, Other], false),
            (&["(UID 7 BODY[] NIL)"], 7, &[], true),
            (&["(UID 7 RFC822.SIZE null INTERNALDATE NIL FLAGS NIL BODY[] nil)"], 7, &[], true),
            (&["(FLAGS(\\Seen)UID 8  MODSEQ (9) )"], 8, &[], false),
        ] {
            let (fetched, whole, got, _) = read(pieces);
            assert!(whole, "{pieces:?}");
            assert_eq!((fetched.uid, &got[..], fetched.no_body), (Some(uid), roles, no_body), "{pieces:?}");
        }
    }

    #[test]
    fn quoted_bodies_are_unescaped() {
        let (_, whole, _, quoted) = read(&[r#"(UID 3 BODY[] "a\"b\\")"#]);
        assert!(whole);
        assert_eq!(quoted, Some(b"a\"b\\".to_vec()));
    }

    #[test]
    fn broken_responses_are_told() {
        for pieces in [
            &["(UID 1 BODY[] ", "def)"][..],
            &["(UID 1 BODY[] ", "def UID 2)"],
            &["(UID 1"],
            &["(UID 1 X \"abc"],
            &["(UID 99999999999)"],
            &["(UID 0)"],
            &["(UID ", ")"],
            &["UID 1"],
            &["(", "UID 1)"],
            &["", "(UID 1)"],
            &[""],
        ] {
            assert!(!read(pieces).1, "{pieces:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(pieces in proptest::collection::vec(any::<Vec<u8>>(), 0..5), words in "[()\"\\\\ A-Z\\[\\]{}0-9]*") {
            let mut parser = FetchParser::new();
            parser.text(b"(");
            for piece in &pieces {
                parser.text(piece);
                parser.literal();
            }
            parser.text(words.as_bytes());
            parser.finish();
        }
    }
}
