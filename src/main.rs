//! The map of the house.
//!
//! ```text
//! mail source ──stream──▶ spool ──▶ ingest ──▶ archive (packs, then catalog) ──▶ web
//! ```
//!
//! | room | what it is |
//! |---|---|
//! | `cli` | the verbs, one file each; `control` carries them to the process that serves the data folder |
//! | `settings` | all that an administrator can set, typed; secrets sealed |
//! | `source` | where mail comes from: trait `MailSource`; `imap` and `graph` (Microsoft 365) |
//! | `fetch` | the fetch loop: jobs, ledger, reconciliation, schedule. The only room that knows source and archive |
//! | `ingest` | one message in, one record out: spooled, hashed and read while it arrives |
//! | `mail` | a stored message taken apart: bytes in, values out |
//! | `search` | the index of words (a view of the log in `SQLite`), what people look for, and pages of what fits |
//! | `web` | the pages: WebDMS, WebAdmin, access links, the API, behind a gate of their own |
//! | `retention` | which documents' terms are over, and their end |
//! | `export` | several documents as one ZIP file |
//! | `extract` | the words in attachments, read by a child that is bound before it reads |
//! | `proof` | checkpoints that are signed, and all of it for a stranger to verify |
//! | `archive` | packs (the log, the one truth), catalog (a view of it in redb), verify, rebuild |
//! | `verification` | the whole archive looked at: slowly every 30 days, at once when somebody wants it; leaves a report |
//! | `appliance` | the box around it all: `supervise` with root's rights, and what `serve` knows of the box |
//!
//! Small things that every room uses: `limits` (every bound, in one place), `hash`, `clock`, `disk`, `language`, `pulse`,
//! `roles` and `ending` (signs of life, who watches them, and why they ended). `regex/` is a crate beside them: what the crate `imap` asks of the crate `regex`.
//!
//! Bytes flow one way, left to right. Exactly one process has a data folder open.

fn main() -> std::process::ExitCode {
    archivista::cli::main()
}
