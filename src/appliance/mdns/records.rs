//! What the box says of itself on one interface, and how it answers a question. No socket in here.

use std::net::IpAddr;

use super::packet::{A, AAAA, ANY, Data, Name, PTR, Packet, Question, Record};
use crate::limits::{MDNS_LEGACY_TTL, MDNS_TTL, MDNS_TTL_LONG};

/// The name that every box would like to have.
pub const COMMON: &str = "archivista.local";
const SERVICE: &str = "_https._tcp.local";
const SERVICES: &str = "_services._dns-sd._udp.local";
const PORT: u16 = 443;

/// An address and the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    pub ip: IpAddr,
    prefix: u8,
}

impl Address {
    /// From `192.168.1.20/24`.
    pub fn read(text: &str) -> Option<Self> {
        let (ip, prefix) = text.split_once('/')?;
        let (ip, prefix): (IpAddr, u8) = (ip.parse().ok()?, prefix.parse().ok()?);
        (prefix <= if ip.is_ipv4() { 32 } else { 128 }).then_some(Self { ip, prefix })
    }

    /// Whether `other` is in the same network: what comes from farther away is none of our business (RFC 6762, section 11).
    fn is_beside(self, other: IpAddr) -> bool {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
            IpAddr::V6(ip) => u128::from(ip),
        };
        let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
        self.ip.is_ipv4() == other.is_ipv4() && bits(self.ip) & mask == bits(other) & mask
    }
}

/// Whether a packet comes from one of our own networks.
pub fn is_local(addresses: &[Address], from: IpAddr) -> bool {
    matches!(from, IpAddr::V6(ip) if ip.is_unicast_link_local())
        || addresses.iter().any(|address| address.is_beside(from))
}

/// The addresses of a name on an interface. Link-local ones only where there are no others: a browser cannot use them.
pub fn hosts(name: &Name, addresses: &[Address]) -> Vec<Record> {
    let is_plain = |address: &&Address| match address.ip {
        IpAddr::V4(ip) => !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    };
    let plain: Vec<&Address> = addresses.iter().filter(is_plain).collect();
    let chosen = if plain.is_empty() { addresses.iter().collect() } else { plain };
    let datas = chosen.into_iter().map(|address| match address.ip {
        IpAddr::V4(ip) => Data::A(ip),
        IpAddr::V6(ip) => Data::Aaaa(ip),
    });
    datas.map(|data| Record { name: name.clone(), is_ours_alone: true, ttl: MDNS_TTL, data }).collect()
}

/// All that is said on an interface of a box of this name (`archivista-4f2a`), which may have the common name as well.
pub fn all(own: &str, has_common: bool, addresses: &[Address]) -> Vec<Record> {
    if own.is_empty() || addresses.is_empty() {
        return Vec::new();
    }
    let host = Name::of(&format!("{own}.local"));
    let (service, instance) = (Name::of(SERVICE), Name::of(SERVICE).under(own));
    let mut records = hosts(&host, addresses);
    if has_common {
        records.extend(hosts(&Name::of(COMMON), addresses));
    }
    let shared = |name: &Name, data| Record { name: name.clone(), is_ours_alone: false, ttl: MDNS_TTL_LONG, data };
    records.push(shared(&Name::of(SERVICES), Data::Ptr(service.clone())));
    records.push(shared(&service, Data::Ptr(instance.clone())));
    let ours = |ttl, data| Record { name: instance.clone(), is_ours_alone: true, ttl, data };
    records.push(ours(MDNS_TTL, Data::Srv(PORT, host)));
    records.push(ours(MDNS_TTL_LONG, Data::Txt));
    records
}

/// The answer to the questions of a packet from among our records; `None` where there is nothing to say.
pub fn answer(asked: &Packet, records: &[Record]) -> Option<Packet> {
    let is_known = |record: &Record| {
        let same = |known: &Record| known.name == record.name && known.data == record.data;
        asked.answers.iter().any(|known| same(known) && known.ttl >= record.ttl / 2)
    };
    let mut answers: Vec<Record> = Vec::new();
    for question in &asked.questions {
        let (fitting, of_name) = fitting(question, records);
        if fitting.is_empty() && of_name.iter().any(|record| record.is_ours_alone) {
            // The name is ours and has no such record: said, so that nobody waits for one.
            answers.push(nothing_else(&question.name, &of_name));
        }
        answers.extend(fitting.into_iter().filter(|record| !is_known(record)).cloned());
    }
    let mut once: Vec<Record> = Vec::new();
    for record in answers {
        if !once.contains(&record) {
            once.push(record);
        }
    }
    let additional = beside(&once, records);
    let packet = Packet { is_answer: true, answers: once, additional, ..Packet::default() };
    (!packet.answers.is_empty()).then_some(packet)
}

