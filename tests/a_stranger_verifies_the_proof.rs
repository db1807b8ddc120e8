//! Promise: a stranger with `sha256sum`, `openssl` and `grep` proves by the commands of the exported README that a mail was in
//! the archive and that nothing was changed since; a changed byte in any file is noticed. Neither a lost device key nor a new catalog
//! nor a clock that was set back costs anything of it, and a checkpoint that does not fit is named.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::administering::Administering;
use crate::support::archivista::Archivista;
use crate::support::definition::Definition;
use crate::support::hash::sha256;
use crate::support::serving::Serving;
use crate::support::tenant::{Tenant, tiny};
use crate::support::{mails, must_run, small, tree};
use archivista::archive::checkpoint::{Checkpoint, Kept, key};
use archivista::archive::commit::{Commit, Happening, Setting};
use archivista::clock;
use archivista::hash::Sha256;
use archivista::proof;
use archivista::pulse::Pulse;

const ANNA: &str = "anna@example.ch";

/// A tenant with five mails, archived by the program.
fn archived() -> (Tenant, Archivista) {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 5))]);
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "office", vec![ANNA]));
    archivista.fetch();
    (tenant, archivista)
}

/// The exported proof and its README.
struct Proof {
    folder: std::path::PathBuf,
    readme: String,
}

impl Proof {
    fn of(archivista: &Archivista, name: &str) -> Self {
        let folder = archivista.beside(name);
        archivista.run(&["proof", folder.to_str().unwrap()]).succeeded();
        Self::at(&folder)
    }

    fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), readme: fs::read_to_string(folder.join("README.txt")).unwrap() }
    }

    /// The commands of the README between its marks.
    fn commands(&self, number: u8) -> &str {
        let (_, rest) = self.readme.split_once(&format!("# --- begin {number} ---\n")).unwrap();
        rest.split_once(&format!("# --- end {number} ---")).unwrap().0
    }

    /// What a shell in the folder says to them.
    fn say(&self, commands: &str) -> String {
        let output = Command::new("sh").args(["-c", commands]).current_dir(&self.folder).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    }

    /// What the steps from `first` to 4 name as wrong.
    fn wrong(&self, first: u8) -> String {
        (first..=4).map(|step| self.say(self.commands(step))).collect()
    }

    /// All of it is right, by each command and by the script.
    fn is_right(&self) {
        assert_eq!(self.wrong(1), "");
        let said = must_run(Command::new("sh").arg(self.folder.join("verify.sh")));
        assert!(said.contains("Everything is as it was signed."), "{said}");
    }

    fn files(&self) -> BTreeMap<String, String> {
        tree::hashes(&self.folder)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// Where the README's command finds a mail.
    fn find(&self, mail: &[u8]) -> String {
        let path = self.folder.with_extension("eml");
        fs::write(&path, mail).unwrap();
        self.say(&self.commands(5).replacen("mail=mail.eml", &format!("mail={}", path.display()), 1))
    }

    /// Whether the README's command finds a checkpoint by the hash that somebody kept.
    fn has(&self, kept: &str) -> bool {
        let own = self.commands(6).lines().next().unwrap().to_owned();
        let said = self.say(&self.commands(6).replacen(&own, &format!("kept={kept}"), 1));
        !said.contains("no checkpoint has this hash")
    }
}

