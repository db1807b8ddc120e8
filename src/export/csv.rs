//! Tables for spreadsheets: lines of cells (RFC 4180), with semicolons and a byte order mark, so that one of this country opens
//! them by a double click.

/// What a file begins with.
pub const MARK: &str = "\u{feff}";

/// One line with its end.
pub fn line(cells: &[&str]) -> String {
    let mut line = cells.iter().map(|cell| field(cell)).collect::<Vec<_>>().join(";");
    line.push_str("\r\n");
    line
}

/// In quotation marks. What a spreadsheet would take for a formula (`=`, `+`, `-`, `@`) begins with an apostrophe: titles are
/// written by strangers.
fn field(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    let plain = text.replace(['\r', '\n', '\t', '\0'], " ").replace('"', "\"\"");
    format!("\"{}{plain}\"", if is_formula { "'" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_and_no_formula() {
        for (text, expected) in [
            ("Offerte; \"neu\"", "\"Offerte; \"\"neu\"\"\""),
            ("a\r\nb", "\"a  b\""),
            ("=1+1", "\"'=1+1\""),
            (" @SUM", "\"' @SUM\""),
            ("", "\"\""),
        ] {
            assert_eq!(field(text), expected);
        }
        assert_eq!(line(&["a", "b"]), "\"a\";\"b\"\r\n");
    }
}
