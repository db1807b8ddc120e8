//! Prose: words of syllables, some of them frequent, in sentences. Packs about as well as what people write.

use std::sync::LazyLock;

use crate::chance::Chance;

const SYLLABLES: &str = "an auf aus be ber bei chen da den der dung ein el en er fer fol ge gen grü gut hal hei in is ka kei ken ko kun la le \
     lie ma mei men mit mö na ne nen nung of pro re rech ren ru schaf schrei se sen sit stel tag te ten ter tig tung um un \
     uns ver vor wei wer wo zei zen zu zü";

static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let syllables: Vec<&str> = SYLLABLES.split_whitespace().collect();
    let mut chance = Chance::of(1);
    let mut word = |length: usize| (0..length).map(|_| syllables[chance.below(syllables.len())]).collect();
    (0..6000).map(|number| word(1 + number % 4)).collect()
});

/// At least `len` bytes of sentences, in lines.
pub fn prose(chance: &mut Chance, len: usize) -> String {
    let mut text = String::with_capacity(len + 100);
    while text.len() < len {
        for place in 0..chance.within(4, 14) {
            if place > 0 {
                text.push(' ');
            }
            match chance.below(40) {
                0 => text.push_str(&chance.below(10_000).to_string()),
                _ => text.push_str(&WORDS[chance.rather_low(WORDS.len())]),
            }
        }
        text.push_str(if chance.percent(30) { ".\n" } else { ". " });
    }
    text.push('\n');
    text
}

/// Some words in one line.
pub fn title(chance: &mut Chance) -> String {
    let words: Vec<&str> = (0..chance.within(2, 6)).map(|_| WORDS[chance.rather_low(WORDS.len())].as_str()).collect();
    words.join(" ")
}

/// The address of a person of the company.
pub fn address(person: u16) -> String {
    format!("person{person}@muster.example")
}

/// Quoted-printable (RFC 2045, section 6.7), lines ended by CRLF.
pub fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 20);
    for line in text.lines() {
        let mut column = 0;
        for byte in line.bytes() {
            let is_plain = matches!(byte, b' '..=b'~') && byte != b'=';
            let width = if is_plain { 1 } else { 3 };
            if column + width > 75 {
                out.push_str("=\r\n");
                column = 0;
            }
            if is_plain {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("={byte:02X}"));
            }
            column += width;
        }
        if line.ends_with(' ') {
            out.truncate(out.len() - 1);
            out.push_str("=20");
        }
        out.push_str("\r\n");
    }
    out
}