#[test]
fn a_mail_is_proved_by_the_commands_of_the_readme() {
    let (tenant, archivista) = archived();
    let first = Proof::of(&archivista, "first");
    first.is_right();
    for (number, mail) in archivista.export() {
        let expected = format!("history/000001.txt:document {number} {} {}\n", sha256(&mail), mail.len());
        assert_eq!(first.find(&mail), expected);
        let mut other = mail;
        other[0] ^= 1;
        assert!(first.find(&other).contains("not in this archive"));
    }
    // What the history says of a mail is its number, its hash and its length.
    let history = first.read("history/000001.txt");
    assert!(!history.contains("Mail 1") && history.contains("\"console\" setting-changed \"definition/office\""));
    // The link of the last entry is the one that stands in the log.
    let checkpoint = first.read("checkpoints/000001.txt");
    let value = |name: &str| {
        let mut lines = checkpoint.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| *other == name).unwrap().1.to_owned()
    };
    let last = history.lines().rfind(|line| line.starts_with("commit ")).unwrap();
    assert!(last.starts_with(&format!("commit {} ", value("commit"))) && last.ends_with(&value("link")), "{last}");
    let mut bytes = Vec::new();
    for pack in fs::read_dir(archivista.data().join("packs")).unwrap() {
        bytes.extend(fs::read(pack.unwrap().path()).unwrap());
    }
    let link = Sha256::parse(&value("link")).unwrap().0;
    assert!(bytes.windows(link.len()).any(|some| some == link));
    assert_eq!(value("documents"), "5");

    // A mail more, and the second checkpoint follows the first one, by way of the running program.
    let mail = mails::tiny("6@example.ch", "One more");
    tenant.add(ANNA, "Inbox", &mail);
    archivista.fetch();
    let serving = Serving::start(&archivista, &[]);
    let second = Proof::of(&archivista, "second");
    drop(serving);
    second.is_right();
    assert!(second.read("checkpoints/000002.txt").contains(&format!("\nbefore: {}\n", sha256(checkpoint.as_bytes()))));
    assert!(second.find(&mail).starts_with("history/000002.txt:document 6 "));
    assert!(second.has(&sha256(checkpoint.as_bytes())) && !second.has(&sha256(b"x")));
    let (before, after) = (first.files(), second.files());
    for name in ["checkpoints/000001.txt", "checkpoints/000001.sig", "history/000001.txt"] {
        assert_eq!(before[name], after[name], "{name}");
    }

    // It is in the log: a catalog made anew has it, and so has a proof into the same folder.
    archivista.run(&["rebuild", "catalog"]).succeeded();
    archivista.verify();
    let third = Proof::of(&archivista, "second");
    third.is_right();
    for (name, hash) in after.iter().filter(|(name, _)| *name != "SHA256SUMS") {
        assert_eq!(third.files()[name], *hash, "{name}");
    }
    assert!(third.files().contains_key("checkpoints/000003.txt"));
}

#[test]
fn a_changed_byte_in_any_file_is_noticed() {
    let archivista = Archivista::new();
    small::archive(&small::open(&archivista.data()), 1, 3);
    Proof::of(&archivista, "proof");
    fs::remove_file(archivista.data().join("keys/device.key")).unwrap();
    let proof = Proof::of(&archivista, "proof");
    proof.is_right();
    let files: Vec<String> =
        proof.files().into_iter().filter(|(_, hash)| !hash.is_empty()).map(|(name, _)| name).collect();
    // Two of each kind, two keys, README, script, sums.
    assert_eq!(files.len(), 2 * 3 + 2 + 3, "{files:?}");
    for name in &files {
        let path = proof.folder.join(name);
        let good = fs::read(&path).unwrap();
        for place in [0, good.len() / 2, good.len() - 1] {
            let mut bytes = good.clone();
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert_ne!(proof.say(proof.commands(1)), "", "byte {place} of {name}");
            // One that is not what it was says nothing of itself.
            if name != "verify.sh" {
                let script = proof.folder.join("verify.sh");
                let ended = Command::new("sh").arg(script).stdout(Stdio::null()).status().unwrap();
                assert!(!ended.success(), "byte {place} of {name}");
            }
        }
        // Whoever changes something makes the sums anew.
        if name.contains('/') || name.starts_with("device-") {
            let mut bytes = good.clone();
            let place = good.len() / 2;
            bytes[place] = if bytes[place] == b'7' { b'8' } else { b'7' };
            fs::write(&path, bytes).unwrap();
            let sums = proof.read("SHA256SUMS");
            proof.say("sha256sum $(grep -o '[^ ]*$' SHA256SUMS) > new && mv new SHA256SUMS");
            assert_eq!(proof.say(proof.commands(1)), "", "{name}");
            assert_ne!(proof.wrong(2), "", "{name}");
            fs::write(proof.folder.join("SHA256SUMS"), sums).unwrap();
        }
        fs::write(&path, good).unwrap();
        proof.is_right();
    }
    // One that is left out.
    for name in ["checkpoints/000001.txt", "history/000002.txt", "checkpoints/000002.sig"] {
        let path = proof.folder.join(name);
        let good = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_ne!(proof.wrong(2), "", "{name}");
        fs::write(&path, good).unwrap();
    }
}

