//! Promise: no mail is too broken to be archived, and what can be read of it is read. Each case is a message and all that is
//! expected of it; a defect that is not named here must not be found.

use archivista::ingest::{Attachment, Defect, Head, Walk};
use archivista::limits;

use Defect as D;

const DATE: &str = "Date: Mon, 3 Jun 2002 12:00:00 +0000\r\n";
const NOON: i64 = 1_023_105_600;

struct Case {
    name: &'static str,
    mail: Vec<u8>,
    head: Head,
}

/// A message with a date of its own, as most cases have.
fn dated(name: &'static str, rest: impl AsRef<[u8]>) -> Case {
    let mail = [DATE.as_bytes(), rest.as_ref()].concat();
    Case { name, mail, head: Head { date: Some(NOON), ..Head::default() } }
}

fn undated(name: &'static str, mail: impl AsRef<[u8]>) -> Case {
    Case { name, mail: mail.as_ref().to_vec(), head: Head::default() }
}

impl Case {
    fn subject(mut self, text: &str) -> Self {
        text.clone_into(&mut self.head.subject);
        self
    }
    fn from(mut self, text: &str) -> Self {
        text.clone_into(&mut self.head.from);
        self
    }
    fn to(mut self, text: &str) -> Self {
        text.clone_into(&mut self.head.to);
        self
    }
    fn cc(mut self, text: &str) -> Self {
        text.clone_into(&mut self.head.cc);
        self
    }
    fn id(mut self, text: &str) -> Self {
        text.clone_into(&mut self.head.message_id);
        self
    }
    fn file(mut self, name: &str, media_type: &str) -> Self {
        self.head.attachments.push(Attachment { name: name.to_owned(), media_type: media_type.to_owned() });
        self
    }
    fn defects(mut self, defects: &[Defect]) -> Self {
        self.head.defects = defects.to_vec();
        self
    }
}

fn read(mail: &[u8]) -> Head {
    let mut walk = Walk::new();
    walk.push(mail);
    walk.finish()
}

fn check(cases: Vec<Case>) {
    for case in cases {
        assert_eq!(read(&case.mail), case.head, "{}", case.name);
    }
}

#[test]
fn normal_mail_has_no_defect() {
    check(vec![
        dated("CRLF", "Subject: a\r\n\r\nb\r\n").subject("a"),
        undated("LF only", "Date: Mon, 3 Jun 2002 12:00:00 +0000\nSubject: a\n\nb\n").subject("a").date(),
        dated("no Message-ID, no recipients", "Subject: a\r\n\r\n").subject("a"),
        dated("no body after the empty line", "\r\n"),
        undated("mbox line", format!("From x@y Mon Jun  3 12:00:00 2002\r\n{DATE}Subject: a\r\n\r\nb")).subject("a").date(),
        dated(
            "multipart with preamble, epilogue and a file",
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"=_x\"\r\n\r\npreamble\r\n--=_x\r\n\r\ntext\r\n\
             --=_x  \r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n\
             --=_x--\r\nepilogue\r\n--=_x\r\nContent-Type: a/b; name=not-a-part\r\n\r\n",
        )
        .file("a.pdf", "application/pdf"),
        dated(
            "raw UTF-8 in the header (RFC 6532)",
            "Subject: Grüsse\r\nFrom: Jürg <j@ö.ch>\r\n\r\n".as_bytes(),
        )
        .subject("Grüsse")
        .from("Jürg <j@ö.ch>"),
        dated(
            "UTF-8 body, a character at the end of a line",
            "Content-Type: text/plain; charset=utf-8\r\n\r\nZürich à\r\n",
        ),
        dated("a single part with a name", "Content-Type: image/png; name=a.png\r\n\r\nx").file("a.png", "image/png"),
    ]);
}

impl Case {
    fn date(mut self) -> Self {
        self.head.date = Some(NOON);
        self
    }
}

