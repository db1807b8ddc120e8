//! What parent and child say to each other: frames of a length and bytes, an empty one at the end, then what became of it.
//!
//! ```text
//! parent: media type, character set, name │ bytes of the file … │ empty │ whether it is longer
//! child:  READY                                                          │ text … │ empty │ code of Unread or 0 │ cut
//! ```

use std::io::{self, Read, Write};

/// The child has bound itself and takes the file.
pub(super) const READY: u8 = b'R';
/// Bytes of one frame.
pub(super) const FRAME: usize = 64 * 1024;
/// Bytes of a media type, label or name; longer ones are none.
const WORD: usize = 1024;

/// One frame; nothing for no bytes, since an empty one is the end.
pub(super) fn send(out: &mut (impl Write + ?Sized), bytes: &[u8]) -> io::Result<()> {
    for piece in bytes.chunks(FRAME) {
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(piece)?;
    }
    Ok(())
}

/// The empty frame, and the bytes that are said behind it.
pub(super) fn end(out: &mut impl Write, said: &[u8]) -> io::Result<()> {
    out.write_all(&0u32.to_le_bytes())?;
    out.write_all(said)?;
    out.flush()
}

/// Length of the next frame, 0 for the last one.
pub(super) fn length(input: &mut impl Read) -> io::Result<usize> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    let length = usize::try_from(u32::from_le_bytes(bytes)).map_err(io::Error::other)?;
    if length > FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
    }
    Ok(length)
}

/// A word of what is known of a file; one that is too long is left out.
pub(super) fn send_word(out: &mut impl Write, word: &str) -> io::Result<()> {
    let word = if word.len() > WORD { "" } else { word };
    let length = u16::try_from(word.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(word.as_bytes())
}

/// The next word.
pub(super) fn word(input: &mut impl Read) -> io::Result<String> {
    let mut bytes = [0; 2];
    input.read_exact(&mut bytes)?;
    let mut word = vec![0; u16::from_le_bytes(bytes).into()];
    input.read_exact(&mut word)?;
    Ok(String::from_utf8_lossy(&word).into_owned())
}
