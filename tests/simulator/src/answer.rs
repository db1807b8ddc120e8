//! An answer and its body. Graph sends JSON and MIME in chunks, without a length; so does this.

use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use serde_json::Value;
use tokio::time::Sleep;

use crate::lanes::Lane;

/// A body under way.
pub struct Piece {
    from: From,
    /// The request counts as running until its body has gone.
    lane: Option<Lane>,
    /// The connection ends after this many bytes.
    cut: Option<u64>,
    /// It comes in drops.
    slow: bool,
    sent: u64,
    sleep: Option<Pin<Box<Sleep>>>,
    /// What was sent before the end has had its time to leave.
    left: bool,
}

impl Piece {
    /// Ends the connection, but not before what was sent has left: hyper throws away what it still holds.
    fn break_off(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.left {
            return Poll::Ready(Some(Err(std::io::Error::other("cut"))));
        }
        self.left = true;
        let mut sleep = Box::pin(tokio::time::sleep(Duration::from_millis(20)));
        // Not ready yet, but asked, so that it wakes this up.
        let _ = sleep.as_mut().poll(context);
        self.sleep = Some(sleep);
        Poll::Pending
    }
}

enum From {
    Nothing,
    Bytes(Bytes),
    Reader(Box<dyn Read + Send>),
}

/// How many of the first bytes trickle: long enough to be noticed, short enough for a test.
const TRICKLE: u64 = 512;

impl Body for Piece {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let this = self.get_mut();
        if let Some(sleep) = &mut this.sleep {
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            this.sleep = None;
        }
        let mut room = 64 << 10;
        if let Some(cut) = this.cut {
            if this.sent >= cut {
                return this.break_off(context);
            }
            room = room.min(cut - this.sent);
        }
        if this.slow && this.sent < TRICKLE {
            room = room.min(16);
        }
        let (data, is_last) = match &mut this.from {
            From::Nothing => return Poll::Ready(None),
            From::Bytes(bytes) => {
                let room = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
                let data = bytes.split_to(room);
                (data, bytes.is_empty())
            }
            From::Reader(reader) => {
                let mut buffer = Vec::new();
                if let Err(error) = reader.by_ref().take(room).read_to_end(&mut buffer) {
                    return Poll::Ready(Some(Err(error)));
                }
                let is_last = (buffer.len() as u64) < room;
                (Bytes::from(buffer), is_last)
            }
        };
        if is_last && this.cut.is_none() {
            // Before the client has it: its next request is not one too many.
            this.lane = None;
        }
        if data.is_empty() {
            if this.cut.is_some() {
                return this.break_off(context);
            }
            this.from = From::Nothing;
            this.lane = None;
            return Poll::Ready(None);
        }
        this.sent += data.len() as u64;
        if this.slow && this.sent <= TRICKLE {
            this.sleep = Some(Box::pin(tokio::time::sleep(Duration::from_millis(20))));
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.from, From::Nothing)
    }
}

/// An answer before it is sent.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    piece: Piece,
}

impl Answer {
    fn new(status: u16, from: From) -> Self {
        let piece = Piece { from, lane: None, cut: None, slow: false, sent: 0, sleep: None, left: false };
        Self { status, headers: Vec::new(), piece }
    }

    pub fn empty(status: u16) -> Self {
        Self::new(status, From::Nothing)
    }

    pub fn bytes(status: u16, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self::new(status, From::Bytes(bytes.into())).with("Content-Type", content_type)
    }

    /// JSON of Entra.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::bytes(status, "application/json; charset=utf-8", value.to_string())
    }

    /// JSON of Graph.
    pub fn odata(status: u16, value: &Value) -> Self {
        let content_type =
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
        Self::bytes(status, content_type, value.to_string()).with("OData-Version", "4.0")
    }

    pub fn stream(content_type: &str, reader: Box<dyn Read + Send>) -> Self {
        Self::new(200, From::Reader(reader)).with("Content-Type", content_type)
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn cut(mut self, after: u64) -> Self {
        self.piece.cut = Some(after);
        self
    }

    pub fn slowly(mut self) -> Self {
        self.piece.slow = true;
        self
    }

    pub fn in_lane(mut self, lane: Option<Lane>) -> Self {
        self.piece.lane = lane;
        self
    }

    pub fn into_response(self) -> http::Response<Piece> {
        let mut response = http::Response::new(self.piece);
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or(http::StatusCode::IM_A_TEAPOT);
        for (name, value) in self.headers {
            if let Ok(value) = http::HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