/// The records that a question asks for, and all of its name.
fn fitting<'a>(question: &Question, records: &'a [Record]) -> (Vec<&'a Record>, Vec<&'a Record>) {
    let of_name: Vec<&Record> = records.iter().filter(|record| record.name == question.name).collect();
    let fits = |record: &&Record| question.kind == ANY || record.data.kind() == question.kind;
    (of_name.iter().copied().filter(fits).collect(), of_name)
}

fn nothing_else(name: &Name, of_name: &[&Record]) -> Record {
    let mut kinds: Vec<u16> = of_name.iter().map(|record| record.data.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Record { name: name.clone(), is_ours_alone: true, ttl: MDNS_TTL, data: Data::Nsec(name.clone(), kinds) }
}

/// What whoever asked will want next (RFC 6763, section 12).
fn beside(answers: &[Record], records: &[Record]) -> Vec<Record> {
    let mut wanted: Vec<&Name> = Vec::new();
    for answer in answers {
        match &answer.data {
            Data::Ptr(name) | Data::Srv(_, name) => wanted.push(name),
            _ => {}
        }
    }
    let targets = |record: &&Record| matches!(&record.data, Data::Srv(..)) && wanted.contains(&&record.name);
    let hosts: Vec<&Name> = records
        .iter()
        .filter(targets)
        .filter_map(|record| match &record.data {
            Data::Srv(_, host) => Some(host),
            _ => None,
        })
        .collect();
    let is_wanted = |record: &&Record| {
        (wanted.contains(&&record.name) || hosts.contains(&&record.name))
            && record.data.kind() != PTR
            && !answers.contains(record)
    };
    records.iter().filter(is_wanted).cloned().collect()
}

/// The same answer for a resolver that knows no multicast DNS (RFC 6762, section 6.7).
pub fn legacy(mut answer: Packet, asked: &Packet) -> Packet {
    answer.id = asked.id;
    answer.questions.clone_from(&asked.questions);
    for question in &mut answer.questions {
        question.alone = false;
    }
    for record in answer.answers.iter_mut().chain(&mut answer.additional) {
        record.is_ours_alone = false;
        record.ttl = record.ttl.min(MDNS_LEGACY_TTL);
    }
    answer
}

/// Says the records to everybody, unasked.
pub fn announcement(records: Vec<Record>) -> Packet {
    Packet { is_answer: true, answers: records, ..Packet::default() }
}

/// Says that the records hold no more.
pub fn goodbye(mut records: Vec<Record>) -> Packet {
    for record in &mut records {
        record.ttl = 0;
    }
    announcement(records)
}

/// Kinds of addresses, for whoever looks for a name.
pub fn is_address(record: &Record) -> bool {
    matches!(record.data.kind(), A | AAAA)
}

#[cfg(test)]
mod tests {
    use super::super::packet::{NSEC, SRV, TXT};
    use super::*;

    fn addresses(all: &[&str]) -> Vec<Address> {
        all.iter().map(|address| Address::read(address).unwrap()).collect()
    }

    fn ask(name: &str, kind: u16) -> Packet {
        let questions = vec![Question { name: Name::of(name), kind, alone: false }];
        Packet { questions, ..Packet::default() }
    }

    fn records() -> Vec<Record> {
        all("archivista-4f2a", true, &addresses(&["192.168.1.20/24", "2001:db8::5/64", "fe80::1/64"]))
    }

    fn said(asked: &Packet) -> Vec<(u16, u32)> {
        let answer = answer(asked, &records()).unwrap_or_default();
        answer.answers.iter().map(|record| (record.data.kind(), record.ttl)).collect()
    }

    #[test]
    fn questions_get_what_they_ask_for() {
        for (name, kind, expected) in [
            ("archivista-4f2a.local", A, &[(A, MDNS_TTL)][..]),
            ("ARCHIVISTA-4F2A.Local", AAAA, &[(AAAA, MDNS_TTL)]),
            ("archivista.local", ANY, &[(A, MDNS_TTL), (AAAA, MDNS_TTL)]),
            ("archivista.local", TXT, &[(NSEC, MDNS_TTL)]),
            ("_https._tcp.local", PTR, &[(PTR, MDNS_TTL_LONG)]),
            ("_services._dns-sd._udp.local", PTR, &[(PTR, MDNS_TTL_LONG)]),
            ("archivista-4f2a._https._tcp.local", SRV, &[(SRV, MDNS_TTL)]),
            ("_https._tcp.local", A, &[]),
            ("other.local", ANY, &[]),
            ("archivista", ANY, &[]),
            ("", ANY, &[]),
        ] {
            assert_eq!(said(&ask(name, kind)), expected, "{name} {kind}");
        }
    }

    #[test]
    fn a_service_brings_all_that_one_needs_to_go_there() {
        let answer = answer(&ask("_https._tcp.local", PTR), &records()).unwrap();
        let mut kinds: Vec<u16> = answer.additional.iter().map(|record| record.data.kind()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [A, TXT, AAAA, SRV]);
        assert!(Packet::read(&answer.write()).is_some());
    }

    #[test]
    fn what_is_known_is_not_said_again() {
        let known = |ttl| {
            let mut asked = ask("archivista.local", ANY);
            asked.answers = hosts(&Name::of(COMMON), &addresses(&["192.168.1.20/24"]));
            asked.answers[0].ttl = ttl;
            said(&asked)
        };
        assert_eq!(known(MDNS_TTL / 2), [(AAAA, MDNS_TTL)]);
        assert_eq!(known(MDNS_TTL / 2 - 1), [(A, MDNS_TTL), (AAAA, MDNS_TTL)]);
    }

    #[test]
    fn a_question_that_is_asked_twice_is_answered_once() {
        let mut asked = ask("archivista.local", A);
        asked.questions.push(asked.questions[0].clone());
        assert_eq!(said(&asked).len(), 1);
    }

    #[test]
    fn link_local_addresses_are_a_last_resort() {
        let of = |all: &[&str]| hosts(&Name::of(COMMON), &addresses(all)).len();
        assert_eq!(of(&["fe80::1/64", "169.254.3.4/16"]), 2);
        assert_eq!(of(&["fe80::1/64", "169.254.3.4/16", "10.0.0.1/8"]), 1);
        assert!(all("archivista-4f2a", true, &[]).is_empty());
        assert!(all("", true, &addresses(&["10.0.0.1/8"])).is_empty());
    }

    #[test]
    fn old_resolvers_get_an_answer_that_they_understand() {
        let asked = Packet { id: 4711, ..ask("archivista.local", A) };
        let answer = legacy(answer(&asked, &records()).unwrap(), &asked);
        assert_eq!((answer.id, answer.questions.len(), answer.answers[0].ttl), (4711, 1, MDNS_LEGACY_TTL));
        assert!(!answer.answers[0].is_ours_alone);
    }

    #[test]
    fn only_neighbours_are_answered() {
        let own = addresses(&["192.168.1.20/24", "2001:db8::5/64", "10.1.2.3/32"]);
        for (from, is_ours) in [
            ("192.168.1.255", true),
            ("192.168.2.1", false),
            ("8.8.8.8", false),
            ("10.1.2.4", false),
            ("2001:db8::77", true),
            ("2001:db8:0:1::77", false),
            ("fe80::9", true),
            ("::ffff:192.168.1.9", false),
        ] {
            assert_eq!(is_local(&own, from.parse().unwrap()), is_ours, "{from}");
        }
        for bad in ["", "1.2.3.4", "1.2.3.4/33", "::1/129", "x/1", "1.2.3.4/x"] {
            assert_eq!(Address::read(bad), None, "{bad}");
        }
        assert!(is_local(&addresses(&["1.2.3.4/0"]), "9.9.9.9".parse().unwrap()));
    }
}
