//! A wire with a fault: passes TCP on to a server until so many bytes came back, and then cuts it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

pub struct Proxy {
    port: u16,
    cut: Receiver<()>,
}

impl Proxy {
    /// Cuts each connection after so many bytes, and takes new ones.
    pub fn cutting_each(server: u16, bytes: u64) -> Self {
        Self::start(server, move || bytes, false)
    }

    /// Lets so many bytes through in all, then cuts the connection and takes no other.
    pub fn cutting_once(server: u16, bytes: u64) -> Self {
        Self::start(server, move || bytes, true)
    }

    fn start(server: u16, bytes: impl Fn() -> u64 + Send + 'static, once: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, cut) = channel();
        thread::spawn(move || {
            let total = Arc::new(AtomicU64::new(bytes()));
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let left = if once { Arc::clone(&total) } else { Arc::new(AtomicU64::new(bytes())) };
                let was_cut = pass_on(client, upstream, &left, &tell);
                if was_cut && once {
                    return;
                }
            }
        });
        Self { port, cut }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// How often it cut a connection so far.
    pub fn cuts(&self) -> usize {
        self.cut.try_iter().count()
    }
}

/// One connection to its end; whether that was a cut.
fn pass_on(client: TcpStream, mut upstream: TcpStream, left: &AtomicU64, tell: &Sender<()>) -> bool {
    let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
    let there = thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut client = client;
    let mut buffer = [0; 16 * 1024];
    let mut was_cut = false;
    while let Ok(count) = upstream.read(&mut buffer) {
        let may = left.load(Ordering::Relaxed);
        let count = count.min(usize::try_from(may).unwrap_or(usize::MAX));
        if count == 0 {
            was_cut = may == 0;
            break;
        }
        left.fetch_sub(count as u64, Ordering::Relaxed);
        if client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    for stream in [&client, &upstream] {
        let _ = stream.shutdown(Shutdown::Both);
    }
    let _ = there.join();
    if was_cut {
        let _ = tell.send(());
    }
    was_cut
}
