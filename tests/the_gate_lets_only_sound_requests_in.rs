//! The gate lets only sound requests in, whatever stands before it: slow, silent, greedy and crooked clients each get the
//! expected answer or none, others are served meanwhile, and nothing is left of them.
//!
//! The gate runs in this process, in front of a real `tiny_http` on a Unix socket.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use archivista::pulse::Pulse;
use archivista::web::gate::tls::{Identity, certificate_files};
use archivista::web::gate::{Gate, Limits, bind, upload};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, connect, socket};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;
use tiny_http::{Header, Request, Response, Server};

/// Longest wait for something that is bound to happen.
const PATIENCE: Duration = Duration::from_secs(20);
const LARGE: usize = 64 * 1024 * 1024;

/// Descriptors are counted per process, so one test has it at a time.
static ALONE: Mutex<()> = Mutex::new(());

type Held = Arc<Mutex<Vec<Request>>>;
type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A gate with all kinds of doors and a server behind it.
struct House {
    folder: TempDir,
    https: SocketAddr,
    http: SocketAddr,
    redirect: SocketAddr,
    end: Pulse,
    gate: Option<JoinHandle<()>>,
    server: Option<(Arc<Server>, Vec<JoinHandle<()>>)>,
    /// Requests that reached the server.
    reached: Arc<AtomicUsize>,
    /// Of these, those that it does not answer.
    held: Held,
    is_well: Arc<AtomicBool>,
    trusted: Arc<ClientConfig>,
    _alone: MutexGuard<'static, ()>,
}

impl House {
    fn open(limits: Limits) -> Self {
        Self::build(limits, true)
    }

    fn build(limits: Limits, has_server: bool) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, hard.min(8192), hard).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (socket, spool) = (folder.path().join("web.sock"), folder.path().join("spool"));
        fs::create_dir(&spool).unwrap();
        let reached = Arc::new(AtomicUsize::new(0));
        let held = Held::default();
        let server = has_server.then(|| {
            let server = Arc::new(Server::http_unix(&socket).unwrap());
            let workers = (0..4).map(|_| {
                let (server, reached, held) = (server.clone(), reached.clone(), held.clone());
                let spool = spool.clone();
                thread::spawn(move || {
                    while let Ok(request) = server.recv() {
                        reached.fetch_add(1, Ordering::SeqCst);
                        answer(request, &spool, &held);
                    }
                })
            });
            (server.clone(), workers.collect())
        });

        let is_well = Arc::new(AtomicBool::new(true));
        let health = {
            let is_well = is_well.clone();
            Arc::new(move || if is_well.load(Ordering::SeqCst) { Ok(()) } else { Err("fetch is stuck".to_owned()) })
        };
        let keys = folder.path().join("keys");
        let identity = Identity::open(&keys, &[]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate_files(&keys).chain).unwrap()).unwrap();
        let trusted = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let doors = [(); 3].map(|()| bind("127.0.0.1:0").unwrap());
        let [https, http, redirect] = [0, 1, 2].map(|at: usize| doors[at].local_addr().unwrap());
        let [first, second, third] = doors;
        let gate = Gate::new(socket, spool, health)
            .with_limits(limits)
            .with_uploads_for(Arc::new(|head| head.field("cookie") == Some("known")))
            .https(first, &identity)
            .unwrap()
            .http(second)
            .redirect(third, https.port());
        let end = Pulse::new();
        let its_end = end.clone();
        let gate = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(gate.run(&its_end)).unwrap();
        });
        let house = Self {
            folder,
            https,
            http,
            redirect,
            end,
            gate: Some(gate),
            server,
            reached,
            held,
            is_well,
            trusted: Arc::new(trusted),
            _alone: alone,
        };
        if has_server {
            house.serves();
        }
        house
    }

    /// A TLS connection from an address of this machine.
    fn tls(&self, from: u16) -> io::Result<Tls> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(self.trusted.clone(), name).unwrap();
        let mut stream = StreamOwned::new(connection, dial(self.https, from));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }

    /// Sends bytes to the door without protection and reads all that comes back.
    fn ask(&self, bytes: impl AsRef<[u8]>) -> String {
        talk(&mut dial(self.http, 9000), bytes.as_ref())
    }

    /// An honest client from an address of its own is served.
    fn serves(&self) {
        let mut stream = self.tls(8000).unwrap();
        let answer = talk(&mut stream, b"GET /hello?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nGET /hello?a=b 127.0.31.64 https 0 0"), "{answer}");
    }

    fn spooled(&self) -> usize {
        fs::read_dir(self.folder.path().join("spool")).unwrap().count()
    }

    fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.end.cancel();
        let gate = self.gate.take().map(JoinHandle::join);
        if let Some((server, workers)) = self.server.take() {
            for _ in &workers {
                server.unblock();
            }
            for worker in workers {
                let _ = worker.join();
            }
        }
        if !thread::panicking() {
            assert!(matches!(gate, Some(Ok(()))), "the gate panicked");
            assert_eq!(self.spooled(), 0);
        }
    }
}

