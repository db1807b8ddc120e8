//! A request, taken apart. Graph takes names in paths in any case, in both forms `users/x` and `users('x')`, and options of
//! a query with `$` or `%24`.

use http::request::Parts;

#[derive(Clone, Debug, Default)]
pub struct Question {
    pub method: String,
    /// As it came, with its query.
    pub address: String,
    pub host: String,
    pub segments: Vec<String>,
    pub query: Vec<(String, String)>,
    pub prefer: String,
    pub authorization: Option<String>,
    pub content_type: String,
    pub client_request_id: Option<String>,
    pub body: Vec<u8>,
}

impl Question {
    pub fn new(parts: &Parts, body: Vec<u8>) -> Self {
        let header = |name: &str| {
            let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.collect::<Vec<_>>().join(", ")
        };
        let path = parts.uri.path();
        let host = Some(header("host")).filter(|host| !host.is_empty());
        let host = host.or_else(|| parts.uri.authority().map(ToString::to_string)).unwrap_or_default();
        Self {
            method: parts.method.to_string(),
            address: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            host,
            segments: path.split('/').filter(|part| !part.is_empty()).flat_map(split_key).collect(),
            query: form(parts.uri.query().unwrap_or_default()),
            prefer: header("prefer"),
            authorization: Some(header("authorization")).filter(|value| !value.is_empty()),
            content_type: header("content-type"),
            client_request_id: Some(header("client-request-id")).filter(|value| !value.is_empty()),
            body,
        }
    }

    pub fn option(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The options of the query but one, each with a `&` behind, for the link to the next page.
    pub fn options_without(&self, left_out: &str) -> String {
        let mut options = String::new();
        for (name, value) in self.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(left_out)) {
            options += &format!("{}={}&", encode(name), encode(value));
        }
        options
    }

    /// `Prefer: IdType="ImmutableId"`
    pub fn immutable(&self) -> bool {
        self.preference("idtype").is_some_and(|value| value.eq_ignore_ascii_case("ImmutableId"))
    }

    pub fn page_size(&self) -> Option<u64> {
        self.preference("odata.maxpagesize")?.parse().ok()
    }

    pub fn wants_text(&self) -> bool {
        self.preference("outlook.body-content-type").is_some_and(|value| value.eq_ignore_ascii_case("text"))
    }

    fn preference(&self, name: &str) -> Option<String> {
        self.prefer.split([',', ';']).find_map(|preference| {
            let (key, value) = preference.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        })
    }

    pub fn base(&self) -> String {
        format!("https://{}", self.host)
    }
}

/// `users('x')` is the same as `users/x`; a quote within is doubled.
fn split_key(segment: &str) -> Vec<String> {
    let segment = decode(segment, false);
    if let Some((name, key)) = segment.strip_suffix("')").and_then(|rest| rest.split_once("('"))
        && !name.is_empty()
    {
        return vec![name.to_owned(), key.replace("''", "'")];
    }
    vec![segment]
}

/// The fields of a query or of a form.
pub fn form(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true), decode(value, true))
        })
        .collect()
}

fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (bytes[at], hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) if plus => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes a value so that it can stand in a path or a query.
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~@$,=()':".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_key() {
        assert_eq!(split_key("users('a''b%40c')"), ["users", "a'b@c"]);
        assert_eq!(split_key("x%23EXT%23@y"), ["x#EXT#@y"]);
        assert_eq!(
            form("%24top=25&a=b+c&d"),
            [("$top", "25"), ("a", "b c"), ("d", "")].map(|(a, b)| (a.into(), b.into()))
        );
        assert_eq!(encode("a#b c"), "a%23b%20c");
    }
}
