//! What retention did of late: its passes, and whether somebody confirmed that many documents end.

use serde::{Deserialize, Serialize};

use super::retention::SURE;
use super::{Result, find_json, open_json, read_json, to_json, write_json};
use crate::archive::Archive;
use crate::archive::commit::{Commit, Setting};
use crate::archive::view::View;
use crate::limits::RETENTION_PASSES;

/// The last pass.
const LAST: &str = "retention-pass";
/// Those in which documents ended.
const PASSES: &str = "retention-passes";

/// One look at all documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pass {
    /// When it began, Unix seconds.
    pub time: i64,
    /// The last time that nobody doubted, likewise.
    pub known: i64,
    pub looked: u64,
    /// How many ended by it, and how many would have without a hold.
    pub ended: u64,
    pub held: u64,
    /// Bytes that became free.
    pub freed: u64,
    /// Why nothing ended although so many were due.
    pub waits: Option<Waits>,
    /// It was stopped before its end.
    pub is_cut: bool,
}

/// What a pass waits for: somebody has to say that it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    pub why: Doubt,
    /// So many would end.
    pub due: u64,
}

/// What looks wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doubt {
    /// Very many would end for the first time since something was shortened.
    Many,
    /// The clock is far ahead of the pass before.
    Clock,
}

/// That somebody confirmed what a pass waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sure {
    pub who: String,
    /// When that pass was, Unix seconds.
    pub until: i64,
}

pub fn last(view: &View) -> Result<Option<Pass>> {
    let row = view.setting_row(LAST)?.and_then(|row| row.value.value);
    row.map(|json| open_json(LAST, &json)).transpose()
}

/// Those in which documents ended, the newest first.
pub fn passes(archive: &Archive) -> Result<Vec<Pass>> {
    read_json(archive, PASSES)
}

pub fn sure(archive: &Archive) -> Result<Option<Sure>> {
    find_json(archive, SURE)
}

/// Confirms what a pass waits for. In a [`super::retention::turn`].
pub fn confirm(archive: &Archive, pass: &Pass, who: &str) -> Result<()> {
    write_json(archive, SURE, &Sure { who: who.into(), until: pass.time }, who)
}

/// Notes a pass, in place of what was noted of it before; the journal has its own lines of what ended.
pub fn note(archive: &Archive, pass: &Pass) -> Result<()> {
    let mut settings = vec![Setting { key: LAST.into(), value: Some(to_json(LAST, pass)?) }];
    if pass.ended > 0 {
        let mut all = passes(archive)?;
        all.retain(|other| other.time != pass.time);
        all.insert(0, *pass);
        all.truncate(RETENTION_PASSES);
        settings.push(Setting { key: PASSES.into(), value: Some(to_json(PASSES, &all)?) });
    }
    Ok(archive.commit(Commit { settings, ..Commit::default() })?)
}
