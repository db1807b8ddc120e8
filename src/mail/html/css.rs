//! Style of a mail: declarations of harmless properties, written anew. Nothing that names an address, moves out of its
//! place or is not understood comes through.

use crate::limits::HTML_SHEETS;

/// Bytes of one value.
const VALUE: usize = 500;
/// Bytes of the selectors of one rule.
const SELECTORS: usize = 1000;
/// Digits in a row; more make lengths that only an attack needs.
const DIGITS: usize = 5;

/// Properties that change how text in its place looks.
const PROPERTIES: [&str; 86] = [
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "box-sizing",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-stretch",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "hyphens",
    "letter-spacing",
    "line-height",
    "list-style",
    "list-style-position",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "outline",
    "outline-color",
    "outline-style",
    "outline-width",
    "overflow",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "page-break-after",
    "page-break-before",
    "page-break-inside",
    "table-layout",
    "tab-size",
    "text-align",
    "text-decoration",
    "text-decoration-color",
    "text-decoration-line",
    "text-decoration-style",
    "text-indent",
    "text-overflow",
    "text-transform",
    "unicode-bidi",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
];
/// Functions that stand for a colour or a length.
const FUNCTIONS: [&str; 7] = ["rgb", "rgba", "hsl", "hsla", "calc", "min", "max"];
const DISPLAYS: [&str; 14] = [
    "none",
    "block",
    "inline",
    "inline-block",
    "list-item",
    "table",
    "inline-table",
    "table-row",
    "table-cell",
    "table-row-group",
    "table-header-group",
    "table-footer-group",
    "table-column",
    "table-caption",
];

/// What is written of a `style` attribute or a rule, and how many addresses were left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub text: String,
    pub addresses: usize,
}

/// The declarations that are harmless. Their characters are letters, digits and ` #%.,()'+-/!`.
pub(super) fn declarations(style: &str) -> Style {
    let mut out = Style::default();
    let plain = without_comments(style);
    for declaration in split(&plain, ';') {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase();
        // Quotes of both kinds mean the same; one of them can stand in an attribute.
        let value = value.trim().replace('"', "'");
        let lower = value.to_ascii_lowercase();
        out.addresses += usize::from(lower.contains("url(") && (lower.contains("http") || lower.contains("//")));
        if PROPERTIES.contains(&name.as_str()) && harmless(&name, &lower) {
            out.text.push_str(&name);
            out.text.push(':');
            out.text.push_str(&value);
            out.text.push(';');
        }
    }
    out
}

/// A style sheet of rules with [`declarations`], and those in `@media` for screens; bounded by [`HTML_SHEETS`].
pub(super) fn sheet(css: &str) -> Style {
    let mut out = Style::default();
    let plain = without_comments(css).replace("<!--", "").replace("-->", "");
    rules(&plain, &mut out, false);
    out
}

fn rules(css: &str, out: &mut Style, nested: bool) {
    let mut rest = css.trim_start();
    while !rest.is_empty() && out.text.len() < HTML_SHEETS {
        if rest.starts_with('@') {
            let end = rest.find(['{', ';']).unwrap_or(rest.len());
            let prelude = &rest[..end];
            if !rest[end..].starts_with('{') {
                rest = rest.get(end + 1..).unwrap_or_default().trim_start();
                continue;
            }
            let (block, after) = block(&rest[end..]);
            if let Some(query) = prelude.strip_prefix("@media").filter(|query| !nested && is_query(query)) {
                out.text.push_str(&format!("@media {}{{", query.trim()));
                rules(block, out, true);
                out.text.push('}');
            }
            rest = after.trim_start();
            continue;
        }
        let Some(open) = rest.find('{') else { break };
        let selectors = rest[..open].trim();
        let (block, after) = block(&rest[open..]);
        rest = after.trim_start();
        let style = declarations(block);
        out.addresses += style.addresses;
        if is_selector(selectors) && !style.text.is_empty() {
            out.text.push_str(&format!("{selectors}{{{}}}", style.text));
        }
    }
}

/// What stands between the brace at the beginning and its partner, and what follows.
fn block(text: &str) -> (&str, &str) {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return (&text[1..at], &text[at + 1..]);
        }
    }
    (&text[1..], "")
}

fn is_query(query: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b" ():,.-\t\r\n".contains(&byte);
    query.len() <= SELECTORS && query.bytes().all(good) && !query.contains("print")
}

fn is_selector(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b" \t\r\n_-.#:>+~*,".contains(&byte);
    !text.is_empty() && text.len() <= SELECTORS && text.bytes().all(good)
}

fn harmless(name: &str, lower: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b" \t\r\n#%.,()'+-/!*_".contains(&byte);
    if lower.is_empty() || lower.len() > VALUE || !lower.bytes().all(good) || lower.matches('\'').count() % 2 == 1 {
        return false;
    }
    let keyword = lower.split('!').next().unwrap_or_default().trim();
    match name {
        "display" if !DISPLAYS.contains(&keyword) => return false,
        // What has a negative margin lies over its neighbours.
        name if name.starts_with("margin") && lower.contains('-') => return false,
        _ => {}
    }
    functions(lower) && digits(lower) && lower.matches('(').count() == lower.matches(')').count()
}