#[test]
fn headers() {
    let long_header = format!("Subject: a\r\nX: {}\r\nFrom: a@b.ch\r\n\r\nbody", "x".repeat(1_000_000));
    let folded_header = format!("Subject: a\r\nX: y\r\n{}From: a@b.ch\r\n\r\nbody", " x\r\n".repeat(300_000));
    let long_names = format!("Subject: a\r\n{}\r\nbody", format!("{}: y\r\n", "N".repeat(1000)).repeat(1000));
    check(vec![
        dated("a header that is cut within a field's name", long_names).subject("a").defects(&[D::HeaderTooLong]),
        undated("empty", "").defects(&[D::NoHeader, D::Date, D::Empty]),
        undated("only CRLF", "\r\n\r\n").defects(&[D::NoHeader, D::Date, D::Empty]),
        undated("no header", "\r\nhello\r\n").defects(&[D::NoHeader, D::Date]),
        undated("only text", "hello there\r\nold friend").defects(&[D::NoHeader, D::NoBlankLine, D::Date]),
        dated("no empty line", "Subject: a\r\n").subject("a").defects(&[D::NoBlankLine]),
        dated("ends within a field", "Subject: a").subject("a").defects(&[D::NoBlankLine]),
        dated("ends within an encoded word", "Subject: a =?utf-8?Q?b")
            .subject("a =?utf-8?Q?b")
            .defects(&[D::NoBlankLine]),
        dated("a line that is no field", "Subject: a\r\n>From nobody\r\nFrom: a@b.ch\r\n\r\n")
            .subject("a")
            .from("a@b.ch")
            .defects(&[D::BrokenHeaderLine]),
        dated("a space in a field's name", "Sub ject: a\r\nSubject : b\r\n\r\n")
            .subject("b")
            .defects(&[D::BrokenHeaderLine]),
        dated("a megabyte in one field", long_header).subject("a").defects(&[D::HeaderTooLong]),
        dated("a megabyte of folds", folded_header).subject("a").defects(&[D::HeaderTooLong]),
        dated("NUL in the header", "Subject: a\0b\r\n\r\n").subject("a b").defects(&[D::Nul]),
        dated("8-bit header", b"Subject: caf\xe9 \x80\r\nFrom: J\xfcrg <j@b.ch>\r\n\r\n")
            .subject("café €")
            .from("Jürg <j@b.ch>")
            .defects(&[D::EightBitHeader]),
        dated("duplicate Subject", "Subject: a\r\nSubject: b\r\n\r\n").subject("a").defects(&[D::DuplicateField]),
        dated("duplicate To", "To: a@b.ch\r\nTo: c@d.ch\r\n\r\n").to("a@b.ch, c@d.ch").defects(&[D::DuplicateField]),
        dated("a lone CR is no line end", "Subject: a\rBcc: x@y\r\n\r\n")
            .subject("a Bcc: x@y")
            .defects(&[D::BareLineEnd]),
        dated(
            "an encoded line end is no line end",
            "Subject: =?utf-8?Q?a=0D=0ABcc:_x@y?=\r\nFrom: =?utf-8?Q?x=0Ay?= <a@b.ch>\r\n\r\n",
        )
        .subject("a Bcc: x@y")
        .from("x y <a@b.ch>"),
        dated("LF after CRLF", "Subject: a\n\r\nb").subject("a").defects(&[D::BareLineEnd]),
        dated("reversed text", "Subject: a\u{202e}fdp.exe\r\n\r\n").subject("afdp.exe"),
        dated("Message-ID with a comment", "Message-ID: (x) <a@b> (y)\r\n\r\n").id("a@b"),
        dated("Message-ID without brackets", "Message-ID: a@b\r\n\r\n").id("a@b"),
        dated("Message-ID that never closes", "Message-ID: <a@b\r\n\r\n").id("a@b"),
        undated("no date", "Subject: a\r\n\r\n").subject("a").defects(&[D::Date]),
        undated("year 99999", "Date: Mon, 3 Jun 99999 12:00:00 +0000\r\n\r\n").defects(&[D::Date]),
        undated("31 February", "Date: 31 Feb 2002 12:00:00 +0000\r\n\r\n").defects(&[D::Date]),
    ]);
}

