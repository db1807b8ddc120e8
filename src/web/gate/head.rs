//! The head of a request, as bytes: read strictly, or refused (RFC 9112). No socket inside.
//!
//! What two programs could read differently is refused, so that the server behind the gate never sees another request than
//! the gate did: there is one line end, one way to say how long a body is, one host.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::authority::Authority;
use super::refusal::Refusal;
use crate::limits::{WEB_HEAD, WEB_HEADERS, WEB_TARGET};

/// Fields that concern one connection only (RFC 9110, 7.6.1), are spoken for by the gate, or are the gate's own to set.
const DROPPED: [&str; 15] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-body",
    "x-peer",
    "x-scheme",
];

/// A request without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub method: Method,
    /// Begins with one `/`; printable ASCII without space, `#` and `\`.
    pub target: String,
    pub host: Authority,
    /// Bytes of body; none where the field is missing.
    pub content_length: Option<u64>,
    /// Whether the client waits for `100 Continue` before it sends its body.
    pub expects_continue: bool,
    /// The other fields, in order. Invariant: none of [`DROPPED`], names are tokens, values printable ASCII.
    pub fields: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// How the client reached the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// Where the server finds the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carriage<'a> {
    /// Behind the head: so many bytes.
    Inline(u64),
    /// In the spool folder, under this name.
    Spooled(&'a str),
}

/// Where the head ends (the byte behind its empty line), if `bytes` hold one. `from` is where the last look ended. Line ends
/// of any make count here, so that [`Head::parse`] sees one head and refuses the wrong ones.
pub fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(3);
    memchr::memchr_iter(b'\n', bytes.get(start..)?).map(|at| start + at).find_map(|at| match bytes.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// What is wrong with a head that does not end within [`WEB_HEAD`].
pub fn endless(bytes: &[u8]) -> Refusal {
    match memchr::memchr(b'\n', bytes) {
        Some(at) if at <= WEB_TARGET + 32 => Refusal::HeadTooLong,
        _ => Refusal::TargetTooLong,
    }
}

impl Method {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    fn may_have_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Head {
    /// Reads a head from its first byte to its empty line. A body longer than `longest_body` is refused.
    pub fn parse(bytes: &[u8], longest_body: u64) -> Result<Self, Refusal> {
        if bytes.len() > WEB_HEAD {
            return Err(endless(bytes));
        }
        check_bytes(bytes)?;
        let mut room = [httparse::EMPTY_HEADER; WEB_HEADERS];
        let mut request = httparse::Request::new(&mut room);
        match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLong),
            Err(httparse::Error::Version) => return Err(Refusal::Version),
            Ok(_) | Err(_) => return Err(Refusal::Malformed),
        }
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
            return Err(Refusal::Malformed);
        };
        if version != 1 {
            return Err(Refusal::Version);
        }
        // What was read is all that the line holds: no blank more, none of another kind.
        if !bytes.starts_with(format!("{method} {target} HTTP/1.1\r\n").as_bytes()) {
            return Err(Refusal::Malformed);
        }
        let method = Method::parse(method).ok_or(Refusal::Method)?;
        check_target(target)?;
        let mut fields = Vec::with_capacity(request.headers.len());
        for field in request.headers.iter() {
            let value = str::from_utf8(field.value).map_err(|_| Refusal::Malformed)?;
            fields.push((field.name, value));
        }
        Self::build(method, target, &fields, longest_body)
    }

    fn build(method: Method, target: &str, fields: &[(&str, &str)], longest_body: u64) -> Result<Self, Refusal> {
        let all = |name: &'static str| {
            fields.iter().filter(move |field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1)
        };
        if all("transfer-encoding").next().is_some() || all("upgrade").next().is_some() {
            return Err(Refusal::NotImplemented);
        }
        let host = one(all("host"))?.and_then(Authority::parse).ok_or(Refusal::Malformed)?;
        let content_length = one(all("content-length"))?.map(|digits| length(digits, longest_body)).transpose()?;
        if content_length.is_some_and(|length| length > 0) && !method.may_have_body() {
            return Err(Refusal::Malformed);
        }
        let mut expects_continue = false;
        for value in all("expect") {
            if !value.eq_ignore_ascii_case("100-continue") {
                return Err(Refusal::Expectation);
            }
            expects_continue = true;
        }
        let named: Vec<&str> = all("connection").flat_map(|value| value.split(',')).map(str::trim).collect();
        let is_dropped = |name: &str| DROPPED.iter().chain(&named).any(|dropped| name.eq_ignore_ascii_case(dropped));
        let fields = fields.iter().filter(|(name, _)| !is_dropped(name));
        Ok(Self {
            method,
            target: target.to_owned(),
            host,
            content_length,
            expects_continue,
            fields: fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        })
    }

    /// The value of a field, the first of its name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1.as_str())
    }

    /// The path, without query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The head as the server behind the gate gets it.
    pub fn for_server(&self, peer: IpAddr, scheme: Scheme, body: Carriage<'_>) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method.as_str(), self.target, self.host);
        for (name, value) in &self.fields {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "X-Peer: {peer}\r\nX-Scheme: {}\r\n", scheme.as_str());
        let length = match body {
            Carriage::Inline(length) => length,
            Carriage::Spooled(token) => {
                let _ = write!(head, "X-Body: {token}\r\n");
                0
            }
        };
        if self.method.may_have_body() {
            let _ = write!(head, "Content-Length: {length}\r\n");
        }
        head.push_str("Connection: close\r\n\r\n");
        head.into_bytes()
    }
}

