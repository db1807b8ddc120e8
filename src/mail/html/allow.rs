//! What may stand in the HTML of a mail. All else is left out; its text stays.

/// Elements without content.
pub(super) const VOID: [&str; 5] = ["br", "col", "hr", "img", "wbr"];

/// Elements with content.
pub(super) const ELEMENTS: [&str; 80] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "caption",
    "center",
    "cite",
    "code",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "dir",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "i",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    // Read, but written as something else or as nothing.
    "body",
    "textarea",
    "xmp",
    "listing",
    "plaintext",
    "button",
    "fieldset",
];
/// Those of [`ELEMENTS`] that are written as another one.
pub(super) const WRITTEN_AS: [(&str, &str); 7] = [
    ("body", "div"),
    ("textarea", "pre"),
    ("xmp", "pre"),
    ("listing", "pre"),
    ("plaintext", "pre"),
    ("button", "span"),
    ("fieldset", "div"),
];

/// Attributes of any element whose value is one of these characters only: letters, digits, ` #%.,+-_`.
pub(super) const PLAIN: [&str; 27] = [
    "align",
    "bgcolor",
    "border",
    "bordercolor",
    "cellpadding",
    "cellspacing",
    "class",
    "clear",
    "color",
    "colspan",
    "compact",
    "dir",
    "face",
    "frame",
    "height",
    "hspace",
    "lang",
    "noshade",
    "nowrap",
    "rowspan",
    "rules",
    "size",
    "span",
    "start",
    "type",
    "valign",
    "vspace",
];
/// Attributes of any element whose value is text.
pub(super) const TEXT: [&str; 3] = ["title", "abbr", "datetime"];

/// Attributes that are written with a value of our own or a checked one.
pub(super) const WRITTEN: [&str; 8] = ["href", "rel", "target", "src", "alt", "style", "width", "value"];

/// The name under which an element is written; none for one that is not.
pub(super) fn element(name: &str) -> Option<&str> {
    if let Some((_, written)) = WRITTEN_AS.iter().find(|(read, _)| *read == name) {
        return Some(written);
    }
    (VOID.contains(&name) || ELEMENTS.contains(&name)).then_some(name)
}

/// Elements whose end tag may be missing; an end tag of our own would make an empty one.
pub(super) const OPTIONAL_END: [&str; 13] =
    ["p", "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot", "colgroup", "rt", "rp"];

/// The elements at whose beginning the one before them ends: what begins, what it ends.
pub(super) fn ended_by(name: &str) -> &'static [&'static str] {
    match name {
        "li" => &["p", "li"],
        "dt" | "dd" => &["p", "dt", "dd"],
        "td" | "th" => &["p", "td", "th"],
        "tr" => &["p", "td", "th", "tr"],
        "tbody" | "thead" | "tfoot" => &["p", "td", "th", "tr", "tbody", "thead", "tfoot", "colgroup"],
        "rt" | "rp" => &["rt", "rp"],
        "address" | "article" | "aside" | "blockquote" | "center" | "details" | "dir" | "div" | "dl" | "figcaption"
        | "figure" | "footer" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "header" | "hr" | "main" | "menu" | "nav"
        | "ol" | "p" | "pre" | "section" | "table" | "ul" => &["p"],
        _ => &[],
    }
}

/// Whether an end tag does not reach through this element (HTML, section 13.2.4.2).
pub(super) fn is_barrier(open: &str, end: &str) -> bool {
    let structure = matches!(end, "table" | "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "caption" | "colgroup");
    if structure { open == "table" } else { matches!(open, "table" | "td" | "th" | "caption") }
}