#[test]
fn character_sets() {
    check(vec![
        dated("ISO-2022-JP, encoded", "Subject: =?iso-2022-jp?B?GyRCJEYkOSRIGyhC?=\r\n\r\n").subject("てすと"),
        dated("ISO-2022-JP, raw", "Subject: \x1b$B$F$9$H\x1b(B\r\n\r\n").subject("てすと").defects(&[D::Charset]),
        dated("a character split between two words", "Subject: =?utf-8?Q?Z=C3?=\r\n =?utf-8?Q?=BCrich?=\r\n\r\n")
            .subject("Zürich"),
        dated("windows-1252 that says UTF-8", "Subject: =?utf-8?Q?Z=FCrich?=\r\n\r\n")
            .subject("Zürich")
            .defects(&[D::Charset]),
        dated("unknown character set", "Subject: =?x-klingon?B?YWJj?=\r\n\r\n").subject("abc").defects(&[D::Charset]),
        dated("unknown character set of the body", "Content-Type: text/plain; charset=x-klingon\r\n\r\na")
            .defects(&[D::Charset]),
        dated("latin body that says UTF-8", b"Content-Type: text/plain; charset=utf-8\r\n\r\nZ\xfcrich\r\n")
            .defects(&[D::Charset]),
        dated("UTF-8 body cut within a character", b"Content-Type: text/plain; charset=utf-8\r\n\r\nZ\xc3")
            .defects(&[D::Charset]),
        dated("8-bit body that says ASCII", b"Content-Type: text/plain; charset=us-ascii\r\n\r\nZ\xfcrich\r\n")
            .defects(&[D::Charset]),
        dated(
            "one part of two is wrong",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xfc\r\n\
              --x\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xfc\r\n--x--\r\n",
        )
        .defects(&[D::Charset]),
    ]);
}

#[test]
fn addresses() {
    check(vec![
        dated("groups", "To: Team: Anna <a@b.ch>, c@d.ch;, e@f.ch\r\nCc: undisclosed-recipients:;\r\n\r\n")
            .to("Anna <a@b.ch>, c@d.ch, e@f.ch"),
        dated("an encoded list is one name", "From: =?utf-8?Q?Boss_=3Cboss=40x=3E=2C_Eve?= <eve@y>\r\n\r\n")
            .from("\"Boss <boss@x>, Eve\" <eve@y>"),
        dated("quotes and comments", "Cc: \"Muster, A.\" <a@b.ch>, c@d.ch (Carla)\r\n\r\n")
            .cc("\"Muster, A.\" <a@b.ch>, Carla <c@d.ch>"),
        dated("nothing closes", "From: \"Anna <a@b.ch>\r\nTo: (((((\r\nCc: <a@b.ch\r\n\r\n")
            .from("Anna <a@b.ch>")
            .to("((((")
            .cc("a@b.ch"),
    ]);
}

/// A multipart with one line end and what stands between its header and its end.
fn multipart(parts: &str) -> String {
    format!("Content-Type: multipart/mixed; boundary=x\r\n\r\n{parts}")
}

