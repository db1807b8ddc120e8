//! Addresses that a mail may link to.

/// Bytes of an address; a longer one is not made a link.
const ADDRESS: usize = 8000;

/// The address, if it is one of `http`, `https`, `mailto` or `tel`, as it may stand in an attribute once escaped. White space
/// and control characters are taken out first, because browsers pass over them within `java script:` (URL, section 4.4).
pub(super) fn safe(address: &str) -> Option<String> {
    let hidden = |char: char| {
        char.is_control()
            || matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let plain: String = address.trim().chars().filter(|char| !hidden(*char)).collect();
    let plain = plain.trim();
    if plain.len() > ADDRESS {
        return None;
    }
    let (scheme, rest) = plain.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let known = match scheme.as_str() {
        "http" | "https" => rest
            .strip_prefix("//")
            .is_some_and(|host| host.starts_with(|char: char| char.is_alphanumeric() || char == '[')),
        "mailto" | "tel" => !rest.trim().is_empty(),
        _ => false,
    };
    known.then(|| format!("{scheme}:{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_schemes() {
        for good in
            ["http://a.ch/x?a=1&b=2#c", "https://[::1]:8443/", "mailto:a@b.ch?subject=x", "tel:+41 44 123 45 67"]
        {
            assert_eq!(safe(good).as_deref(), Some(good));
        }
        assert_eq!(safe(" \tHTTPS://a.ch/\r\n").as_deref(), Some("https://a.ch/"));
        assert_eq!(safe("ht\ntps://a.ch/").as_deref(), Some("https://a.ch/"));
        for bad in [
            "javascript:alert(1)",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "vbscript:x",
            "data:text/html,<script>",
            "file:///etc/passwd",
            "//a.ch/",
            "/admin",
            "#top",
            "x.html",
            "http:admin",
            "http:///admin",
            "http://\\a",
            "mailto:",
            "blob:https://a.ch/1",
            "",
            ":",
        ] {
            assert_eq!(safe(bad), None, "{bad}");
        }
        assert_eq!(safe(&format!("https://a.ch/{}", "x".repeat(9000))), None);
    }
}
