//! The pieces that the forms of this room are made of, beside those of `layout`.

use maud::{Markup, Render, html};

use super::super::layout::Field;

/// A field of several lines. What it holds is shown; a secret is given `""`.
pub fn area(name: &str, label: &str, value: &str, help: &str, wrong: &str) -> Markup {
    let described = format!("{name}-help");
    let said = !(help.is_empty() && wrong.is_empty());
    html! {
        div.field {
            label for=(name) { (label) }
            textarea id=(name) name=(name) spellcheck="false" autocomplete="off" aria-describedby=[said.then_some(&described)]
                aria-invalid=[(!wrong.is_empty()).then_some("true")] {
                // A browser leaves out the first line end.
                "\n" (value)
            }
            @if said { small id=(described) { @if !wrong.is_empty() { span.wrong { (wrong) " " } } (help) } }
        }
    }
}

/// What is wrong with something that is no single field.
pub fn wrong(text: &str) -> Markup {
    html! { @if !text.is_empty() { p.field { span.wrong role="alert" { (text) } } } }
}

/// A field of one line without completion by the browser.
pub fn line(name: &str, label: &str, value: &str, help: &str, wrong: &str) -> Markup {
    Field { name, label, value, help, wrong, fill: "off", ..Field::default() }.render()
}

/// A number.
pub fn number(name: &str, label: &str, value: &str, help: &str, wrong: &str) -> Markup {
    Field { name, label, value, kind: "number", help, wrong, fill: "off", ..Field::default() }.render()
}

/// A secret: never shown.
pub fn secret(name: &str, label: &str, help: &str, wrong: &str) -> Markup {
    Field { name, label, kind: "password", help, wrong, fill: "new-password", ..Field::default() }.render()
}

/// Splits a list as people write it: commas between, a name with a comma in quotation marks. `None` where one of them is not
/// closed.
pub fn list(text: &str) -> Option<Vec<String>> {
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    names.push(name);
    let names = names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    (!quoted).then(|| names.collect())
}

/// The list as [`list`] reads it.
pub fn listed(names: &[String]) -> String {
    let quoted = |name: &String| if name.contains(',') { format!("\"{name}\"") } else { name.clone() };
    names.iter().map(quoted).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_folders() {
        assert_eq!(list("INBOX, Rechnungen/2024 ,,").unwrap(), ["INBOX", "Rechnungen/2024"]);
        assert_eq!(list("").unwrap(), [""; 0]);
        assert_eq!(list("\"Meier, Hans\",x").unwrap(), ["Meier, Hans", "x"]);
        assert_eq!(list("\"Meier"), None);
        let names = ["Meier, Hans".to_owned(), "x".to_owned()];
        assert_eq!(list(&listed(&names)).unwrap(), names);
    }
}
