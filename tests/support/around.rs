//! A box around pages and fetching: the other end of the channel that `supervise` has on a real one.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use archivista::appliance::channel::{self, Ask, Notice};
use archivista::appliance::link::Link;
use archivista::appliance::state::{BoxState, Clock, Interface, Slot, Storage, Watchdog};

/// Nothing that a test waits for takes this long.
const HANGS_AFTER: Duration = Duration::from_secs(30);

/// Tells a [`Link`] how the box is, and hears what it asks for.
pub struct Around {
    stream: UnixStream,
    pub state: BoxState,
}

impl Around {
    pub fn new(state: BoxState) -> (Self, Arc<Link>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(HANGS_AFTER)).unwrap();
        channel::hello(&ours, &state, &[TcpListener::bind("127.0.0.1:0").unwrap()]).unwrap();
        let (link, _) = Link::over(theirs).unwrap();
        (Self { stream: ours, state }, link)
    }

    /// A box where all is well.
    pub fn well() -> (Self, Arc<Link>) {
        Self::new(BoxState {
            name: "archivista-4f2a".into(),
            release: "1.2.3".into(),
            slot: Some(Slot::A),
            committed: Some(Slot::A),
            storage: Storage::Ready { size: 500_000_000_000, mended: String::new() },
            interfaces: vec![Interface {
                name: "eth0".into(),
                hardware_address: "02:00:00:00:4f:2a".into(),
                has_carrier: true,
                addresses: vec!["192.168.1.20/24".into(), "fe80::4f2a/64".into()],
                ..Interface::default()
            }],
            clock: Clock::Server { server: "time.example".into(), at: 1_790_000_000, corrected: -250 },
            watchdog: Some(Watchdog {
                identity: "i6300ESB timer".into(),
                is_hardware: true,
                timeout: 60,
                caused_start: false,
            }),
            ..BoxState::default()
        })
    }

    /// Changes the state, and returns when the link knows.
    pub fn change(&mut self, link: &Link, change: impl FnOnce(&mut BoxState)) {
        change(&mut self.state);
        channel::tell(&self.stream, &Notice::State(Box::new(self.state.clone()))).unwrap();
        let since = Instant::now();
        while link.state() != self.state {
            assert!(since.elapsed() < HANGS_AFTER, "the state did not arrive");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn tell(&self, notice: &Notice) {
        channel::tell(&self.stream, notice).unwrap();
    }

    /// What is asked for next, signs of life aside.
    pub fn asked(&self) -> Ask {
        loop {
            match channel::hear(&self.stream).expect("something is asked for") {
                Ask::Beat(_) => {}
                ask => return ask,
            }
        }
    }

    /// Answers every request for the log until the box is gone, whatever else is asked for.
    pub fn answer_from_now_on(self, lines: &[&str]) {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        self.stream.set_read_timeout(None).unwrap();
        std::thread::spawn(move || {
            while let Ok(ask) = channel::hear::<Ask>(&self.stream) {
                if matches!(ask, Ask::Log) {
                    self.tell(&Notice::Log(lines.clone()));
                }
            }
        });
    }

    /// Answers the next request for the log.
    pub fn hand_out_log(&self, lines: &[&str]) {
        assert!(matches!(self.asked(), Ask::Log));
        self.tell(&Notice::Log(lines.iter().map(|line| (*line).to_owned()).collect()));
    }
}
