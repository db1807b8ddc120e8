//! What the archive is compared with: a Maildir of each mailbox, each message a file of its own, packed with zstd as our records
//! are. Nothing is synced.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use crate::pipe;

/// The level of our own records.
const LEVEL: i32 = 3;

pub fn run(dir: &Path, is_plain: bool, input: &mut impl Read) -> anyhow::Result<()> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    let (mut mails, mut bytes, mut stored) = (0u64, 0u64, 0u64);
    let (mut mail, mut made) = (Vec::new(), HashSet::new());
    while let Some((mailbox, len)) = pipe::next(input)? {
        mail.clear();
        input.by_ref().take(len.into()).read_to_end(&mut mail)?;
        anyhow::ensure!(mail.len() as u64 == u64::from(len), "the input ends within a mail");
        let folder = dir.join(mailbox.to_string());
        let (new, tmp) = (folder.join("new"), folder.join("tmp"));
        if made.insert(mailbox) {
            for part in [&new, &tmp, &folder.join("cur")] {
                fs::create_dir_all(part)?;
            }
        }
        let packed = if is_plain { mail.clone() } else { compressor.compress(&mail)? };
        let name = format!("{mails}.M1P1.host{}", if is_plain { "" } else { ".zst" });
        fs::write(tmp.join(&name), &packed)?;
        fs::rename(tmp.join(&name), new.join(&name))?;
        (mails, bytes, stored) = (mails + 1, bytes + u64::from(len), stored + packed.len() as u64);
    }
    println!("{{\"mails\":{mails},\"bytes\":{bytes},\"stored\":{stored}}}");
    Ok(())
}
