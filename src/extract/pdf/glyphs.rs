//! What the names of glyphs stand for: those of Adobe's list that Latin scripts have, and names that say it themselves.

/// The standard encoding of Type 1 fonts (ISO 32000-1, annex D.2) above ASCII, from 0xa1 on; `\0` where there is nothing.
const STANDARD: &str = "¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ\0–†‡·\0¶•‚„”»…‰\0¿\0`´ˆ˜¯˘˙¨\0˚¸\0˝˛ˇ—\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0Æ\0ª\0\0\0\0ŁØŒº\0\0\0\0\0æ\0\0\0ı\0\0łøœß";

/// Names beyond letters and their accents.
const NAMED: &[(&str, &str)] = &[
    ("space", " "),
    ("nbspace", " "),
    ("exclam", "!"),
    ("quotedbl", "\""),
    ("numbersign", "#"),
    ("dollar", "$"),
    ("percent", "%"),
    ("ampersand", "&"),
    ("quotesingle", "'"),
    ("quoteright", "’"),
    ("quoteleft", "‘"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("asterisk", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("hyphen", "-"),
    ("minus", "−"),
    ("period", "."),
    ("slash", "/"),
    ("zero", "0"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("colon", ":"),
    ("semicolon", ";"),
    ("less", "<"),
    ("equal", "="),
    ("greater", ">"),
    ("question", "?"),
    ("at", "@"),
    ("bracketleft", "["),
    ("backslash", "\\"),
    ("bracketright", "]"),
    ("asciicircum", "^"),
    ("underscore", "_"),
    ("grave", "`"),
    ("braceleft", "{"),
    ("bar", "|"),
    ("braceright", "}"),
    ("asciitilde", "~"),
    ("exclamdown", "¡"),
    ("questiondown", "¿"),
    ("cent", "¢"),
    ("sterling", "£"),
    ("yen", "¥"),
    ("currency", "¤"),
    ("Euro", "€"),
    ("florin", "ƒ"),
    ("section", "§"),
    ("paragraph", "¶"),
    ("copyright", "©"),
    ("registered", "®"),
    ("trademark", "™"),
    ("degree", "°"),
    ("plusminus", "±"),
    ("multiply", "×"),
    ("divide", "÷"),
    ("mu", "µ"),
    ("onesuperior", "¹"),
    ("twosuperior", "²"),
    ("threesuperior", "³"),
    ("onequarter", "¼"),
    ("onehalf", "½"),
    ("threequarters", "¾"),
    ("ordfeminine", "ª"),
    ("ordmasculine", "º"),
    ("guillemotleft", "«"),
    ("guillemotright", "»"),
    ("guilsinglleft", "‹"),
    ("guilsinglright", "›"),
    ("quotedblleft", "“"),
    ("quotedblright", "”"),
    ("quotedblbase", "„"),
    ("quotesinglbase", "‚"),
    ("endash", "–"),
    ("emdash", "—"),
    ("bullet", "•"),
    ("periodcentered", "·"),
    ("ellipsis", "…"),
    ("dagger", "†"),
    ("daggerdbl", "‡"),
    ("perthousand", "‰"),
    ("fraction", "⁄"),
    ("dieresis", "¨"),
    ("acute", "´"),
    ("circumflex", "ˆ"),
    ("tilde", "˜"),
    ("cedilla", "¸"),
    ("germandbls", "ß"),
    ("AE", "Æ"),
    ("ae", "æ"),
    ("OE", "Œ"),
    ("oe", "œ"),
    ("Oslash", "Ø"),
    ("oslash", "ø"),
    ("Lslash", "Ł"),
    ("lslash", "ł"),
    ("Eth", "Ð"),
    ("eth", "ð"),
    ("Thorn", "Þ"),
    ("thorn", "þ"),
    ("Dcroat", "Đ"),
    ("dcroat", "đ"),
    ("dotlessi", "ı"),
    ("ff", "ff"),
    ("fi", "fi"),
    ("fl", "fl"),
    ("ffi", "ffi"),
    ("ffl", "ffl"),
];

/// Accents as names have them at their end, and the letters that have them: each letter, then what it becomes.
const ACCENTS: &[(&str, &str)] = &[
    ("dieresis", "AÄaäEËeëIÏiïOÖoöUÜuüYŸyÿ"),
    ("acute", "AÁaáCĆcćEÉeéIÍiíLĹlĺNŃnńOÓoóRŔrŕSŚsśUÚuúYÝyýZŹzź"),
    ("grave", "AÀaàEÈeèIÌiìOÒoòUÙuù"),
    ("circumflex", "AÂaâEÊeêIÎiîOÔoôUÛuû"),
    ("tilde", "AÃaãNÑnñOÕoõ"),
    ("caron", "CČcčDĎdďEĚeěNŇnňRŘrřSŠsšTŤtťZŽzž"),
    ("ring", "AÅaåUŮuů"),
    ("cedilla", "CÇcçSŞsş"),
    ("commaaccent", "SȘsșTȚtțGĢgģKĶkķLĻlļNŅnņ"),
    ("ogonek", "AĄaąEĘeęIĮiįUŲuų"),
    ("macron", "AĀaāEĒeēIĪiīOŌoōUŪuū"),
    ("breve", "AĂaăGĞgğ"),
    ("dotaccent", "CĊcċEĖeėGĠgġIİZŻzż"),
    ("hungarumlaut", "OŐoőUŰuű"),
];

/// What a code of the standard encoding stands for.
pub(super) fn standard(code: u8) -> Option<char> {
    match code {
        b'\'' => Some('’'),
        b'`' => Some('‘'),
        b' '..=b'~' => Some(char::from(code)),
        0xa1.. => STANDARD.chars().nth(usize::from(code - 0xa1)).filter(|char| *char != '\0'),
        _ => None,
    }
}

/// What the name of a glyph stands for; none where it says nothing.
pub(super) fn text(name: &str) -> Option<String> {
    // What follows a dot says how it looks.
    let name = name.split('.').next().filter(|name| !name.is_empty())?;
    if name.contains('_') {
        return name.split('_').map(text).collect();
    }
    let mut chars = name.chars();
    if let (Some(char), None) = (chars.next(), chars.next()) {
        return char.is_ascii_alphabetic().then(|| char.to_string());
    }
    if let Some((_, found)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some((*found).to_string());
    }
    let digits = name.strip_prefix("uni").or_else(|| name.strip_prefix('u'));
    if let Some(digits) = digits.filter(|digits| (4..=6).contains(&digits.len()))
        && let Ok(number) = u32::from_str_radix(digits, 16)
    {
        return char::from_u32(number).map(|char| char.to_string());
    }
    ACCENTS.iter().find_map(|(accent, letters)| {
        let mut base = name.strip_suffix(accent)?.chars();
        let (base, None) = (base.next()?, base.next()) else { return None };
        let letters: Vec<char> = letters.chars().collect();
        letters.chunks(2).find(|pair| pair[0] == base).map(|pair| pair[1].to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes() {
        for (name, expected) in [
            ("A", Some("A")),
            ("udieresis", Some("ü")),
            ("Adieresis.sc", Some("Ä")),
            ("f_f_i", Some("ffi")),
            ("fi", Some("fi")),
            ("uni00FC", Some("ü")),
            ("u1F600", Some("😀")),
            ("germandbls", Some("ß")),
            ("scaron", Some("š")),
            ("xdieresis", None),
            ("g123", None),
            ("uniD800", None),
            (".notdef", None),
            ("", None),
        ] {
            assert_eq!(text(name).as_deref(), expected, "{name}");
        }
        assert_eq!(standard(0xfb), Some('ß'));
        assert_eq!(standard(0xae), Some('ﬁ'));
        assert_eq!(standard(0xe1), Some('Æ'));
        assert_eq!(standard(0xf8), Some('ł'));
        assert_eq!((standard(0x80), standard(0xff), standard(b'a')), (None, None, Some('a')));
    }
}
