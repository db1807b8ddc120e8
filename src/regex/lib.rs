//! What the crate `imap` asks of the crate `regex`, by `regex-lite` of the same authors. It has two patterns, of ASCII text;
//! the automata and tables for all of Unicode that it would bring for them are a tenth of the program.

pub use regex_lite::{CaptureMatches, Captures, Error, Match, Regex};

/// Patterns in bytes.
pub mod bytes {
    use super::Error;

    pub struct Regex(regex_lite::Regex);

    impl Regex {
        pub fn new(pattern: &str) -> Result<Self, Error> {
            regex_lite::Regex::new(pattern).map(Self)
        }

        /// Whether it is found. Bytes that are no text are like an unknown character.
        pub fn is_match(&self, bytes: &[u8]) -> bool {
            self.0.is_match(&String::from_utf8_lossy(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Regex, bytes};

    #[test]
    fn the_answer_to_a_login_is_found_in_its_line() {
        let pattern = Regex::new("^\\+ (.*)\r\n").unwrap();
        let found =
            |line| pattern.captures_iter(line).next().and_then(|found| Some(found.get(1)?.as_str().to_string()));
        assert_eq!(found("+ eyJzdGF0dXMi=\r\n").as_deref(), Some("eyJzdGF0dXMi="));
        assert_eq!(found("+ \r\n").as_deref(), Some(""));
        assert_eq!(found("+\r\n"), None);
        assert_eq!(found("a1 OK + x\r\n"), None);
    }

    #[test]
    fn a_capability_is_found_among_others() {
        let pattern = bytes::Regex::new(r"\bSTARTTLS\b").unwrap();
        assert!(pattern.is_match(b"* CAPABILITY IMAP4rev1 STARTTLS \xff\r\n"));
        assert!(!pattern.is_match(b"* CAPABILITY IMAP4rev1 XSTARTTLS\r\n"));
    }
}
