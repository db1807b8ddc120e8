//! What was asked of the simulator: a line of JSON per request, and figures for tests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// How many requests are kept for `{"op":"log"}`; the file has all.
const KEPT: usize = 20_000;

#[derive(Debug, Default)]
pub struct Journal {
    file: Option<File>,
    kept: VecDeque<Value>,
    requests: u64,
    statuses: BTreeMap<u16, u64>,
    calls: BTreeMap<&'static str, u64>,
    faults: BTreeMap<&'static str, u64>,
    page_sizes: BTreeSet<u64>,
    without_immutable_id: u64,
    most: BTreeMap<String, usize>,
    most_of_all: usize,
    /// Requests about each mailbox, by its owner's id, that were not throttled.
    answered: BTreeMap<String, u64>,
}

/// One request, as far as tests want to know it.
#[derive(Debug, Default)]
pub struct Entry {
    pub method: String,
    pub path: String,
    pub host: String,
    pub prefer: String,
    pub status: u16,
    /// What kind of call it was: `token`, `users`, `folders`, `delta`, `value`, …
    pub call: &'static str,
    pub fault: Option<&'static str>,
    pub mailbox: Option<String>,
    pub page_size: Option<u64>,
}

impl Journal {
    pub fn new(log: Option<&Path>) -> Result<Self> {
        let file = log.map(|path| File::create(path).with_context(|| path.display().to_string())).transpose()?;
        Ok(Self { file, ..Self::default() })
    }

    pub fn note(&mut self, entry: &Entry) {
        self.requests += 1;
        *self.statuses.entry(entry.status).or_default() += 1;
        *self.calls.entry(entry.call).or_default() += 1;
        if let Some(fault) = entry.fault {
            *self.faults.entry(fault).or_default() += 1;
        }
        self.page_sizes.extend(entry.page_size);
        if let Some(mailbox) = entry.mailbox.as_ref().filter(|_| entry.status != 429) {
            *self.answered.entry(mailbox.clone()).or_default() += 1;
        }
        if entry.mailbox.is_some() && !entry.prefer.to_lowercase().contains("immutableid") {
            self.without_immutable_id += 1;
        }
        let line = json!({
            "time": jiff::Timestamp::now().to_string(), "method": entry.method, "path": entry.path, "host": entry.host,
            "prefer": entry.prefer, "status": entry.status, "call": entry.call, "fault": entry.fault,
            "mailbox": entry.mailbox, "page_size": entry.page_size,
        });
        if let Some(file) = &mut self.file {
            // A log on a full disk is no reason to stop answering.
            let _ = writeln!(file, "{line}");
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(line);
    }

    /// How many requests a mailbox and all mailboxes have in flight now.
    pub fn in_flight(&mut self, mailbox: &str, of_mailbox: usize, of_all: usize) {
        let most = self.most.entry(mailbox.to_owned()).or_default();
        *most = (*most).max(of_mailbox);
        self.most_of_all = self.most_of_all.max(of_all);
    }

    pub fn lines(&self) -> Value {
        Value::Array(self.kept.iter().cloned().collect())
    }

    pub fn counters(&self) -> Value {
        json!({
            "requests": self.requests,
            "statuses": self.statuses.iter().map(|(status, count)| (status.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
            "calls": self.calls,
            "faults": self.faults,
            "page_sizes": self.page_sizes,
            "unauthorised": self.statuses.get(&401).copied().unwrap_or(0),
            "throttled": self.statuses.get(&429).copied().unwrap_or(0),
            "without_immutable_id": self.without_immutable_id,
            "max_concurrent": self.most,
            "max_concurrent_all": self.most_of_all,
            "answered": self.answered,
        })
    }

    pub fn reset(&mut self) {
        let file = self.file.take();
        *self = Self { file, ..Self::default() };
    }
}
