//! Addresses as words of the index: `hans.meier@example.ch` is also the words `hans·meier·example·ch` and `meier·example·ch`.
//!
//! The domain of an organisation stands in every mail of it, so that a phrase that ends in one makes FTS5 walk through all of them. Such a word is
//! as rare as the address; a query that is an address asks for it, and finds in addresses what the phrase would find there.

use std::collections::VecDeque;

use super::words::{Words, words};
use crate::limits::{ADDRESS_BYTES, ADDRESS_WORDS};

/// Between the words of an address. No query has it otherwise, as it is no letter.
pub const JOINT: char = '·';

/// Words before the `@` that count: a query with more is a phrase.
const LOCAL: usize = 3;
/// Words behind it that count.
const DOMAIN: usize = 6;

/// How `@` is written.
const AT: [char; 3] = ['@', '＠', '﹫'];

/// The words as which the addresses in a text are found: the first [`ADDRESS_WORDS`], each of its first [`ADDRESS_BYTES`].
pub fn addresses(text: &str) -> impl Iterator<Item = String> {
    text.match_indices(AT).flat_map(|(at, sign)| of_sides(sides(text, at, sign))).take(ADDRESS_WORDS)
}

fn of_sides((local, domain): (Words<'_>, Words<'_>)) -> impl Iterator<Item = String> {
    let domain: Vec<String> = domain.take(DOMAIN).map(|word| word.text).collect();
    let mut last = VecDeque::new();
    for word in local.take_while(|_| !domain.is_empty()) {
        if last.len() == LOCAL {
            last.pop_front();
        }
        last.push_back(word.text);
    }
    (0..last.len()).map(move |from| {
        let mut all = joined(last.iter().skip(from).chain(&domain));
        all.truncate(all.floor_char_boundary(ADDRESS_BYTES));
        all
    })
}

/// The words of what is typed as one word, where they are those of one address and none is left over.
pub fn address(typed: &str, words: &[String]) -> Option<String> {
    let (at, sign) = typed.match_indices(AT).next()?;
    let (local, domain) = sides(typed, at, sign);
    let (local, domain) = (local.count(), domain.count());
    let fits = (1..=LOCAL).contains(&local) && (1..=DOMAIN).contains(&domain) && local + domain == words.len();
    let joined = joined(words.iter());
    (fits && joined.len() < ADDRESS_BYTES).then_some(joined)
}

fn joined<'a>(words: impl Iterator<Item = &'a String>) -> String {
    let mut all = String::new();
    for word in words {
        if !all.is_empty() {
            all.push(JOINT);
        }
        all.push_str(word);
    }
    all
}

/// The words before and behind the sign that stands there. Each character of a text belongs to two addresses at most.
fn sides<'a>(text: &'a str, at: usize, sign: &str) -> (Words<'a>, Words<'a>) {
    let (before, behind) = (&text[..at], &text[at + sign.len()..]);
    let ends = |c: char| c.is_whitespace() || AT.contains(&c) || "<>()[],;:\\".contains(c);
    let begin = before.rfind(ends).map_or(0, |end| before.ceil_char_boundary(end + 1));
    let end = behind.find(|c: char| ends(c) || "/\"'|".contains(c)).unwrap_or(behind.len());
    (words(&before[begin..]), words(&behind[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        addresses(text).collect()
    }

    #[test]
    fn addresses_are_words() {
        assert_eq!(of("Anna <anna@Müller.example>, b@c"), ["anna·muller·example", "b·c"]);
        assert_eq!(of("mailto:hans.peter-meier@a.ch/x"), ["hans·peter·meier·a·ch", "peter·meier·a·ch", "meier·a·ch"]);
        assert_eq!(of("a.b.c.d@1.2.3.4.5.6.7"), ["b·c·d·1·2·3·4·5·6", "c·d·1·2·3·4·5·6", "d·1·2·3·4·5·6"]);
        assert_eq!(of("\"hans meier\"@a.ch"), ["meier·a·ch"]);
        assert_eq!(of("@a b@ c @ d @@ e@@f 東@"), [""; 0]);
        assert_eq!(of("x@xn--mller-kva.ch\u{a0}y"), ["x·muller·ch"]);
        assert_eq!(of("x＠a.ch y﹫b.ch"), ["x·a·ch", "y·b·ch"]);
        assert_eq!(of(&"a@b ".repeat(ADDRESS_WORDS + 1)).len(), ADDRESS_WORDS);
        let long = format!("a@{}", vec!["ﷺ".repeat(40); 7].join("."));
        assert!(of(&long)[0].len() <= ADDRESS_BYTES && address(&long, &[]).is_none());
        assert_eq!(of(&format!("{}@b", "a.".repeat(100_000))), ["a·a·a·b", "a·a·b", "a·b"]);
    }

    #[test]
    fn an_address_that_is_typed_is_one_of_them() {
        let typed = |text: &str| address(text, &words(text).map(|word| word.text).collect::<Vec<_>>());
        for text in ["meier@a.ch", "<Meier@A.ch>", "peter.meier@a.ch"] {
            let known = of("hans.peter.meier@a.ch");
            assert!(typed(text).is_some_and(|word| known.contains(&word)), "{text}");
        }
        for text in ["meier", "@a.ch", "meier@", "a b@c", "a@b c", "a@b@c", "a.b.c.d@e", "a@1.2.3.4.5.6.7"] {
            assert_eq!(typed(text), None, "{text}");
        }
    }
}