#[test]
fn a_lost_device_key_is_replaced_and_both_signatures_hold() {
    let archivista = Archivista::new();
    small::archive(&small::open(&archivista.data()), 1, 3);
    let file = archivista.data().join("keys/device.key");
    assert!(file.exists());
    Proof::of(&archivista, "proof");
    fs::remove_file(&file).unwrap();
    Proof::of(&archivista, "proof");
    fs::write(&file, "no key").unwrap();
    let proof = Proof::of(&archivista, "proof");
    proof.is_right();
    archivista.verify();
    let keys = |number: u8| {
        let text = proof.read(&format!("checkpoints/{number:06}.txt"));
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        (value("device-key-before: "), value("device-key: "))
    };
    let [one, two, three] = [1, 2, 3].map(keys);
    assert_eq!((one.0.as_str(), &two.0, &three.0), ("none", &one.1, &two.1));
    assert!(one.1 != two.1 && two.1 != three.1);
    for (_, key) in [one, two, three] {
        assert!(proof.folder.join(format!("device-{key}.pem")).exists());
    }
    assert_eq!(fs::read(file.with_extension("key.damaged")).unwrap(), b"no key");
}

#[test]
fn what_is_signed_is_not_signed_again_and_a_clock_that_was_set_back_stops_nothing() {
    const DAY: i64 = 86_400;
    let archivista = Archivista::new();
    let archive = small::open(&archivista.data());
    let pulse = Pulse::new();
    let now = clock::now();
    assert!(!proof::is_due(&archive, now).unwrap());
    assert_eq!(proof::sign(&archive, "test", &pulse).unwrap(), None, "there is nothing yet");
    small::archive(&archive, 1, 2);
    assert!(proof::is_due(&archive, now).unwrap());
    assert_eq!(proof::sign(&archive, "test", &pulse).unwrap(), Some(1));
    // That it was signed is no news, on no day.
    for day in [-400, 0, 1, 400] {
        assert!(!proof::is_due(&archive, now + day * DAY).unwrap(), "{day}");
    }
    assert_eq!(proof::sign(&archive, "test", &pulse).unwrap(), None);
    archive.journal("anna", Happening::Opened(1)).unwrap();
    let signed = proof::last(&archive.view().unwrap()).unwrap().unwrap().1.time;
    for (day, is_due) in [(-400, true), (-1, true), (0, false), (1, true), (400, true)] {
        assert_eq!(proof::is_due(&archive, signed + day * DAY).unwrap(), is_due, "{day}");
    }
    assert_eq!(proof::sign(&archive, "test", &pulse).unwrap(), Some(2));
    // One of a clock that was years ahead.
    archive.journal("anna", Happening::Opened(2)).unwrap();
    let ahead = |last: Checkpoint, before: Kept| Checkpoint {
        number: 3,
        time: now + 3000 * DAY,
        before: before.signed.sha256(),
        device_before: Some(last.device),
        ..last
    };
    let (kept, last) = proof::last(&archive.view().unwrap()).unwrap().unwrap();
    let value = serde_json::to_vec(&ahead(last, kept).sign(&archive.device().unwrap(), 1)).unwrap();
    let settings = vec![Setting { key: key(3), value: Some(value) }];
    archive.commit(Commit { settings, ..Commit::default() }).unwrap();
    assert!(proof::is_due(&archive, now).unwrap());
    assert_eq!(proof::sign(&archive, "test", &pulse).unwrap(), Some(4));
    assert!(!proof::is_due(&archive, now).unwrap());
    drop(archive);
    archivista.verify();
}

