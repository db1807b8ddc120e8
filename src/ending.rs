//! Why `serve` last ended on its own, kept over the restart for whoever looks afterwards.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::language::Lang;

const FILE: &str = "last-end.json";
/// The longest file that is read.
const MOST: u64 = 64 * 1024;
/// How long keeping it may take: the disk may be what is stuck.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long people are told of it, seconds.
const TOLD_FOR: i64 = 7 * 24 * 3600;

/// One end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Unix seconds.
    pub at: i64,
    pub why: Why,
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A role neither worked nor ended.
    Silent { role: String, seconds: u64 },
    /// In its own words.
    Other(String),
}

/// Keeps why `serve` ends now. Best effort, and never long.
pub fn keep(data: &Path, why: Why) {
    let ending = Ending { at: clock::now(), why };
    let Ok(json) = serde_json::to_vec(&ending) else { return };
    let path = data.join(FILE);
    let (done, kept) = channel();
    let write = move || {
        let _ = done.send(fs::write(path, json));
    };
    if thread::Builder::new().name("ending".into()).spawn(write).is_ok() {
        let _ = kept.recv_timeout(PATIENCE);
    }
}

/// The last one, as long as people are told of it.
pub fn last(data: &Path) -> Option<Ending> {
    let path = data.join(FILE);
    let is_small = fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= MOST);
    let ending: Ending = is_small.then(|| serde_json::from_slice(&fs::read(&path).ok()?).ok())??;
    (0..TOLD_FOR).contains(&(clock::now() - ending.at)).then_some(ending)
}

impl Ending {
    /// What happened, and what to do. `at`: the time as people read it.
    pub fn sentence(&self, lang: Lang, at: &str) -> String {
        let why = match (&self.why, lang) {
            (Why::Silent { role, seconds }, Lang::De) => {
                format!("die Rolle «{role}» regte sich {seconds} Sekunden lang nicht und liess sich nicht beenden")
            }
            (Why::Silent { role, seconds }, Lang::En) => {
                format!("the role \"{role}\" was silent for {seconds} seconds and did not end when asked to")
            }
            (Why::Other(words), _) => words.clone(),
        };
        match lang {
            Lang::De => format!(
                "Das Programm hat sich am {at} selbst neu gestartet: {why}. Was archiviert war, ist da. Kommt es wieder vor, prüfen Sie Datenträger und Netzwerk, und melden Sie uns diesen Wortlaut."
            ),
            Lang::En => format!(
                "The program started itself again at {at}: {why}. What was archived is there. If it happens again, check disk and network, and report these words to us."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_of_for_a_week() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(last(dir.path()), None);
        let why = Why::Silent { role: "fetch".into(), seconds: 190 };
        keep(dir.path(), why.clone());
        let ending = last(dir.path()).unwrap();
        assert_eq!(ending.why, why);
        let said = ending.sentence(Lang::En, "noon");
        assert!(said.contains("at noon: the role \"fetch\" was silent for 190 seconds"), "{said}");
        for (at, is_told) in [(-TOLD_FOR - 1, false), (-TOLD_FOR + 60, true), (3600, false)] {
            let json = serde_json::to_vec(&Ending { at: clock::now() + at, why: why.clone() }).unwrap();
            fs::write(dir.path().join(FILE), json).unwrap();
            assert_eq!(last(dir.path()).is_some(), is_told, "{at}");
        }
        for nonsense in ["", "{}", "[1]", "{\"at\":1}"] {
            fs::write(dir.path().join(FILE), nonsense).unwrap();
            assert_eq!(last(dir.path()), None);
        }
    }
}