/// Every line ends with CR LF, none begins with a blank (the obsolete folding), and there is nothing but printable ASCII.
fn check_bytes(bytes: &[u8]) -> Result<(), Refusal> {
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return Err(Refusal::Malformed);
    }
    let mut last = 0;
    for &byte in bytes {
        let sound = match byte {
            b'\n' => last == b'\r',
            _ if last == b'\r' => false,
            b' ' | b'\t' => last != b'\n',
            b'\r' => true,
            _ => byte.is_ascii_graphic(),
        };
        if !sound {
            return Err(Refusal::Malformed);
        }
        last = byte;
    }
    if bytes.ends_with(b"\r\n\r\n") { Ok(()) } else { Err(Refusal::Malformed) }
}

/// `//name` and `/\name` lead a browser elsewhere when they come back in a redirection.
fn check_target(target: &str) -> Result<(), Refusal> {
    if target.len() > WEB_TARGET {
        return Err(Refusal::TargetTooLong);
    }
    let path = target.split('?').next().unwrap_or_default();
    if !target.starts_with('/') || target.starts_with("//") || path.contains('\\') || target.contains('#') {
        return Err(Refusal::Malformed);
    }
    Ok(())
}

fn one<'a>(mut values: impl Iterator<Item = &'a str>) -> Result<Option<&'a str>, Refusal> {
    let first = values.next();
    if values.next().is_some() { Err(Refusal::Malformed) } else { Ok(first) }
}

