//! What a browser gets.

use std::io::{self, Write};

use maud::Markup;

use super::request::Method;

/// Sends the bytes of a body, however many; called once.
pub type Sending = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// The bytes of an answer.
pub enum Body {
    Bytes(Vec<u8>),
    Static(&'static [u8]),
    /// Written while it is made; with its length where that is known.
    Stream {
        len: Option<u64>,
        /// Bytes that are read for it: the end of a long document has all of it read.
        reads: u64,
        send: Sending,
    },
}

/// One answer. Security headers that hold everywhere are set by [`Response::write`].
pub struct Response {
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// Pages run our own script and style and nothing else (CSP Level 3).
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     media-src 'self'; frame-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

impl Response {
    pub fn new(status: u16, media_type: &str, body: Body) -> Self {
        Self { status, headers: Vec::new(), body }.header("Content-Type", media_type)
    }

    pub fn html(markup: Markup) -> Self {
        let body = Body::Bytes(markup.into_string().into_bytes());
        Self::new(200, "text/html; charset=utf-8", body).header("Content-Security-Policy", PAGE_POLICY)
    }

    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", Body::Bytes(text.into().into_bytes()))
    }

    /// Nothing but a status.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Static(b"") }
    }

    /// The value of a header that was set.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    /// To another page of this server, asked for with GET (RFC 9110, section 15.4.4). `to` is a path: an address that a
    /// browser could take for another host becomes `/`.
    pub fn redirect(to: &str) -> Self {
        let to = if is_own_path(to) { to } else { "/" };
        Self::new(303, "text/plain; charset=utf-8", Body::Static(b"")).header("Location", to)
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Sets a header, in place of an earlier one of this name unless it is `Set-Cookie`. A value that could end its line
    /// (CVE-2026-66753 of `tiny_http` is of this kind) is left out whole.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if name != "Set-Cookie" {
            self.headers.retain(|(other, _)| *other != name);
        }
        if value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            self.headers.push((name, value));
        } else {
            tracing::warn!("header {name} had bytes that no header may have");
        }
        self
    }

    /// Lets the browser save the body under `name`.
    #[must_use]
    pub fn attachment(self, name: &str) -> Self {
        self.header("Content-Disposition", disposition("attachment", name))
    }

    /// Whether it does not fit into a socket, or more has to be read for it.
    pub fn is_long(&self) -> bool {
        let len = match &self.body {
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::Static(bytes) => Some(bytes.len() as u64),
            Body::Stream { len, reads, .. } => len.map(|len| len.max(*reads)),
        };
        len.is_none_or(|len| len > crate::limits::ANSWER_SHORT)
    }

    /// Writes the answer as HTTP/1.1; the connection ends with it. A body of unknown length is chunked, so that a browser
    /// sees when it was broken off.
    pub fn write(self, method: Method, out: &mut dyn Write) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\nConnection: close\r\n", self.status, reason(self.status));
        let mut put = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        for (name, value) in &self.headers {
            put(name, value);
        }
        let common = [
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            // No archive belongs into a search engine, a public one neither.
            ("X-Robots-Tag", "noindex"),
            ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
        ];
        for (name, value) in common {
            if self.headers.iter().all(|(other, _)| *other != name) {
                put(name, value);
            }
        }
        let len = match &self.body {
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::Static(bytes) => Some(bytes.len() as u64),
            Body::Stream { len, .. } => *len,
        };
        match len {
            // No content has no length (RFC 9110, section 8.6).
            _ if self.status == 204 => {}
            Some(len) => put("Content-Length", &len.to_string()),
            None => put("Transfer-Encoding", "chunked"),
        }
        head.push_str("\r\n");
        out.write_all(head.as_bytes())?;
        if method == Method::Head {
            return out.flush();
        }
        if matches!(self.body, Body::Stream { .. }) {
            // What is made while it is sent may take its time: that it is under way is known at once.
            out.flush()?;
        }
        match self.body {
            Body::Bytes(bytes) => out.write_all(&bytes)?,
            Body::Static(bytes) => out.write_all(bytes)?,
            Body::Stream { len: Some(_), send, .. } => send(out)?,
            Body::Stream { len: None, send, .. } => {
                let mut chunks = io::BufWriter::with_capacity(16 * 1024, Chunks(out));
                send(&mut chunks)?;
                chunks.flush()?;
                drop(chunks);
                out.write_all(b"0\r\n\r\n")?;
            }
        }
        out.flush()
    }
}

/// RFC 9112, section 7.1.
struct Chunks<'a>(&'a mut dyn Write);

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `Content-Disposition` with any name (RFC 6266, RFC 8187): plain ASCII for old clients, UTF-8 for all others.
pub fn disposition(kind: &str, name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || ". -_".contains(c) { c } else { '_' }).collect();
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", super::request::encode(name))
}

/// Whether a browser takes this for a path of the same server. `//host` and `/\host` lead elsewhere.
pub fn is_own_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.first() == Some(&b'/')
        && !matches!(bytes.get(1), Some(b'/' | b'\\'))
        && bytes.iter().all(|byte| (b'!'..=b'~').contains(byte) && *byte != b'\\')
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        303 => "See Other",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_its_line_and_a_redirect_stays_here() {
        let mut out = Vec::new();
        let response =
            Response::text(200, "x").header("Set-Cookie", "a=b\r\nX-Evil: 1").attachment("../b\u{202e}\r\n\"ü\".exe");
        response.write(Method::Get, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("Evil"));
        assert!(text.contains("filename=\".._b______.exe\""), "{text}");
        assert!(text.contains("filename*=UTF-8''..%2Fb%E2%80%AE%0D%0A%22%C3%BC%22.exe"), "{text}");
        for (to, fits) in [
            ("/a?b=c", true),
            ("//evil", false),
            ("/\\evil", false),
            ("https://evil", false),
            ("/a b", false),
            ("", false),
        ] {
            assert_eq!(is_own_path(to), fits, "{to}");
        }
    }

    #[test]
    fn the_end_of_a_long_document_is_long() {
        let part = |reads| {
            let send: Sending = Box::new(|_| Ok(()));
            Response::new(206, "video/mp4", Body::Stream { len: Some(1), reads, send }).is_long()
        };
        assert!(part(1_000_000_000) && !part(1000));
    }

    #[test]
    fn a_stream_without_length_is_chunked() {
        let send: Sending = Box::new(|out| out.write_all(b"hello"));
        let mut out = Vec::new();
        Response::new(200, "text/plain", Body::Stream { len: None, reads: 0, send })
            .write(Method::Get, &mut out)
            .unwrap();
        assert!(out.ends_with(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
    }
}
