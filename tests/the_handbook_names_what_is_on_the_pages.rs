//! Promise: the handbook speaks of what is on the pages. What it sets in bold is a text of the pages in its language, what it
//! sets in italics is said by the program; both languages have the same chapters, parts and pictures; every link leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use archivista::language::Lang;
use archivista::web::texts;

/// Bytes of all pictures.
const PICTURES: u64 = 2_000_000;

fn handbook(lang: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/handbook").join(lang)
}

/// Name and text of every chapter.
fn chapters(lang: &str) -> Vec<(PathBuf, String)> {
    let files = fs::read_dir(handbook(lang)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// The strings in the debugging form of a value: all texts, however deep, and none that a list forgot.
fn strings(debug: &str) -> BTreeSet<String> {
    let (mut found, mut rest) = (BTreeSet::new(), debug.chars());
    while rest.any(|c| c == '"') {
        let mut text = String::new();
        while let Some(c) = rest.next().filter(|c| *c != '"') {
            text.push(if c == '\\' { rest.next().unwrap() } else { c });
        }
        found.insert(text);
    }
    found
}

/// Lines that are prose, with their numbers: what is indented by four is code.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with("    "));
    // What stands in backquotes is to be typed, or is a file's.
    lines.map(|(number, line)| (number, line.split('`').step_by(2).collect::<Vec<_>>().join("`")))
}

/// What stands between two marks in a line.
fn between<'a>(line: &'a str, mark: &str) -> Vec<&'a str> {
    let parts: Vec<&str> = line.split(mark).collect();
    assert!(parts.len() % 2 == 1, "a {mark} has no partner: {line}");
    parts.into_iter().skip(1).step_by(2).collect()
}

/// Every string in the program's source.
fn source() -> String {
    let (mut all, mut open) = (String::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all += &fs::read_to_string(path).unwrap();
        }
    }
    all
}

#[test]
fn what_is_bold_is_on_the_pages_and_what_is_in_italics_is_said() {
    let source = source();
    let mut wrong = Vec::new();
    for (lang, of) in [("de", Lang::De), ("en", Lang::En)] {
        let known = strings(&format!("{:?}", texts::of(of)));
        assert!(known.len() > 300, "only {} texts in {lang}", known.len());
        let mut labels = 0;
        for (path, text) in chapters(lang) {
            for (number, line) in prose(&text) {
                let mut say = |what: &str| wrong.push(format!("{}:{number}: {what}", path.display()));
                for label in between(&line, "**") {
                    labels += 1;
                    if !known.contains(label) {
                        say(&format!("{label:?} stands on no page in {lang}"));
                    }
                }
                for said in between(&line.replace("**", ""), "*") {
                    // Names and numbers stand for themselves.
                    for piece in said.split('…').map(str::trim).filter(|piece| piece.len() > 2) {
                        if !source.contains(piece) {
                            say(&format!("{piece:?} is said nowhere"));
                        }
                    }
                }
            }
        }
        assert!(labels > 100, "only {labels} labels in {lang}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn both_languages_say_the_same_things() {
    let (german, english) = (chapters("de"), chapters("en"));
    let name = |path: &Path| path.file_name().unwrap().to_owned();
    let names = |chapters: &[(PathBuf, String)]| chapters.iter().map(|(path, _)| name(path)).collect::<Vec<_>>();
    assert_eq!(names(&german), names(&english));
    assert!(german.len() >= 8, "{} chapters", german.len());
    for ((path, de), (_, en)) in german.iter().zip(&english) {
        let shape = |text: &str, lang: &str| {
            let heads = text.lines().filter(|line| line.starts_with('#'));
            let heads: Vec<usize> = heads.map(|line| line.chars().take_while(|c| *c == '#').count()).collect();
            let pictures = links(text).into_iter().filter(|link| link.starts_with("../pictures/"));
            let pictures: Vec<String> = pictures.map(|link| link.replace(&format!("/{lang}/"), "/")).collect();
            let labels: usize = prose(text).map(|(_, line)| between(&line, "**").len()).sum();
            let rows = text.lines().filter(|line| line.starts_with('|')).count();
            (heads, pictures, rows, labels)
        };
        assert_eq!(shape(de, "de"), shape(en, "en"), "{:?}: parts, pictures, rows of tables, labels", name(path));
        assert!(!de.contains('ß'), "{}: Swiss spelling", path.display());
    }
}

/// Where links and pictures of a text lead.
fn links(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1);
    ends.map(|rest| rest.split(')').next().unwrap().to_owned()).collect()
}

/// The anchor of a heading, as the usual readers of Markdown make it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_link_leads_somewhere_and_every_picture_is_there() {
    let mut seen = BTreeSet::new();
    for (path, text) in chapters("de").into_iter().chain(chapters("en")) {
        let folder = path.parent().unwrap();
        for link in links(&text) {
            let (file, part) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { folder.join(file) };
            assert!(target.is_file(), "{}: {link} leads nowhere", path.display());
            if !part.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut anchors = text.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(anchors.any(|anchor| anchor == part), "{}: {file} has no part {part}", path.display());
            }
            seen.insert(fs::canonicalize(target).unwrap());
        }
    }
    let (mut all, mut bytes) = (0, 0);
    for lang in ["de", "en"] {
        for picture in fs::read_dir(handbook("pictures").join(lang)).unwrap().map(|entry| entry.unwrap()) {
            assert!(seen.contains(&fs::canonicalize(picture.path()).unwrap()), "{:?} is shown nowhere", picture.path());
            (all, bytes) = (all + 1, bytes + picture.metadata().unwrap().len());
        }
    }
    assert!(all > 10 && bytes < PICTURES, "{all} pictures of {bytes} bytes");
    // Each chapter is in the index of its language, and both are in the README.
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for lang in ["de", "en"] {
        assert!(readme.contains(&format!("docs/handbook/{lang}/README.md")), "{lang}");
        let index = links(&fs::read_to_string(handbook(lang).join("README.md")).unwrap());
        for (path, _) in chapters(lang) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(name == "README.md" || index.contains(&name), "{name} is not in the index of {lang}");
        }
    }
}

#[test]
fn the_strings_of_a_value_are_found() {
    let value = Some(("a \"b\"", ["c\\d"], fs::read_to_string as fn(&'static str) -> std::io::Result<String>));
    let expected: BTreeSet<String> = ["a \"b\"", "c\\d"].map(str::to_owned).into();
    assert_eq!(strings(&format!("{value:?}")), expected);
}
