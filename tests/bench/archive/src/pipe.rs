//! A mail on its way from one process to the other: number of its mailbox (2 bytes), its length (4), and so many bytes.

use std::io::{self, Read, Write};

pub struct Mail {
    pub mailbox: u16,
    pub bytes: Vec<u8>,
}

pub fn give(mail: &Mail, out: &mut dyn Write) -> io::Result<()> {
    let len = u32::try_from(mail.bytes.len()).map_err(io::Error::other)?;
    out.write_all(&mail.mailbox.to_le_bytes())?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(&mail.bytes)
}

/// Mailbox and length of the next mail, whose bytes follow; `None` where there is no further one.
pub fn next(input: &mut dyn Read) -> io::Result<Option<(u16, u32)>> {
    let mut head = [0; 6];
    if input.read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut head[1..])?;
    let [a, b, len @ ..] = head;
    Ok(Some((u16::from_le_bytes([a, b]), u32::from_le_bytes(len))))
}
