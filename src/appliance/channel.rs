//! What `supervise` and `serve` tell each other over one socket pair: frames of a length (4 bytes, little endian) and JSON.
//!
//! The first frame is [`Notice::Hello`]; the listening sockets come with it. Neither side waits for an answer: `serve` asks,
//! and what became of it shows in the next [`BoxState`]. The end of the stream means that the other side is gone.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::state::{BoxSettings, BoxState, Clock, Pages, Power};
use crate::limits::BOX_FRAME;

/// Sockets that come with the first frame: for HTTPS and, where port 80 is free, for HTTP.
const SOCKETS: usize = 2;

/// From `supervise` to `serve`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Notice {
    Hello(Box<BoxState>),
    State(Box<BoxState>),
    /// Somebody at the console asks for a new password of an administrator; answered by [`Ask::Password`].
    Password,
    /// The last lines of the log, oldest first.
    Log(Vec<String>),
    /// Something that was asked for could not be done.
    Refused(String),
}

/// From `serve` to `supervise`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Ask {
    /// A sign of life: every role of `serve` is well, or the archive is being opened and that goes on.
    Beat(Pages),
    /// A role is silent. Nobody feeds the watchdog because of it.
    Silent {
        role: String,
    },
    /// The clock must not be earlier than this, Unix seconds: the last commit.
    Floor {
        seconds: i64,
    },
    /// The clock is wrong by so much, microseconds, says a time server.
    SetClock {
        by: i64,
        clock: Clock,
    },
    /// The release has proved itself: the slot that runs becomes the committed one.
    Proved,
    /// An administrator wants fetching to go on after too many starts by the watchdog.
    Resume,
    /// For the console: a line with a name and a password, or why there is none.
    Password(Result<String, String>),
    Settings(BoxSettings),
    Power(Power),
    Log,
}

/// Sends the first frame with its sockets.
pub fn hello(stream: &UnixStream, state: &BoxState, sockets: &[TcpListener]) -> io::Result<()> {
    let frame = frame(&Notice::Hello(Box::new(state.clone())))?;
    let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().take(SOCKETS).map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("no room for the sockets"));
    }
    let sent = sendmsg(stream, &[IoSlice::new(&frame)], &mut ancillary, SendFlags::NOSIGNAL)?;
    let mut stream = stream;
    stream.write_all(&frame[sent..])
}

/// Waits for the first frame and its sockets.
pub fn hear_hello(stream: &UnixStream) -> io::Result<(BoxState, Vec<TcpListener>)> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(stream, &mut [IoSliceMut::new(&mut length)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut sockets = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            sockets.extend(descriptors.map(|descriptor: OwnedFd| TcpListener::from(descriptor)));
        }
    }
    let mut stream = stream;
    stream.read_exact(&mut length[got.bytes..])?;
    match body(&mut stream, length)? {
        Notice::Hello(state) => Ok((*state, sockets)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the first frame is no greeting")),
    }
}

/// Sends one frame.
pub fn tell(stream: &UnixStream, what: &impl Serialize) -> io::Result<()> {
    let mut stream = stream;
    stream.write_all(&frame(what)?)
}

/// Waits for one frame.
pub fn hear<T: DeserializeOwned>(stream: &UnixStream) -> io::Result<T> {
    let mut length = [0; 4];
    let mut stream = stream;
    stream.read_exact(&mut length)?;
    body(&mut stream, length)
}

fn frame(what: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, what)?;
    let length = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    if length as usize > BOX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of impossible length"));
    }
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

fn body<T: DeserializeOwned>(stream: &mut &UnixStream, length: [u8; 4]) -> io::Result<T> {
    let length = u32::from_le_bytes(length) as usize;
    if length > BOX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of impossible length"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_handed_over_and_accept() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = BoxState { name: "archivista-4f2a".into(), ..BoxState::default() };
        hello(&ours, &state, &[listener]).unwrap();
        let (heard, sockets) = hear_hello(&theirs).unwrap();
        assert_eq!(heard, state);
        let [socket] = &sockets[..] else { panic!("{sockets:?}") };
        let client = std::net::TcpStream::connect(address).unwrap();
        assert_eq!(socket.accept().unwrap().1, client.local_addr().unwrap());
    }

    #[test]
    fn frames_arrive_whole_and_in_order_and_the_end_is_noticed() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        tell(&ours, &Ask::Floor { seconds: 7 }).unwrap();
        tell(&ours, &Ask::Proved).unwrap();
        assert!(matches!(hear(&theirs).unwrap(), Ask::Floor { seconds: 7 }));
        assert!(matches!(hear(&theirs).unwrap(), Ask::Proved));
        drop(ours);
        assert_eq!(hear::<Ask>(&theirs).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_frame_of_impossible_length_is_refused_before_memory_is_taken() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&ours).write_all(&u32::MAX.to_le_bytes()).unwrap();
        assert_eq!(hear::<Ask>(&theirs).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