#[test]
fn a_checkpoint_that_does_not_fit_is_named_and_costs_no_other() {
    let archivista = Archivista::new();
    {
        let archive = small::open(&archivista.data());
        let pulse = Pulse::new();
        for number in 1..=3 {
            small::archive(&archive, number, number);
            assert_eq!(proof::sign(&archive, "test", &pulse).unwrap(), Some(number));
        }
        // Signed by the box itself, and yet not what the log says.
        let kept = Kept::get(&archive.view().unwrap(), 2).unwrap().unwrap();
        let checkpoint = Checkpoint { history: Sha256::of(b"x"), ..kept.signed.check().unwrap() };
        let value = serde_json::to_vec(&checkpoint.sign(&archive.device().unwrap(), 1)).unwrap();
        let settings = vec![Setting { key: key(2), value: Some(value) }];
        archive.commit(Commit { settings, ..Commit::default() }).unwrap();
    }
    let verified = archivista.run(&["verify"]).ended_with(1);
    assert!(verified.stdout.contains("checkpoint 2: "), "{}", verified.stdout);
    let folder = archivista.beside("proof");
    let told = archivista.run(&["proof", folder.to_str().unwrap()]).ended_with(1);
    assert!(told.stderr.contains("! checkpoint 2: the history"), "{}", told.stderr);
    let proof = Proof::at(&folder);
    assert_eq!(proof.say(proof.commands(1)), "");
    assert_eq!(proof.read("PROBLEMS.txt").lines().count(), 1);
    let wrong = proof.wrong(2);
    assert!(wrong.contains("000002.txt: another history") && wrong.contains("000003.txt: does not follow"), "{wrong}");
    assert_eq!(wrong.lines().count(), 2, "{wrong}");
    assert!(proof.find(&small::mail(3)).starts_with("history/000003.txt:document 3 "));
}

#[test]
fn serve_signs_each_day_by_itself_and_the_page_hands_out_the_proof() {
    let (_tenant, archivista) = archived();
    let (serving, mut anna) = Administering::start(&archivista, &[]);
    assert!(anna.page("/admin/proof").contains("Nothing is signed yet."));
    let page = anna.when("/admin/proof", |answer| answer.text().contains("Last entry"));
    assert!(page.contains("<td>archivista</td><td class=\"said\">checkpoint signed: 1</td>"), "{page}");
    // So that there is something to sign.
    archivista.export();
    assert_eq!(anna.done("/admin/proof/sign", &[]), "/admin/proof");
    let page = anna.page("/admin/proof");
    assert!(page.contains("Checkpoint 2 is signed.") && page.contains("Everything until now is signed."), "{page}");
    anna.done("/admin/proof/sign", &[]);
    assert!(anna.page("/admin/proof").contains("Nothing came in since the last checkpoint."));

    let answer = anna.post("/admin/proof/download", &[]);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/zip")));
    let (zip, folder) = (archivista.beside("proof.zip"), archivista.beside("proof"));
    fs::write(&zip, &answer.body).unwrap();
    must_run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&zip).arg(&folder));
    let proof = Proof::at(&folder);
    proof.is_right();
    let page = anna.page("/admin/proof/checkpoints");
    for number in 1..=2 {
        let hash = sha256(proof.read(&format!("checkpoints/{number:06}.txt")).as_bytes());
        assert!(page.contains(&hash), "{number}: {page}");
    }
    drop(serving);
    let (_, mail) = archivista.export().pop_first().unwrap();
    assert!(proof.find(&mail).contains(":document 1 "));
    archivista.verify();
}
