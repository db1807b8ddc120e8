//! The piece of a text in which the words stand that somebody looked for.

use super::words::{self, Word};
use crate::limits::{SNIPPET_CHARS, SNIPPET_MATCHES};

/// A piece of a text, cut where its words are found: each bit and whether it is one of those.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    pub bits: Vec<(String, bool)>,
}

/// Words that stand one behind the other, folded; of the last one perhaps only the beginning.
pub type Mark = (Vec<String>, bool);

struct Match {
    from: usize,
    to: usize,
    mark: usize,
}

/// The piece with the most of `marks`, the first of those; `None` where there is none of them.
pub fn snippet(text: &str, marks: &[Mark]) -> Option<Snippet> {
    let matches = matches(text, marks);
    let distinct = |from: usize| {
        let within = matches.iter().filter(|it| it.from >= from && it.to <= from + SNIPPET_CHARS);
        let mut seen: Vec<usize> = within.map(|it| it.mark).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    };
    let best = matches.iter().map(|it| it.from).max_by_key(|from| (distinct(*from), std::cmp::Reverse(*from)))?;
    let begin = text.floor_char_boundary(best.saturating_sub(SNIPPET_CHARS / 4));
    // Not in the middle of a word, where one ends nearby.
    let begin =
        if begin == 0 { 0 } else { text[begin..best].find(char::is_whitespace).map_or(begin, |at| begin + at + 1) };
    let begin = text.ceil_char_boundary(begin);
    let end = text.floor_char_boundary((begin + SNIPPET_CHARS).max(matches.iter().find(|it| it.from == best)?.to));
    let mut snippet = Snippet::default();
    if begin > 0 {
        snippet.bits.push(("… ".into(), false));
    }
    let mut at = begin;
    for it in matches.iter().filter(|it| it.from >= begin && it.to <= end) {
        // Two that overlap are one.
        if it.from < at {
            continue;
        }
        snippet.push(&text[at..it.from], false);
        snippet.push(&text[it.from..it.to], true);
        at = it.to;
    }
    snippet.push(&text[at..end], false);
    if end < text.len() {
        snippet.bits.push((" …".into(), false));
    }
    Some(snippet)
}

impl Snippet {
    /// Line ends and rows of spaces become one space.
    fn push(&mut self, text: &str, is_match: bool) {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
            if c != ' ' || !out.ends_with(' ') {
                out.push(c);
            }
        }
        if !out.is_empty() {
            self.bits.push((out, is_match));
        }
    }
}

fn matches(text: &str, marks: &[Mark]) -> Vec<Match> {
    let mut found = Vec::new();
    let longest = marks.iter().map(|(words, _)| words.len()).max().unwrap_or(0);
    let mut window: std::collections::VecDeque<Word> = std::collections::VecDeque::new();
    let mut all = words::words(text);
    loop {
        while window.len() < longest {
            match all.next() {
                Some(word) => window.push_back(word),
                None => break,
            }
        }
        let Some(first) = window.front() else { return found };
        for (mark, (words, is_beginning)) in marks.iter().enumerate() {
            let is_here = words.len() <= window.len()
                && words.iter().zip(&window).enumerate().all(|(at, (wanted, word))| {
                    if *is_beginning && at + 1 == words.len() {
                        word.text.starts_with(wanted)
                    } else {
                        word.text == *wanted
                    }
                });
            if is_here && let Some(last) = window.get(words.len().saturating_sub(1)) {
                found.push(Match { from: first.place.start, to: last.place.end, mark });
                if found.len() == SNIPPET_MATCHES {
                    return found;
                }
            }
        }
        window.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(text: &str) -> Mark {
        (words::words(text).map(|word| word.text).collect(), text.ends_with('*'))
    }

    fn shown(text: &str, marks: &[&str]) -> Option<String> {
        let marks: Vec<Mark> = marks.iter().map(|text| mark(text)).collect();
        let bits = snippet(text, &marks)?.bits.into_iter();
        Some(bits.map(|(text, is_match)| if is_match { format!("[{text}]") } else { text }).collect())
    }

    #[test]
    fn words_are_found_as_the_index_finds_them() {
        assert_eq!(shown("Grüsse aus\r\n  Zürich!", &["zuerich"]).unwrap(), "Grüsse aus [Zürich]!");
        assert_eq!(
            shown("Die letzte Offerte, die letzte", &["letzte offerte"]).unwrap(),
            "Die [letzte Offerte], die letzte"
        );
        assert_eq!(shown("Offerten und mehr", &["offert*"]).unwrap(), "[Offerten] und mehr");
        assert_eq!(shown("nichts davon", &["offerte"]), None);
        assert_eq!(shown("", &["offerte"]), None);
    }

    #[test]
    fn the_piece_with_the_most_of_them_is_shown() {
        let far = "x ".repeat(300);
        let text = format!("Rechnung {far} Rechnung und Offerte für München {far}");
        let found = shown(&text, &["rechnung", "offerte", "münchen"]).unwrap();
        assert!(found.contains("[Rechnung] und [Offerte] für [München]"), "{found}");
        assert!(found.starts_with('…') && found.ends_with('…'), "{found}");
        assert!(found.chars().count() < SNIPPET_CHARS + 50, "{found}");
    }

    #[test]
    fn any_text_can_be_cut_anywhere() {
        let text = "ä€𝄞 wort ".repeat(200);
        for from in 0..300 {
            let text = format!("{}{text}", "ü".repeat(from));
            assert!(shown(&text, &["wort"]).is_some());
        }
    }
}
