//! Promise: the box asks time servers and has its clock set, by none that lies alone, is not well itself, answers somebody
//! else's question or wants a time before the last commit; and it leaves servers alone that ask for it.

use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use archivista::appliance::channel::Ask;
use archivista::appliance::link::Link;
use archivista::appliance::sntp::Sntp;
use archivista::appliance::state::{BoxState, Clock};
use archivista::archive::Archive;
use archivista::archive::commit::Happening;
use archivista::pulse::Pulse;

use crate::support::around::Around;

/// From 1900 to 1970, seconds.
const TO_UNIX: u64 = 2_208_988_800;
const YEAR: i64 = 31_556_952;

/// A time server on 127.0.0.N; ended with the test.
struct Server {
    asked: Arc<AtomicU32>,
}

impl Server {
    /// `wrong`: seconds that its clock is ahead. `bend` changes its answers.
    fn start(port: u16, host: u8, wrong: i64, bend: impl Fn(&mut Vec<u8>) + Send + 'static) -> Self {
        let socket = UdpSocket::bind((format!("127.0.0.{host}"), port)).unwrap();
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        thread::spawn(move || {
            let mut question = [0; 100];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                count.fetch_add(1, Ordering::SeqCst);
                assert_eq!((length, question[0]), (48, 0x23));
                assert!(question[1..40].iter().all(|byte| *byte == 0), "the box tells nothing of itself");
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                let seconds = (now.as_secs() + TO_UNIX).wrapping_add_signed(wrong) % (1 << 32);
                let seconds = u32::try_from(seconds).unwrap();
                let fraction = u32::try_from((u64::from(now.subsec_nanos()) << 32) / 1_000_000_000).unwrap();
                let mut answer = vec![0; 48];
                answer[..2].copy_from_slice(&[0x24, 2]);
                answer[24..32].copy_from_slice(&question[40..48]);
                for at in [32, 40] {
                    answer[at..at + 4].copy_from_slice(&seconds.to_be_bytes());
                    answer[at + 4..at + 8].copy_from_slice(&fraction.to_be_bytes());
                }
                bend(&mut answer);
                let _ = socket.send_to(&answer, from);
            }
        });
        Self { asked }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A port that is free on all of 127.0.0.0/8.
fn port() -> u16 {
    UdpSocket::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port()
}

struct Stage {
    around: Around,
    link: Arc<Link>,
    sntp: Sntp,
}

impl Stage {
    fn new(port: u16, hosts: &[u8], floor: i64) -> Self {
        let (around, link) = Around::new(BoxState::default());
        let mut sntp = Sntp::new(floor);
        (sntp.port, sntp.usual) = (port, hosts.iter().map(|host| format!("127.0.0.{host}")).collect());
        Self { around, link, sntp }
    }

