//! Promise: however often and whenever the program is killed, nothing is lost, nothing comes twice, and no document number
//! is skipped or given a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::archivista::Archivista;
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::hash::sha256;
use crate::support::mails;
use crate::support::random::Random;

const KILLS: usize = 50;
const FOLDERS: [&str; 5] = ["INBOX", "Kunden/Müller", "Kunden/Rochat & Co", "Ablage", "日本語"];

/// Bytes in all packs.
fn packed(data: &Path) -> u64 {
    let Ok(packs) = fs::read_dir(data.join("packs")) else { return 0 };
    packs.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}

#[test]
fn fifty_kills_lose_nothing() {
    let mut random = Random::fresh();
    let server = Dovecot::start();
    let mut mails = mails::small(570);
    mails.extend(mails::sample(30));
    // Half of them wait at the start, the others come while the program is killed again and again.
    let mut waiting: Vec<Vec<u8>> = mails;
    for place in (1..waiting.len()).rev() {
        waiting.swap(place, usize::try_from(random.below(place as u64 + 1)).unwrap());
    }
    let later = waiting.split_off(300);
    let deliver = |random: &mut Random, mail: &[u8]| {
        let folder = FOLDERS[usize::try_from(random.below(FOLDERS.len() as u64)).unwrap()];
        server.deliver(USER, folder, mail);
        // Now and then the same mail lies in a second folder.
        if random.below(20) == 0 {
            server.deliver(USER, "Kopien", mail);
        }
    };
    for mail in &waiting {
        deliver(&mut random, mail);
    }

    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "office"));
    let mut later = later.chunks(4);
    let (mut kills, mut runs, mut verified, mut unfinished, mut lagging) = (0, 0, 0, 0, 0);
    while kills < KILLS {
        runs += 1;
        assert!(runs <= 4 * KILLS, "only {kills} of {runs} runs were killed before their end");
        for mail in later.next().unwrap_or_default() {
            deliver(&mut random, mail);
        }
        // At a random time, or at a random growth of the packs: then records or a commit are just being written.
        let before = packed(&archivista.data());
        let growth = (random.below(3) > 0).then(|| 1 + random.below(15_000));
        let time = Duration::from_millis(if growth.is_some() { 5000 } else { random.below(60) });
        let mut fetch = archivista.spawn(&["fetch"]);
        let started = Instant::now();
        while fetch.is_running()
            && started.elapsed() < time
            && growth.is_none_or(|growth| packed(&archivista.data()) < before + growth)
        {
            thread::sleep(Duration::from_micros(200));
        }
        let output = fetch.kill();
        if output.code.is_some() {
            output.succeeded();
            continue;
        }
        kills += 1;
        if random.below(3) == 0 {
            let report = &archivista.run(&["verify", "--json"]).succeeded().json_lines()[0];
            verified += 1;
            let notes = report["notes"].to_string();
            unfinished += usize::from(notes.contains("never acknowledged"));
            lagging += usize::from(notes.contains("lags"));
        }
        if random.below(4) == 0 {
            let numbers: Vec<u64> =
                archivista.list().iter().map(|document| document["number"].as_u64().unwrap()).collect();
            assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
        }
    }
    println!(
        "{kills} kills in {runs} runs; {verified} verified: {unfinished} unfinished ends, {lagging} lagging catalogs"
    );
    assert!(unfinished + lagging > 0, "no kill hit while something was being written");
    for mail in later.flatten() {
        deliver(&mut random, mail);
    }

    let runs = archivista.fetch();
    assert_eq!(runs[0]["unexplained"], 0);
    is_complete(&archivista, &server);
    assert_eq!(archivista.fetch()[0]["seen"], 0, "the run before left something");
    archivista.run(&["verify"]).succeeded();
}

/// Every message of the server is archived once, byte for byte, with all its places.
fn is_complete(archivista: &Archivista, server: &Dovecot) {
    let mut places = BTreeMap::<String, usize>::new();
    for folder in FOLDERS.iter().chain(&["Kopien"]) {
        for message in server.messages(USER, folder) {
            *places.entry(message.sha256).or_default() += 1;
        }
    }
    assert!(places.len() > 550);
    let out = archivista.beside("out");
    archivista.run(&["export", "--all", "--format", "eml", "--out", out.to_str().unwrap()]).succeeded();
    let mut seen = BTreeSet::new();
    for (expected, document) in (1..).zip(archivista.list()) {
        assert_eq!(document["number"], expected);
        let hash = document["sha256"].as_str().unwrap();
        assert!(seen.insert(hash.to_owned()), "document {expected} is there twice");
        assert_eq!(document["occurrences"].as_array().unwrap().len(), places[hash], "document {expected}");
        assert_eq!(sha256(&fs::read(out.join(format!("{expected}.eml"))).unwrap()), hash, "document {expected}");
    }
    assert!(seen.iter().eq(places.keys()), "{} documents, {} messages", seen.len(), places.len());
    assert_eq!(fs::read_dir(&out).unwrap().count(), places.len());
}