/// Whether every word before a bracket is a known function.
fn functions(lower: &str) -> bool {
    let mut at = 0;
    while let Some(open) = lower[at..].find('(').map(|open| at + open) {
        let before = &lower[..open];
        let word = before.rfind(|char: char| !(char.is_ascii_alphanumeric() || char == '-' || char == '_'));
        let word = &before[word.map_or(0, |end| end + 1)..];
        if !(FUNCTIONS.contains(&word) || (word.is_empty() && lower.contains("calc("))) {
            return false;
        }
        at = open + 1;
    }
    true
}

/// Whether no number is longer than [`DIGITS`] before its point. Colours (`#336699`) are none.
fn digits(lower: &str) -> bool {
    lower.split(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '.' | '#'))).all(|word| {
        let length = word.bytes().take_while(u8::is_ascii_digit).count();
        length <= DIGITS
    })
}

fn without_comments(css: &str) -> String {
    let mut plain = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(open) = rest.find("/*") {
        plain.push_str(&rest[..open]);
        plain.push(' ');
        rest = rest[open + 2..].find("*/").map_or("", |close| &rest[open + 2 + close + 2..]);
    }
    plain.push_str(rest);
    plain
}

/// Splits at `sign` outside of brackets and quotes.
fn split(text: &str, sign: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut begin, mut depth, mut quote) = (0, 0usize, None);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(open), _) => quote = Some(open).filter(|open| *open != char),
            (None, '"' | '\'') => quote = Some(char),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) if char == sign && depth == 0 => {
                pieces.push(&text[begin..at]);
                begin = at + sign.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(&text[begin..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_declarations_stay() {
        for (style, expected) in [
            ("color:red; Font-Family: \"Open Sans\", Arial", "color:red;font-family:'Open Sans', Arial;"),
            ("margin:0 auto !important", "margin:0 auto !important;"),
            ("width:calc(100% - 10px);background:#336699", "width:calc(100% - 10px);background:#336699;"),
            ("color:rgb(1,2,3)/* x; */;;x;", "color:rgb(1,2,3) ;"),
            ("font-size:10.66666666667px", "font-size:10.66666666667px;"),
        ] {
            assert_eq!(declarations(style).text.replace(" ;", ";"), expected.replace(" ;", ";"), "{style}");
        }
    }

    #[test]
    fn all_else_goes() {
        for style in [
            "background:url(http://x.ch/a.png)",
            "background:URL ('x')",
            "background-image:url(x)",
            "background:u\\72l(x)",
            "background:u/**/rl(x)",
            "background:image-set('x' 1x)",
            "width:expression(alert(1))",
            "width:ex/**/pression(alert(1))",
            "behavior:url(x)",
            "-moz-binding:url(x)",
            "position:fixed",
            "position:absolute;top:0",
            "z-index:9",
            "display:flex",
            "margin-left:-9999px",
            "width:9999999px",
            "color:var(--x)",
            "content:'x'",
            "color:red</style><script>",
            "color:'red",
            "color:red}body{",
            "color:attr(x)",
            "color:(1)",
            "@import 'x'",
            "transform:scale(9)",
            "animation:x 1s",
            "color:\u{ff52}ed",
        ] {
            assert_eq!(declarations(style).text, "", "{style}");
        }
        assert_eq!(declarations("background:url(http://x.ch/a.png);color:red").addresses, 1);
    }

    #[test]
    fn sheets() {
        for (css, expected) in [
            ("p.MsoNormal, li > a:hover {margin:0cm; position:fixed}", "p.MsoNormal, li > a:hover{margin:0cm;}"),
            ("<!-- @font-face{font-family:x;src:url(x)} a{color:red} -->", "a{color:red;}"),
            ("@import 'x';@import url(y);a{color:red}", "a{color:red;}"),
            (
                "@media screen and (max-width:600px){a{color:red}@media x{b{color:red}}}i{color:red}",
                "@media screen and (max-width:600px){a{color:red;}}i{color:red;}",
            ),
            ("@media x</style>{a{color:red}}", ""),
            ("a[href^='x']{color:red}", ""),
            ("a\\62{color:red}", ""),
            ("a{color:red", "a{color:red;}"),
            ("a{}}b{color:red}", ""),
            ("{color:red}", ""),
        ] {
            assert_eq!(sheet(css).text, expected, "{css}");
        }
    }

    #[test]
    fn hostile_style_is_read_in_linear_time() {
        for unit in ["{", "}", "a{", "/*", "@media x{", "a{color:red}", "(", "'", "@", "a:b;", "*/"] {
            let css = unit.repeat(crate::limits::MAIL_TEXT / unit.len());
            let start = std::time::Instant::now();
            let (sheet, style) = (sheet(&css), declarations(&css));
            assert!(sheet.text.len() <= 2 * HTML_SHEETS && style.text.len() <= css.len() + 1);
            assert!(start.elapsed().as_secs() < 10, "{unit}");
        }
    }
}