fn length(digits: &str, longest: u64) -> Result<u64, Refusal> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Malformed);
    }
    // A number that does not fit is too long as well.
    digits.parse().ok().filter(|length| *length <= longest).ok_or(Refusal::BodyTooLong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST: u64 = 1000;

    fn parse(head: &str) -> Result<Head, Refusal> {
        assert_eq!(end(head.as_bytes(), 0), Some(head.len()), "{head:?}");
        Head::parse(head.as_bytes(), MOST)
    }

    fn with(lines: &str) -> Result<Head, Refusal> {
        parse(&format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"))
    }

    #[test]
    fn a_sound_request_goes_on_without_what_concerns_the_connection() {
        let head = with(
            "Content-Length: 7\r\nX-Peer: 6.6.6.6\r\nx-scheme: x\r\nX-BODY: y\r\nTE: trailers\r\nCookie: a=b\r\n\
             Connection: keep-alive, X-Own, host\r\nX-Own: 1\r\nKeep-Alive: 5\r\nExpect: 100-Continue\r\n",
        );
        let head = head.unwrap();
        assert!(head.expects_continue);
        let bytes = head.for_server("192.0.2.1".parse().unwrap(), Scheme::Https, Carriage::Inline(7));
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "POST / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nX-Peer: 192.0.2.1\r\nX-Scheme: https\r\nContent-Length: 7\r\n\
             Connection: close\r\n\r\n"
        );
        let bytes = head.for_server("::1".parse().unwrap(), Scheme::Http, Carriage::Spooled("ab"));
        assert!(
            String::from_utf8(bytes)
                .unwrap()
                .contains("X-Peer: ::1\r\nX-Scheme: http\r\nX-Body: ab\r\nContent-Length: 0\r\n")
        );
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for lines in [
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 1 1\r\n",
            "Content-Length: 0x1\r\n",
            "Content-Length:\r\n",
            "Content-Length : 1\r\n",
            "Content-Length\t: 1\r\n",
            "Host: b\r\n",
            "A: b\r\n c\r\n",
            "A: b\r\n\tc\r\n",
            "A: b\rc\r\n",
            "A: b\r\r\n",
            "A: b\nC: d\r\n",
            "A: b\0c\r\n",
            "A: \u{7f}\r\n",
            "A: ü\r\n",
            "Ü: a\r\n",
            "A b: c\r\n",
            ": c\r\n",
            "A\r\n",
        ] {
            assert_eq!(with(lines), Err(Refusal::Malformed), "{lines:?}");
        }
        for lines in [
            "Transfer-Encoding: chunked\r\n",
            "transfer-encoding: identity\r\n",
            "Transfer-Encoding:\r\n",
            "Transfer-Encoding: \tchunked, x\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: xchunked\r\n",
            "Upgrade: h2c\r\n",
        ] {
            assert_eq!(with(lines), Err(Refusal::NotImplemented), "{lines:?}");
        }
        assert_eq!(with("Expect: 200-maybe\r\n"), Err(Refusal::Expectation));
        assert_eq!(with("Content-Length: 1000\r\n").unwrap().content_length, Some(1000));
        assert_eq!(with("Content-Length: 1001\r\n"), Err(Refusal::BodyTooLong));
        assert_eq!(with("Content-Length: 99999999999999999999999\r\n"), Err(Refusal::BodyTooLong));
    }

    #[test]
    fn the_first_line_is_a_known_method_a_path_and_the_version() {
        let line = |line: &str| parse(&format!("{line}\r\nHost: a\r\n\r\n"));
        assert_eq!(line("GET /a?b=%20|^ HTTP/1.1").unwrap().target, "/a?b=%20|^");
        for (broken, refusal) in [
            ("GET / HTTP/1.0", Refusal::Version),
            ("GET / HTTP/2.0", Refusal::Version),
            ("GET /", Refusal::Malformed),
            ("OPTIONS * HTTP/1.1", Refusal::Method),
            ("CONNECT a:1 HTTP/1.1", Refusal::Method),
            ("get / HTTP/1.1", Refusal::Method),
            ("TRACE / HTTP/1.1", Refusal::Method),
            ("GET http://a/ HTTP/1.1", Refusal::Malformed),
            ("GET //evil HTTP/1.1", Refusal::Malformed),
            ("GET /\\evil HTTP/1.1", Refusal::Malformed),
            ("GET /#a HTTP/1.1", Refusal::Malformed),
            ("GET  / HTTP/1.1", Refusal::Malformed),
            ("GET /  HTTP/1.1", Refusal::Version),
            ("GET / HTTP/1.1 ", Refusal::Malformed),
            ("GET\t/ HTTP/1.1", Refusal::Malformed),
            (" GET / HTTP/1.1", Refusal::Malformed),
            ("\r\nGET / HTTP/1.1", Refusal::Malformed),
        ] {
            let bytes = format!("{broken}\r\nHost: a\r\n\r\n");
            assert_eq!(Head::parse(bytes.as_bytes(), MOST), Err(refusal), "{broken:?}");
        }
        assert_eq!(line(&format!("GET /{} HTTP/1.1", "a".repeat(WEB_TARGET))), Err(Refusal::TargetTooLong));
        assert_eq!(parse("GET / HTTP/1.1\r\n\r\n"), Err(Refusal::Malformed));
        assert_eq!(
            parse("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
            Err(Refusal::Malformed),
            "a body where none belongs"
        );
    }

    #[test]
    fn heads_are_bounded() {
        assert_eq!(with(&"A: b\r\n".repeat(WEB_HEADERS - 1)).unwrap().fields.len(), WEB_HEADERS - 1);
        assert_eq!(with(&"A: b\r\n".repeat(WEB_HEADERS)), Err(Refusal::HeadTooLong));
        assert_eq!(with(&format!("A: {}\r\n", "b".repeat(WEB_HEAD))), Err(Refusal::HeadTooLong));
        assert_eq!(endless("a".repeat(WEB_HEAD).as_bytes()), Refusal::TargetTooLong);
    }

    #[test]
    fn the_end_of_a_head_is_found_however_its_bytes_come() {
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n";
        for cut in 0..bytes.len() {
            let expected = (cut >= 27).then_some(27);
            assert_eq!(end(&bytes[..cut], cut.saturating_sub(1)), expected.filter(|_| cut <= 28), "{cut}");
            assert_eq!(end(&bytes[..cut], 0), expected, "{cut}");
        }
        assert_eq!(end(b"a\n\nb", 0), Some(3));
        assert_eq!(end(b"a\n\r\nb", 0), Some(4));
    }

    /// Bytes that come near a request, so that some are accepted.
    fn nearly() -> impl Strategy<Value = Vec<u8>> {
        let known = proptest::sample::select(vec![
            "GET / HTTP/1.1\r\n",
            "POST /a?b HTTP/1.1\r\n",
            "Host: a\r\n",
            "Host: [::1]:8443\r\n",
            "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Connection: host, cookie\r\n",
            "Cookie: a=b; c=\"d\"\r\n",
            "X-Peer: 1\r\n",
            "A:\tb \r\n",
            "\r",
            "\n",
            " ",
            ":",
            "\0",
            "\r\n",
        ]);
        let piece = prop_oneof![3 => known.prop_map(str::to_owned), 1 => "[ -~]{0,8}: [ -~]{0,8}\r\n"];
        let pieces = proptest::collection::vec(piece, 0..6);
        (prop::bool::ANY, pieces).prop_map(|(is_likely, pieces)| {
            let start = if is_likely { "POST / HTTP/1.1\r\nHost: a\r\n" } else { "" };
            format!("{start}{}\r\n", pieces.concat()).into_bytes()
        })
    }

    fn hold(bytes: &[u8]) {
        let Ok(head) = Head::parse(bytes, MOST) else { return };
        let again =
            head.for_server([127, 0, 0, 1].into(), Scheme::Https, Carriage::Inline(head.content_length.unwrap_or(0)));
        let mut room = [httparse::EMPTY_HEADER; WEB_HEADERS + 8];
        let mut request = httparse::Request::new(&mut room);
        let length = request.parse(&again).unwrap();
        assert_eq!(length, httparse::Status::Complete(again.len()), "one request and nothing behind it");
        assert_eq!((request.method, request.path), (Some(head.method.as_str()), Some(&*head.target)));
        let count = |name: &str| request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).count();
        assert_eq!((count("host"), count("x-peer"), count("x-scheme"), count("connection")), (1, 1, 1, 1));
        assert!(count("content-length") <= 1 && count("transfer-encoding") == 0 && count("x-body") == 0);
        let second = Head::parse(&again, MOST).map(|head| (head.method, head.target, head.host, head.fields));
        assert_eq!(second, Ok((head.method, head.target, head.host, head.fields)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_go_on_as_one_request(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            hold(&bytes);
        }

        #[test]
        fn whatever_comes_near_a_request_is_refused_or_goes_on_as_one(bytes in nearly()) {
            hold(&bytes);
        }
    }
}