/// What the pages would do. `held` keeps what is never answered.
fn answer(mut request: Request, spool: &Path, held: &Held) {
    let field = |request: &Request, name: &'static str| {
        let mut found = request.headers().iter().filter(|header| header.field.equiv(name));
        let value = found.next().map(|header| header.value.to_string());
        assert!(found.next().is_none(), "{name} comes once");
        value
    };
    if request.url() == "/hang" {
        held.lock().unwrap().push(request);
        return;
    }
    if request.url() == "/large" {
        let large = io::repeat(b'x').take(LARGE as u64);
        let _ = request.respond(Response::new(200.into(), vec![], large, Some(LARGE), None));
        return;
    }
    let mut body = Vec::new();
    request.as_reader().read_to_end(&mut body).unwrap();
    if let Some(token) = field(&request, "X-Body") {
        assert!(body.is_empty());
        body = fs::read(upload::path(spool, &token).unwrap()).unwrap();
    }
    let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
    let [peer, scheme] = ["X-Peer", "X-Scheme"].map(|name| field(&request, name).unwrap());
    let text = format!("{} {} {peer} {scheme} {} {sum}", request.method(), request.url(), body.len());
    let own: Header = "Server: tiny".parse().unwrap();
    let _ = request.respond(Response::from_string(text).with_header(own));
}

/// A connection from one of many addresses of this machine: 127.0.HIGH.LOW.
fn dial(to: SocketAddr, from: u16) -> TcpStream {
    let SocketAddr::V4(to) = to else { unreachable!() };
    let [high, low] = from.to_be_bytes();
    let own = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::new(127, 0, high, low), 0));
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    nix::sys::socket::bind(std::os::fd::AsRawFd::as_raw_fd(&socket), &own).unwrap();
    connect(std::os::fd::AsRawFd::as_raw_fd(&socket), &SockaddrIn::from(to)).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Writes what can be written and reads what comes, to the end.
fn talk(stream: &mut (impl Read + Write), bytes: &[u8]) -> String {
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    hear(stream)
}

fn hear(stream: &mut impl Read) -> String {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(count) => all.extend_from_slice(&part[..count]),
            Err(error) => {
                assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "neither answered nor closed");
                break;
            }
        }
    }
    String::from_utf8(all).unwrap()
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or(answer)
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs `attack`; afterwards the gate serves and holds no descriptor more than before.
fn survives(house: &House, attack: impl FnOnce(&House)) {
    // What an earlier exchange held is given back.
    thread::sleep(Duration::from_millis(200));
    let before = descriptors();
    attack(house);
    house.serves();
    eventually("as few descriptors as before", || descriptors() <= before);
}

fn quick() -> Limits {
    Limits {
        handshake_time: Duration::from_millis(1500),
        head_time: Duration::from_millis(1500),
        rate_window: Duration::from_millis(1500),
        server_time: Duration::from_millis(1500),
        answer_time: Duration::from_millis(1500),
        linger: Duration::from_millis(500),
        disk_reserve: 0,
        ..Limits::default()
    }
}

#[test]
fn slow_clients_keep_nobody_out() {
    let house = House::open(Limits { head_time: Duration::from_secs(5), ..quick() });
    survives(&house, |house| {
        let mut slow: Vec<Tls> = (0..160).map(|n| house.tls(1 + n / 16).unwrap()).collect();
        for byte in b"GET / HT" {
            for stream in &mut slow {
                let _ = stream.write_all(&[*byte]);
            }
            house.serves();
        }
        for stream in &mut slow {
            assert_eq!(status(&hear(stream)), "408");
        }
    });
    assert_eq!(house.reached(), 1 + 8 + 1, "only the honest ones");
}