    /// What one round has set: seconds, rounded, and by which server.
    fn round(&mut self) -> Option<(i64, String)> {
        let is_set = self.sntp.round(&self.link, &self.link.state(), &Pulse::new());
        self.link.ask(&Ask::Proved);
        let mut set = None;
        loop {
            match self.around.asked() {
                Ask::Proved => break,
                Ask::SetClock { by, clock: Clock::Server { server, corrected, .. } } => {
                    assert!(by == 0 || by / 1000 == corrected);
                    set = Some(((by + 500_000).div_euclid(1_000_000), server));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(is_set, set.is_some());
        set
    }
}

/// Changes an answer.
type Bend = fn(&mut Vec<u8>);

fn good(_: &mut Vec<u8>) {}

#[test]
fn the_clock_is_set_by_the_majority() {
    let port = port();
    let _lies = Server::start(port, 2, 30 * YEAR, good);
    let servers = [3, 4, 5].map(|host| Server::start(port, host, 3600, good));
    let (by, server) = Stage::new(port, &[2, 3, 4, 5], 0).round().expect("two agree");
    assert_eq!(by, 3600);
    assert_ne!(server, "127.0.0.2");
    assert_eq!(servers.map(|server| server.asked()), [1, 1, 0], "three answers are enough");
    // Alone against one other it sets nothing; alone it has to be believed.
    assert_eq!(Stage::new(port, &[2, 3], 0).round(), None);
    assert_eq!(Stage::new(port, &[3], 0).round(), Some((3600, "127.0.0.3".into())));
    // Names that cannot be found, and servers that are not there, are passed over.
    let mut stage = Stage::new(port, &[9, 4], 0);
    stage.sntp.usual.insert(0, "there-is-no-such-name.invalid".into());
    assert_eq!(stage.round(), Some((3600, "127.0.0.4".into())));
}

#[test]
fn a_clock_that_is_right_is_not_set_and_known_to_be_right() {
    let port = port();
    let _server = Server::start(port, 2, 0, good);
    assert_eq!(Stage::new(port, &[2], 0).round(), Some((0, "127.0.0.2".into())));
}

#[test]
fn the_time_is_never_earlier_than_the_last_commit() {
    let port = port();
    let _server = Server::start(port, 2, -10 * YEAR, good);
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    assert_eq!(Stage::new(port, &[2], now - YEAR).round(), None);
    assert_eq!(Stage::new(port, &[2], now - 11 * YEAR).round(), Some((-10 * YEAR, "127.0.0.2".into())));
}

#[test]
fn answers_that_count_for_nothing() {
    let bends: [(&str, Bend); 6] = [
        ("it does not know the time", |answer| answer[0] |= 0xc0),
        ("its stratum is no one's", |answer| answer[1] = 16),
        ("the answer to another question", |answer| answer[24] ^= 1),
        ("far from its source", |answer| answer[5] = 200),
        ("cut", |answer| answer.truncate(40)),
        ("none at all", Vec::clear),
    ];
    for (what, bend) in bends {
        let port = port();
        let _server = Server::start(port, 2, 3600, bend);
        assert_eq!(Stage::new(port, &[2], 0).round(), None, "{what}");
    }
}

#[test]
fn servers_that_want_to_be_left_alone_are() {
    for code in [b"RATE", b"DENY"] {
        let port = port();
        let kisses = Server::start(port, 2, 3600, |answer| {
            answer[1] = 0;
            answer[12..16].copy_from_slice(code);
        });
        let mut stage = Stage::new(port, &[2], 0);
        assert_eq!((stage.round(), stage.round(), kisses.asked()), (None, None, 1));
    }
}

#[test]
fn an_administrator_s_servers_come_first_and_the_role_goes_on_until_it_is_ended() {
    let port = port();
    let own = Server::start(port, 7, 7200, good);
    let (mut around, link) = Around::new(BoxState::default());
    around.change(&link, |state| state.settings.time_servers = vec!["127.0.0.7".into()]);
    let mut sntp = Sntp::new(0);
    (sntp.port, sntp.usual) = (port, Vec::new());
    let end = Pulse::new();
    thread::scope(|scope| {
        scope.spawn(|| sntp.run(&link, &end));
        let Ask::SetClock { by, clock } = around.asked() else { panic!() };
        assert!(matches!(clock, Clock::Server { server, .. } if server == "127.0.0.7"));
        assert!((by - 7_200_000_000).abs() < 1_000_000);
        end.cancel();
    });
    assert_eq!(own.asked(), 1);
}

#[test]
fn the_last_commit_is_known_after_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Archive::open(&dir.path().join("data"), &Pulse::new()).unwrap();
    let archive = open();
    assert_eq!(archive.last_commit().unwrap(), None);
    let before = archivista::clock::now();
    archive.journal("test", Happening::LoggedIn).unwrap();
    let last = archive.last_commit().unwrap();
    assert!(last.is_some_and(|last| (before..=archivista::clock::now()).contains(&last)), "{last:?}");
    drop(archive);
    assert_eq!(open().last_commit().unwrap(), last);
}

/// What a foreign program says is the truth of the protocol.
#[test]
fn a_real_server_is_understood() {
    let port = port();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let config = [
        "local stratum 5".to_owned(),
        "allow 127.0.0.0/8".to_owned(),
        "bindaddress 127.0.0.1".to_owned(),
        "cmdport 0".to_owned(),
        "bindcmdaddress /".to_owned(),
        format!("port {port}"),
        format!("pidfile {}", path("pid")),
    ];
    // It sets no clock (-x), stays in front (-d), and is who started it (-u).
    let mut child = Command::new("/usr/sbin/chronyd")
        .args(["-x", "-d", "-u", "root"])
        .args(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("chronyd; run: make tools");
    let mut stage = Stage::new(port, &[1], 0);
    let mut set = None;
    for _ in 0..50 {
        set = stage.round();
        if set.is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    let _ = child.kill();
    let _ = child.wait();
    assert_eq!(set, Some((0, "127.0.0.1".into())));
}
