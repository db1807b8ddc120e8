//! Addresses as words of the index: `hans.meier@example.ch` is also the words `hans·meier·example·ch` and `meier·example·ch`.
//!
//! The domain of an organisation stands in every mail of it, so that a phrase that ends in one makes FTS5 walk through all of them. Such a word is
//! as rare as the address; a query that is an address asks for it, and finds in addresses what the phrase would find there.

use super::words::{Words, words};

/// Between the words of an address. No query has it otherwise, as it is no letter.
pub const JOINT: char = '·';

/// Words before the `@` that count: a query with more is a phrase.
const LOCAL: usize = 3;
/// Words behind it that count.
const DOMAIN: usize = 6;

/// The words as which the addresses in a text are found.
pub fn addresses(text: &str) -> impl Iterator<Item = String> {
    text.match_indices('@').flat_map(|(at, _)| {
        let (local, domain) = sides(text, at);
        let domain: Vec<String> = domain.take(DOMAIN).map(|word| word.text).collect();
        let mut local: Vec<String> = local.map(|word| word.text).collect();
        local.drain(..local.len().saturating_sub(LOCAL));
        let count = if domain.is_empty() { 0 } else { local.len() };
        (0..count).map(move |from| joined(local[from..].iter().chain(&domain)))
    })
}

/// The words of what is typed as one word, where they are those of one address and none is left over.
pub fn address(typed: &str, words: &[String]) -> Option<String> {
    let (local, domain) = sides(typed, typed.find('@')?);
    let (local, domain) = (local.count(), domain.count());
    let fits = (1..=LOCAL).contains(&local) && (1..=DOMAIN).contains(&domain) && local + domain == words.len();
    fits.then(|| joined(words.iter()))
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

/// The words before and behind the `@` that stands there. Each character of a text belongs to two addresses at most.
fn sides(text: &str, at: usize) -> (Words<'_>, Words<'_>) {
    let (before, behind) = (&text[..at], &text[at + 1..]);
    let ends = |c: char| c.is_whitespace() || "<>()[],;:@\\".contains(c);
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
