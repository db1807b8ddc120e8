//! Tables as people paste them: cells with `;`, a tab or `,` between, as Excel writes them in German, English or by copying.

/// A cell began with a quotation mark that is not closed on its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open;

/// A line with cells: its number, counted from 1, and the cells without the white space around them.
pub type Line = (usize, Result<Vec<String>, Open>);

/// Reads a text. Empty lines are left out; which separator it is, the first line tells. Quotation marks hold a cell together,
/// and stand for themselves when doubled (RFC 4180); no cell goes over the end of its line.
pub fn lines(text: &str) -> impl Iterator<Item = Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let filled = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let separator = filled().next().map_or(';', |(_, first)| separator(first));
    filled().map(move |(at, line)| (at + 1, cells(line, separator)))
}

/// The first of these that stands in a line outside quotation marks.
fn separator(line: &str) -> char {
    let bare: String = line.split('"').step_by(2).collect();
    [';', '\t', ','].into_iter().find(|separator| bare.contains(*separator)).unwrap_or(';')
}

fn cells(line: &str, separator: char) -> Result<Vec<String>, Open> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    // Whether the cell was held together: then the white space within is meant.
    let mut was_quoted = false;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() && !was_quoted => {
                cell.clear();
                (quoted, was_quoted) = (true, true);
            }
            c if c == separator && !quoted => {
                cells.push(done(&mut cell, &mut was_quoted));
            }
            // Between the closing mark and the separator.
            c if was_quoted && !quoted && c.is_whitespace() => {}
            c => cell.push(c),
        }
    }
    if quoted {
        return Err(Open);
    }
    cells.push(done(&mut cell, &mut was_quoted));
    Ok(cells)
}

fn done(cell: &mut String, was_quoted: &mut bool) -> String {
    let whole = std::mem::take(cell);
    if std::mem::take(was_quoted) { whole } else { whole.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<Line> {
        lines(text).collect()
    }

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn tables_are_read_as_excel_writes_them() {
        assert_eq!(
            read("\u{feff}a@b.ch;geheim\r\n\r\nc@d.ch; x y ;;\r\n"),
            [(1, Ok(row(&["a@b.ch", "geheim"]))), (3, Ok(row(&["c@d.ch", "x y", "", ""]))),]
        );
        assert_eq!(read("a\tb;c\n")[0].1, Ok(row(&["a\tb", "c"])));
        assert_eq!(read("a\tb,c\nd,e\tf")[1].1, Ok(row(&["d,e", "f"])));
        assert_eq!(read("a,b\n")[0].1, Ok(row(&["a", "b"])));
        // A separator within marks decides nothing.
        assert_eq!(read("\"a;b\",c\n")[0].1, Ok(row(&["a;b", "c"])));
        assert_eq!(read("a;\" sagt \"\"ja\"\" \" ;993")[0].1, Ok(row(&["a", " sagt \"ja\" ", "993"])));
        assert_eq!(read("a;ge\"heim")[0].1, Ok(row(&["a", "ge\"heim"])));
        assert_eq!(read("a;\"offen\nb;c"), [(1, Err(Open)), (2, Ok(row(&["b", "c"])))]);
        assert_eq!(read(""), []);
        assert_eq!(read("allein"), [(1, Ok(row(&["allein"])))]);
    }

    proptest! {
        #[test]
        fn any_text_is_lines_of_cells(text in "[\\x00-\\x7f\"\";,\t\n\r]*", any in ".*") {
            for text in [text, any] {
                for (at, cells) in lines(&text) {
                    prop_assert!(at >= 1 && at <= text.lines().count());
                    prop_assert!(cells.is_err() || cells.is_ok_and(|cells| !cells.is_empty()));
                }
            }
        }

        #[test]
        fn what_is_quoted_comes_back(cells in proptest::collection::vec("[^\r\n]*", 1..6)) {
            let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let line = format!("x;{}", quoted.join(";"));
            let (_, read) = lines(&line).next().unwrap();
            prop_assert_eq!(&read.unwrap()[1..], cells.as_slice());
        }
    }
}