#[test]
fn parts() {
    check(vec![
        dated("no final boundary", multipart("--x\r\n\r\ntext\r\n")).defects(&[D::NoFinalBoundary]),
        dated("final boundary without line end", multipart("--x\r\n\r\ntext\r\n--x--")),
        dated("the boundary never comes", multipart("text\r\n--y\r\n")).defects(&[D::NoBoundary]),
        dated("no boundary", "Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\n").defects(&[D::NoBoundary]),
        dated(
            "a boundary that begins another one",
            "Content-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\nContent-Type: multipart/mixed; boundary=abc\r\n\r\n\
             --abc\r\nContent-Type: a/b; name=1\r\n\r\n--abc--\r\n--abd\r\n--ab\r\nContent-Type: a/b; name=2\r\n\r\n--ab--\r\n",
        )
        .file("1", "a/b")
        .file("2", "a/b"),
        dated(
            "an outer boundary ends the inner multipart",
            multipart("--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\na\r\n--x\r\nContent-Type: a/b; name=1\r\n\r\n--x--"),
        )
        .file("1", "a/b")
        .defects(&[D::NoFinalBoundary]),
        dated(
            "a part ends within its header",
            multipart("--x\r\nContent-Type: a/b; name=1\r\n--x\r\nContent-Disposition: attachment\r\n--x--"),
        )
        .file("1", "a/b")
        .file("", "text/plain"),
        dated(
            "a line of a part's header that only begins as a boundary line",
            multipart(&format!("--x\r\nContent-Type: a/b\r\n--x{}y\r\nContent-Disposition: inline; filename=1\r\n\r\n--x--", " ".repeat(2000))),
        )
        .file("1", "a/b"),
        dated("a part's header at the end of the message", multipart("--x\r\nContent-Type: a/b; name=1"))
            .file("1", "a/b")
            .defects(&[D::NoFinalBoundary]),
        dated("a boundary that ends in hyphens", "Content-Type: multipart/mixed; boundary=x--\r\n\r\n--x--\r\nContent-Type: a/b; name=1\r\n\r\n--x----\r\n")
            .file("1", "a/b"),
        dated(
            "a forwarded message and its file",
            multipart(
                "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n\
                 --y\r\nContent-Type: a/b; name=1\r\n\r\n--y--\r\n--x--\r\n",
            ),
        )
        .file("", "message/rfc822")
        .file("1", "a/b"),
        dated(
            "a digest",
            "Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\nSubject: 1\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n--x--",
        )
        .file("", "message/rfc822"),
        dated("winmail.dat", multipart("--x\r\nContent-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n\r\neJ8+Ig==\r\n--x--\r\n"))
            .file("winmail.dat", "application/ms-tnef"),
        dated(
            "a name in pieces and a character set (RFC 2231)",
            "Content-Disposition: attachment;\r\n filename*0*=iso-8859-1'de'Offerte%20;\r\n filename*1*=f%FCr%20;\r\n filename*2=\"Z.pdf\"\r\n\r\n",
        )
        .file("Offerte für Z.pdf", "text/plain"),
        dated("unknown encoding", "Content-Transfer-Encoding: x-zip\r\n\r\n").defects(&[D::Encoding]),
        dated("base64 that is none", "Content-Transfer-Encoding: base64\r\n\r\nhello, world!\r\n").defects(&[D::Encoding]),
        dated("base64 after its end", "Content-Transfer-Encoding: base64\r\n\r\nQQ==\r\nQUJD\r\n").defects(&[D::Encoding]),
        dated("a media type that is none", "Content-Type: pdf; name=a.pdf\r\n\r\n").file("a.pdf", "application/octet-stream"),
        dated("NUL in the body", "\r\na\0b\r\n").defects(&[D::Nul]),
        dated("CR at the very end", "\r\na\r").defects(&[D::BareLineEnd]),
    ]);
}

#[test]
fn ten_thousand_levels_are_followed_to_the_limit() {
    let level = |depth| format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n");
    let levels: String = (0..10_000).map(level).collect();
    let mail = format!("{DATE}{levels}Content-Type: a/b; name=deep\r\n\r\n");
    assert_eq!(
        read(mail.as_bytes()),
        Head { date: Some(NOON), defects: vec![D::TooDeep, D::NoFinalBoundary], ..Head::default() }
    );

    let mail = format!("{DATE}{}", "Content-Type: message/rfc822\r\n\r\n".repeat(10_000));
    let head = read(mail.as_bytes());
    assert_eq!(head.attachments.len(), limits::NESTING + 1);
    assert_eq!(head.defects, [D::TooDeep]);
}

#[test]
fn a_hundred_thousand_parts_are_remembered_to_the_limit() {
    let part = |name: &str| format!("--x\r\nContent-Type: a/b{name}\r\n\r\nx\r\n");
    let few = format!("{DATE}{}--x--\r\n", multipart(&part("").repeat(100_000)));
    assert_eq!(read(few.as_bytes()), Head { date: Some(NOON), ..Head::default() });

    let exactly = format!("{DATE}{}--x--\r\n", multipart(&part("; name=1").repeat(limits::PARTS)));
    let head = read(exactly.as_bytes());
    assert_eq!((head.attachments.len(), head.defects), (limits::PARTS, vec![]));

    let many = format!("{DATE}{}--x--\r\n", multipart(&part("; name=1").repeat(100_000)));
    let head = read(many.as_bytes());
    assert_eq!((head.attachments.len(), head.defects), (limits::PARTS, vec![D::TooManyParts]));
}

#[test]
fn fields_are_cut() {
    let long = "ä".repeat(limits::FIELD_CHARS + 1);
    let head = read(format!("{DATE}Subject: {long}\r\nFrom: {long}\r\nMessage-ID: <{long}>\r\n\r\n").as_bytes());
    for field in [&head.subject, &head.from, &head.message_id] {
        assert_eq!(field.chars().count(), limits::FIELD_CHARS);
    }
}