#[test]
fn a_handshake_that_does_not_end_is_ended() {
    let house = House::open(quick());
    survives(&house, |house| {
        let mut silent: Vec<_> = (0..16).map(|_| dial(house.https, 1)).collect();
        let mut halves: Vec<_> = (0..16).map(|_| dial(house.https, 2)).collect();
        for stream in &mut halves {
            stream.write_all(&[22, 3, 1, 2, 0, 1, 0]).unwrap();
        }
        let mut garbage = dial(house.https, 3);
        let _ = garbage.write_all(&[22; 4000]);
        house.serves();
        for stream in silent.iter_mut().chain(&mut halves) {
            assert_eq!(hear(stream), "");
        }
        let _ = garbage.read(&mut [0; 100]);
    });
}

#[test]
fn what_could_be_two_requests_never_reaches_the_server() {
    let house = House::open(quick());
    let begun = house.reached();
    let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    survives(&house, |house| {
        for (fields, expected) in [
            ("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "501"),
            ("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "501"),
            ("Transfer-Encoding: xchunked\r\n", "501"),
            ("Transfer-Encoding:\tchunked\r\n", "501"),
            ("Transfer-Encoding: identity\r\n", "501"),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "501"),
            ("transfer-encoding: CHUNKED\r\n", "501"),
            ("Transfer-Encoding : chunked\r\n", "400"),
            (" Transfer-Encoding: chunked\r\n", "400"),
            ("X: y\r\n\tTransfer-Encoding: chunked\r\n", "400"),
            ("X: y\rTransfer-Encoding: chunked\r\n", "400"),
            ("X: y\nTransfer-Encoding: chunked\r\n", "400"),
            ("Transfer-Encoding: \u{b}chunked\r\n", "400"),
            ("Transfer\0-Encoding: chunked\r\n", "400"),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", "400"),
            ("Content-Length: 6\r\nContent-Length: 6\r\n", "400"),
            ("Content-Length: 6, 6\r\n", "400"),
            ("Content-Length: +6\r\n", "400"),
            ("Content-Length: -6\r\n", "400"),
            ("Content-Length: 6 6\r\n", "400"),
            ("Content-Length: 0x6\r\n", "400"),
            ("Content-Length : 6\r\n", "400"),
            ("Host: b\r\n", "400"),
            ("X: \u{e9}\r\n", "400"),
            ("Upgrade: h2c\r\n", "501"),
            ("Expect: 200-ok\r\n", "417"),
        ] {
            let answer = house.ask(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n0\r\n\r\n{inner}"));
            assert_eq!(status(&answer), expected, "{fields:?}\n{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fields:?}\n{answer}");
        }
        for (line, expected) in [
            ("GET / HTTP/1.0", "505"),
            ("OPTIONS / HTTP/1.1", "405"),
            ("GET //evil.example HTTP/1.1", "400"),
            ("GET http://evil.example/ HTTP/1.1", "400"),
            ("CONNECT a:1 HTTP/1.1", "405"),
        ] {
            assert_eq!(status(&house.ask(format!("{line}\r\nHost: a\r\n\r\n"))), expected, "{line}");
        }
        assert_eq!(status(&house.ask("GET / HTTP/1.1\r\n\r\n")), "400");
        assert_eq!(status(&house.ask("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")), "400");
    });
    assert_eq!(house.reached(), begun + 1, "only the honest one");

    // A second request behind a sound one is not read, whether the first has a body or not.
    for first in ["GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"] {
        let before = house.reached();
        let answer = house.ask(format!("{first}{inner}"));
        assert_eq!((status(&answer), answer.matches("HTTP/1.1 ").count()), ("200", 1), "{answer}");
        house.serves();
        assert_eq!(house.reached(), before + 2);
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let house = House::open(Limits { body: 1_000_000, ..quick() });
    let begun = house.reached();
    survives(&house, |house| {
        let long = "a".repeat(9000);
        assert_eq!(status(&house.ask(format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"))), "414");
        assert_eq!(status(&house.ask(format!("GET /{}", "a".repeat(200_000)))), "414");
        assert_eq!(status(&house.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}", "a".repeat(200_000)))), "431");
        assert_eq!(status(&house.ask(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(64)))), "431");
        for length in ["1000001", "18446744073709551615", "99999999999999999999999999"] {
            let head = format!("POST / HTTP/1.1\r\nHost: a\r\nCookie: known\r\nContent-Length: {length}\r\n\r\n");
            assert_eq!(status(&house.ask([head.as_bytes(), &vec![b'x'; 300_000]].concat())), "413", "{length}");
        }
        let stranger = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n";
        assert_eq!(status(&house.ask(stranger)), "403");
        assert_eq!(house.spooled(), 0);
    });
    assert_eq!(house.reached(), begun + 1);
}

#[test]
fn a_thousand_connections_are_bounded_and_keep_nobody_out() {
    let house = House::open(Limits { handshake_time: PATIENCE, ..quick() });
    survives(&house, |house| {
        let before = descriptors();
        let crowd: Vec<_> = (0..1000).map(|n| dial(house.https, 1 + n / 16)).collect();
        house.serves();
        // One descriptor of each connection is the client's own.
        let held = || descriptors() - before - crowd.len();
        eventually("at most 256 held", || held() <= 256);
        assert!(held() > 200, "{}", held());
        house.serves();
    });
    survives(&house, |house| {
        let same: Vec<_> = (0..16).map(|_| dial(house.https, 1)).collect();
        house.serves();
        assert_eq!(hear(&mut dial(house.https, 1)), "", "the seventeenth of one address");
        drop(same);
        eventually("served again", || house.tls(1).is_ok());
    });
}

#[test]
fn a_body_is_handed_over_whole_or_not_at_all() {
    let house = House::open(quick());
    let head = |length: usize, more: &str| {
        format!(
            "POST /up HTTP/1.1\r\nHost: a\r\nCookie: known\r\nX-Peer: 6.6.6.6\r\nX-Body: ../keys/tls.key\r\nContent-Length: {length}\r\n{more}\r\n"
        )
    };
    for length in [0, 1, 5000, 65_536, 65_537, 1_000_000] {
        let body: Vec<u8> = (0..=250).cycle().take(length).collect();
        let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
        let expected = format!("\r\n\r\nPOST /up 127.0.35.40 http {length} {sum}");
        survives(&house, |house| {
            let answer = house.ask([head(length, "").as_bytes(), &body].concat());
            assert!(answer.ends_with(&expected), "{answer}");
            assert!(!answer.contains("Server:") && answer.contains("Connection: close\r\n"), "{answer}");
            if length == 0 {
                return;
            }
            // With a client that asks whether it may.
            let mut stream = dial(house.http, 9000);
            stream.write_all(head(length, "Expect: 100-continue\r\n").as_bytes()).unwrap();
            let mut go_ahead = [0; 25];
            stream.read_exact(&mut go_ahead).unwrap();
            assert_eq!(&go_ahead, b"HTTP/1.1 100 Continue\r\n\r\n");
            assert!(talk(&mut stream, &body).ends_with(&expected));
        });
        eventually("the file is gone", || house.spooled() == 0);
    }

    let begun = house.reached();
    survives(&house, |house| {
        let mut streams: Vec<_> = (0..4).map(|_| dial(house.http, 1)).collect();
        for stream in &mut streams {
            stream.write_all(head(10_000_000, "").as_bytes()).unwrap();
            stream.write_all(&vec![b'x'; 200_000]).unwrap();
        }
        eventually("four files", || house.spooled() == 4);
        assert_eq!(status(&house.ask(head(100_000, ""))), "503", "a fifth upload");
        drop(streams);
        eventually("no file", || house.spooled() == 0);
    });
    survives(&house, |house| {
        for length in [60_000, 100_000] {
            let mut stream = dial(house.http, 1);
            stream.write_all(head(length, "").as_bytes()).unwrap();
            stream.write_all(b"some").unwrap();
            assert_eq!(status(&hear(&mut stream)), "408", "a body that does not come");
        }
    });
    assert_eq!(house.reached(), begun + 2, "none of these reached the server");
}

#[test]
fn who_does_not_read_is_dropped_and_who_reads_gets_everything() {
    let house = House::open(quick());
    survives(&house, |house| {
        let ask = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
        let (before, mut most) = (descriptors(), 0);
        let mut lazy = dial(house.http, 1);
        lazy.write_all(ask).unwrap();
        let mut lazy_tls = house.tls(2).unwrap();
        lazy_tls.write_all(ask).unwrap();
        // Each has its connection and the server's, at both of their ends, and gives back all but our own end.
        eventually("dropped", || {
            most = most.max(descriptors());
            most >= before + 8 && descriptors() <= before + 2
        });
        assert!(hear(&mut lazy).len() < LARGE);
        assert!(hear(&mut lazy_tls).len() < LARGE);
        assert!(house.ask(ask).len() > LARGE);
    });
}

#[test]
fn a_server_that_hangs_or_is_not_there_is_explained() {
    let house = House::open(quick());
    let healthz = |house: &House| house.ask("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    survives(&house, |house| {
        let mut waiting = dial(house.http, 1);
        waiting.write_all(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(healthz(house).ends_with("\r\n\r\nok\n"));
        let answer = hear(&mut waiting);
        assert_eq!(status(&answer), "504");
        assert!(answer.contains("nicht rechtzeitig") && answer.contains("in time"), "{answer}");
        // The server's end of that connection is its own.
        house.held.lock().unwrap().clear();
    });
    house.is_well.store(false, Ordering::SeqCst);
    let answer = healthz(&house);
    assert_eq!(status(&answer), "503");
    assert!(answer.ends_with("\r\n\r\nfetch is stuck\n"), "{answer}");
    drop(house);

    let house = House::build(quick(), false);
    assert_eq!(status(&healthz(&house)), "200");
    let before = descriptors();
    let answer = house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(status(&answer), "502");
    assert!(answer.contains("startet") && answer.contains("is starting"), "{answer}");
    assert!(house.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("\r\n\r\n"), "no body for HEAD");
    assert_eq!(status(&healthz(&house)), "200");
    eventually("as few descriptors as before", || descriptors() <= before);
}

#[test]
fn a_gate_out_of_descriptors_serves_again_when_there_are_some() {
    let house = House::open(quick());
    survives(&house, |house| {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let most = fs::read_dir("/proc/self/fd").unwrap().count() as u64 + 20;
        setrlimit(Resource::RLIMIT_NOFILE, most, hard).unwrap();
        let mut fill: Vec<_> = std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
        assert!(!fill.is_empty() && fill.len() < 40);
        fill.pop();
        let mut waiting = dial(house.http, 1);
        thread::sleep(Duration::from_millis(300));
        drop(fill);
        let answer = talk(&mut waiting, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        setrlimit(Resource::RLIMIT_NOFILE, hard.min(8192), hard).unwrap();
        assert_eq!(status(&answer), "200");
    });
}

#[test]
fn plain_http_leads_to_https_and_nowhere_else() {
    let house = House::open(quick());
    let begun = house.reached();
    let port = house.https.port();
    survives(&house, |house| {
        for door in [house.redirect, house.https] {
            let ask = |request: &str| talk(&mut dial(door, 1), request.as_bytes());
            let answer = ask("GET /perl/avclient/index.pl?target=new&go=8441 HTTP/1.1\r\nHost: box.local:80\r\n\r\n");
            assert_eq!(status(&answer), "301");
            let expected =
                format!("\r\nLocation: https://box.local:{port}/perl/avclient/index.pl?target=new&go=8441\r\n");
            assert!(answer.contains(&expected), "{answer}");
            assert_eq!(status(&ask("POST /a HTTP/1.1\r\nHost: [::1]\r\n\r\n")), "308");
            for broken in ["a/b", "a@b", "a b", "a\r\n b", "", "a:b", "a?", "a\tb", "a, b"] {
                let answer = ask(&format!("GET / HTTP/1.1\r\nHost: {broken}\r\n\r\n"));
                assert_eq!(status(&answer), "400", "{broken}");
                assert!(!answer.contains("Location"), "{answer}");
            }
            assert_eq!(status(&ask("GET //evil.example HTTP/1.1\r\nHost: a\r\n\r\n")), "400");
        }
    });
    assert_eq!(house.reached(), begun + 1);
}

#[test]
fn the_gate_ends_when_asked_whoever_is_connected() {
    let mut house = House::open(Limits { farewell: Duration::from_millis(200), ..quick() });
    let mut upload = dial(house.http, 1);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nCookie: known\r\nContent-Length: 100000\r\n\r\nbegun";
    upload.write_all(head.as_bytes()).unwrap();
    eventually("a file", || house.spooled() == 1);
    let mut silent = dial(house.https, 1);
    house.end.cancel();
    house.gate.take().unwrap().join().unwrap();
    assert_eq!(house.spooled(), 0);
    assert_eq!((hear(&mut upload), hear(&mut silent)), (String::new(), String::new()));
    // For the house to join.
    house.gate = Some(thread::spawn(|| ()));
}

#[test]
fn a_taken_port_is_explained() {
    let first = bind("127.0.0.1:0").unwrap();
    let address = first.local_addr().unwrap();
    let said = bind(&address.to_string()).unwrap_err().to_string();
    assert!(said.contains("in use") && said.contains(&address.port().to_string()), "{said}");
}
