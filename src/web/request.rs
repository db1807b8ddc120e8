//! What a browser asks for, as the gate lets it through.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::archive::commit::Number;
use crate::limits::{FORM_BODY, FORM_FIELDS};

/// A document number as forms, links and names of files carry it: digits and nothing else.
pub fn number(text: &str) -> Option<Number> {
    let is_plain = text.len() < 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_plain && *number > 0)
}

/// Names and values of a query or a form, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded` (WHATWG URL, section 5.1); bytes that are no UTF-8 become U+FFFD.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(FORM_FIELDS);
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name, true), decode(value, true))
                })
                .collect(),
        )
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The first value of this name without white space around it; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default().trim()
    }

    /// Whether a box was ticked.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_empty())
    }

    /// All values of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.into(), value.into()));
    }

    /// In place of all values of this name.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.push(name, value);
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }

    /// All names, each as often as it is there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// As it stands behind a `?`.
    pub fn encode(&self) -> String {
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.join("&")
    }
}

/// Undoes percent-encoding (RFC 3986, section 2.1).
fn decode(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = |at: usize| rest.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        rest = after;
        match first {
            b'+' if plus_is_space => bytes.push(b' '),
            b'%' => match (hex(1), hex(2)) {
                (Some(high), Some(low)) => {
                    bytes.extend(u8::try_from(high * 16 + low));
                    rest = &after[2..];
                }
                _ => bytes.push(b'%'),
            },
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes everything that has a meaning in an address.
pub fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// One of the cookies of a `Cookie` header (RFC 6265, section 4.2).
pub fn cookie<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(other, _)| *other == name).map(|(_, value)| value)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    /// These three are for the API.
    Put,
    Patch,
    Delete,
}

/// Where the body of a request is.
#[derive(Debug)]
pub enum Body {
    /// At most [`crate::limits::WEB_BODY_IN_MEMORY`] bytes.
    Bytes(Vec<u8>),
    /// The gate wrote it here and removes it afterwards.
    File(PathBuf),
}

/// One request.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    /// Decoded segments; `/` has none.
    pub path: Vec<String>,
    /// Path and query as they came.
    pub target: String,
    pub query: Form,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub peer: IpAddr,
    pub is_https: bool,
    pub body: Body,
}

impl Request {
    pub fn new(method: Method, target: &str, headers: Vec<(String, String)>, body: Body) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let peer = headers.iter().find(|(name, _)| name == "x-peer").and_then(|(_, value)| value.parse().ok());
        let is_https = headers.iter().any(|(name, value)| name == "x-scheme" && value == "https");
        Self {
            method,
            path: path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false)).collect(),
            target: target.into(),
            query: Form::parse(query),
            headers,
            peer: peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            is_https,
            body,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.header("cookie").and_then(|cookies| cookie(cookies, name))
    }

    /// Host and port as the browser knows them.
    pub fn host(&self) -> &str {
        self.header("host").unwrap_or("localhost")
    }

    /// `https://host[:port]`.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.is_https { "https" } else { "http" }, self.host())
    }

    /// The fields of a form that was sent as `application/x-www-form-urlencoded`; empty where it is anything else. One that is
    /// longer than [`FORM_BODY`] or has more than [`FORM_FIELDS`] is an error: what is missing would be taken for taken away.
    pub fn form(&self) -> io::Result<Form> {
        let is_form = self
            .header("content-type")
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Ok(Form::default());
        }
        let mut text = Vec::new();
        self.reader()?.take(FORM_BODY as u64 + 1).read_to_end(&mut text)?;
        if text.len() > FORM_BODY || text.split(|byte| *byte == b'&').count() > FORM_FIELDS {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Form::parse(&String::from_utf8_lossy(&text)))
    }

    /// The body from its beginning.
    pub fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match &self.body {
            Body::Bytes(bytes) => Box::new(bytes.as_slice()),
            Body::File(path) => Box::new(std::fs::File::open(path)?),
        })
    }

    /// Whether a page of this origin sent it. Browsers say so in `Sec-Fetch-Site` or `Origin`; one that says neither is
    /// trusted no further than its token.
    pub fn is_from_here(&self) -> bool {
        match (self.header("sec-fetch-site"), self.header("origin")) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => origin == self.origin(),
            (None, None) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_written() {
        let form = Form::parse("a=1&b=Z%C3%BCrich+West&a=2&c&%zz=%4&=x");
        assert_eq!(form.get("b"), Some("Zürich West"));
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(form.get("c"), Some(""));
        assert_eq!(form.get("%zz"), Some("%4"));
        assert_eq!(Form::parse(&form.encode()), form);
    }

    #[test]
    fn paths_and_cookies_are_taken_apart() {
        let headers = vec![
            ("cookie".to_string(), "x=1; __Host-a=b".to_string()),
            ("x-peer".to_string(), "192.0.2.7".to_string()),
        ];
        let request = Request::new(Method::Get, "//documents/8%2F9/?q=a+b", headers, Body::Bytes(vec![]));
        assert_eq!(request.path, ["documents", "8/9"]);
        assert_eq!(request.query.get("q"), Some("a b"));
        assert_eq!(request.cookie("__Host-a"), Some("b"));
        assert_eq!(request.peer.to_string(), "192.0.2.7");
        assert_eq!(request.cookie("a"), None);
    }
}
