//! A message is split and joined to the same bytes, and what comes out does not depend on the pieces in which it came.

use std::collections::HashMap;
use std::io::{self, Write};

use archivista::archive::split::{Joiner, Plan, Reference, Sink, Splitter};
use archivista::hash::Sha256;
use archivista::limits::{SPLIT_PART, SPLIT_PARTS, SPLIT_PLAN};

use crate::{recipe, seeds};

/// Two blocks of the splitter, and some.
const LONGEST: usize = 72 * 1024;

#[derive(Debug, Default, PartialEq)]
struct Store {
    skeleton: Vec<u8>,
    parts: HashMap<Sha256, Vec<u8>>,
    begun: Vec<u8>,
}

impl Sink for &mut Store {
    fn skeleton(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.skeleton.extend_from_slice(bytes);
        Ok(())
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    fn end_part(&mut self, sha256: Sha256, len: u64) -> io::Result<()> {
        let part = std::mem::take(&mut self.begun);
        assert_eq!((Sha256::of(&part), part.len() as u64), (sha256, len));
        assert!(part.len() >= SPLIT_PART);
        self.parts.insert(sha256, part);
        Ok(())
    }
}

pub fn run(input: &[u8]) {
    let message = recipe::message(input, LONGEST);
    let (store, plan) = split(&message, usize::MAX);
    let encoded = plan.encode();
    assert!(plan.parts.len() <= SPLIT_PARTS && encoded.len() <= SPLIT_PLAN);
    assert_eq!(Plan::decode(&encoded).unwrap(), plan);
    let by = recipe::pieces(input, &message);
    let (again, same) = split(&message, by);
    assert!(again == store && same == plan, "in pieces of {by}");

    let mut joined = Vec::new();
    let parts = |wanted: &Reference, out: &mut dyn Write| {
        let part = &store.parts[&wanted.sha256];
        part.chunks(by).try_for_each(|piece| out.write_all(piece))
    };
    let mut joiner = Joiner::new(plan, message.len() as u64, parts, &mut joined);
    store.skeleton.chunks(by).try_for_each(|piece| joiner.write_all(piece)).unwrap();
    joiner.finish().unwrap();
    assert!(joined == message);
}

fn split(message: &[u8], by: usize) -> (Store, Plan) {
    let mut store = Store::default();
    let mut splitter = Splitter::new(&mut store);
    message.chunks(by).for_each(|piece| splitter.write_all(piece).unwrap());
    let (_, plan) = splitter.finish().unwrap();
    assert!(store.begun.is_empty());
    (store, plan)
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut inputs: Vec<Vec<u8>> = seeds::mails(12 * 1024).iter().map(|mail| recipe::raw(mail)).collect();
    let head = b"--x\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    for (groups, end) in [(19, 0), (18, 1), (16, 0), (15, 1), (0, 0), (19, 3), (255, 0), (1, 1)] {
        for tail in [&b"\r\n--x--\r\n"[..], b"=", b"QQ==\r\n", b"QR==", b"\r\n\r\nfooter\r\n", b"\rQUJD"] {
            let how = [&[groups, end, 7, 100], tail].concat();
            inputs.push(recipe::steps(&[(0, 0, head), (3, 45, &how), (0, 0, head), (3, 60, &how)]));
        }
    }
    inputs.push(recipe::steps(&[(2, 3, b"QUJDREVG\n")]));
    inputs.push(recipe::steps(&[(2, 3, b"QUJDREVG\r\n"), (0, 0, b"QQ=="), (2, 3, b"QUJD")]));
    inputs
}
