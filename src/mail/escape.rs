//! Text into HTML.

/// Appends `text` so that it is text, in an element as well as in an attribute with quotes around it. NUL and other control
/// characters become U+FFFD, as HTML has no way to write them.
pub(super) fn escape(text: &str, out: &mut String) {
    for char in text.chars() {
        escape_char(char, out);
    }
}

pub(super) fn escape_char(char: char, out: &mut String) {
    match char {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        '\t' | '\n' => out.push(char),
        '\r' => {}
        control if control.is_control() => out.push(char::REPLACEMENT_CHARACTER),
        other => out.push(other),
    }
}
