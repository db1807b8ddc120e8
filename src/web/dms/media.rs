//! What a file is, told by its first bytes; what its sender or its name says does not count.

/// How a file may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    Picture,
    Pdf,
    Video,
    Audio,
    Text,
    /// Only to be saved: whatever could run something in a browser, and whatever is not known.
    Never,
}

/// The media type of a file by its first bytes, [`crate::limits::MEDIA_HEAD`] or all.
pub fn media_type(head: &[u8]) -> &'static str {
    if let Some(picture) = crate::mail::html::picture_type(head) {
        return picture;
    }
    match head {
        [b'%', b'P', b'D', b'F', b'-', ..] => "application/pdf",
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4).unwrap_or_default() {
            b"qt  " => "video/quicktime",
            b"M4A " | b"M4B " => "audio/mp4",
            b"heic" | b"heix" | b"mif1" | b"msf1" | b"avif" => "image/heif",
            _ => "video/mp4",
        },
        [0x1a, 0x45, 0xdf, 0xa3, ..] => {
            if memchr::memmem::find(&head[..head.len().min(64)], b"webm").is_some() {
                "video/webm"
            } else {
                "video/x-matroska"
            }
        }
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'I', b'D', b'3', ..] | [0xff, 0xfb | 0xf3 | 0xf2, ..] => "audio/mpeg",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "audio/wav",
        [b'P', b'K', 3, 4, ..] => "application/zip",
        _ => text_type(head),
    }
}

fn text_type(head: &[u8]) -> &'static str {
    const OTHER: &str = "application/octet-stream";
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The end of what was looked at may cut a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return OTHER,
    };
    if text.is_empty()
        || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{feff}'))
    {
        return OTHER;
    }
    let start = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t', '\u{c}']).to_ascii_lowercase();
    // What a browser might run is not text.
    if start.starts_with('<') {
        let is_svg = start.contains("<svg");
        let is_html = ["<!doctype html", "<html", "<head", "<body", "<script", "<iframe", "<!--"];
        return if is_svg {
            "image/svg+xml"
        } else if is_html.iter().any(|mark| start.contains(mark)) {
            "text/html"
        } else {
            "text/xml"
        };
    }
    "text/plain"
}

/// How a file of this type may be shown.
pub fn show(media_type: &str) -> Show {
    match media_type {
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" => Show::Picture,
        "application/pdf" => Show::Pdf,
        "video/mp4" | "video/webm" | "video/quicktime" => Show::Video,
        "audio/mp4" | "audio/mpeg" | "audio/ogg" | "audio/wav" => Show::Audio,
        "text/plain" => Show::Text,
        _ => Show::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_a_file_is() {
        for (head, expected) in [
            (&b"%PDF-1.7\n"[..], "application/pdf"),
            (b"\x89PNG\r\n\x1a\n....", "image/png"),
            (b"\0\0\0\x20ftypisom....", "video/mp4"),
            (b"\0\0\0\x14ftypqt  ....", "video/quicktime"),
            (b"\x1a\x45\xdf\xa3....\x42\x82\x84webm", "video/webm"),
            (b"Gr\xc3\xbcezi\n", "text/plain"),
            (b"Gr\xc3\xbcezi\n\xc3", "text/plain"),
            (b"\xef\xbb\xbf  <!DOCTYPE HTML><script>", "text/html"),
            (b"<?xml version='1.0'?><SVG onload=x>", "image/svg+xml"),
            (b"<!-- x --><a>", "text/html"),
            (b"<a>", "text/xml"),
            (b"a\0b", "application/octet-stream"),
            (b"", "application/octet-stream"),
        ] {
            assert_eq!(media_type(head), expected, "{head:?}");
        }
        for never in
            ["text/html", "image/svg+xml", "text/xml", "application/zip", "application/octet-stream", "image/heif"]
        {
            assert_eq!(show(never), Show::Never);
        }
    }
}
