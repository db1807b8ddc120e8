//! How fast a client has to read and write: a mean over a window, so that a short stall is forgiven and a trickle is not.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

/// A buffer has room for so many bytes before it is read into.
pub const LEAST_READ: usize = 2048;

/// Counts what one client moves in the time that it is waited for; the time that others take does not count.
#[derive(Debug)]
pub struct Pace {
    window: Duration,
    /// Bytes that a window needs.
    least: u64,
    waited: Duration,
    moved: u64,
}

impl Pace {
    /// `rate` bytes per second as a mean over each `window`.
    pub fn new(rate: u64, window: Duration) -> Self {
        let window = window.max(Duration::from_millis(1));
        let least = rate.saturating_mul(u64::try_from(window.as_millis()).unwrap_or(u64::MAX)) / 1000;
        Self { window, least, waited: Duration::ZERO, moved: 0 }
    }

    /// Reads some bytes behind those of `into`, at most `most`; 0 at the end. [`io::ErrorKind::TimedOut`] when the client is
    /// too slow.
    pub async fn read(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        into: &mut Vec<u8>,
        most: usize,
    ) -> io::Result<usize> {
        into.reserve(most.min(LEAST_READ));
        let mut part = stream.take(most as u64);
        loop {
            let since = Instant::now();
            let left = self.window.saturating_sub(self.waited);
            match timeout(left, part.read_buf(into)).await {
                Ok(result) => {
                    let count = result?;
                    self.note(since.elapsed(), count)?;
                    return Ok(count);
                }
                Err(_) => self.note(left, 0)?,
            }
        }
    }

    /// Writes all bytes; [`io::ErrorKind::TimedOut`] when the client is too slow.
    pub async fn write_all(&mut self, stream: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let since = Instant::now();
            let left = self.window.saturating_sub(self.waited);
            match timeout(left, stream.write(bytes)).await {
                Ok(result) => {
                    let count = result?;
                    if count == 0 {
                        return Err(io::ErrorKind::WriteZero.into());
                    }
                    self.note(since.elapsed(), count)?;
                    bytes = &bytes[count..];
                }
                Err(_) => self.note(left, 0)?,
            }
        }
        Ok(())
    }

    /// Sends on what an encrypting stream still holds.
    pub async fn flush(&mut self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let since = Instant::now();
        timeout(self.window, stream.flush()).await.map_err(|_| io::ErrorKind::TimedOut)??;
        self.note(since.elapsed(), 0)
    }

    /// A window that is over begins anew, if enough was moved in it.
    fn note(&mut self, waited: Duration, moved: usize) -> io::Result<()> {
        self.waited += waited;
        self.moved += moved as u64;
        if self.waited >= self.window {
            if self.moved < self.least {
                return Err(io::ErrorKind::TimedOut.into());
            }
            (self.waited, self.moved) = (Duration::ZERO, 0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_forgiven_and_a_trickle_is_not() {
        let mut pace = Pace::new(100, Duration::from_secs(10));
        pace.note(Duration::from_secs(1), 1000).unwrap();
        pace.note(Duration::from_secs(9), 0).unwrap();
        for _ in 0..9 {
            pace.note(Duration::from_secs(1), 99).unwrap();
        }
        assert_eq!(pace.note(Duration::from_secs(1), 99).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
