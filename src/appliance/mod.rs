//! The box itself: what needs root, and what `serve` knows of the box around it.
//!
//! ```text
//! init ─▶ supervise (root): watchdog, disk, network, clock, console, sockets
//!           └─ one socket pair ─ serve (user archivista): everything that touches the network or somebody else's bytes
//! ```
//!
//! Rules of the room: `supervise` reads nothing that comes from the network, parses no mail and opens no archive. It is asked
//! for a few things over the channel and checks each of them. All its roles share one [`shared::Shared`]; what a person sees of
//! the box is its [`state::BoxState`], sent to `serve` whenever it changed.
//!
//! - `supervise`: the thread that decides; `serving`: `serve` as a child; `watch`: who shows signs of life, `watchdog`: the device
//!   that hangs on it; `starts`: how the starts before went; `judge`: when the box starts again by itself; `wipe`: factory reset; `time`: the clock's floor; `power`: how a box ends; `port`: the log of a virtual machine
//! - `state`: what the box knows of itself; `channel`: what the two processes tell each other; `shared`: what the roles of
//!   `supervise` share; `link`: `serve`'s end of the channel
//! - `ioctl`: requests to drivers that no safe crate offers, the one file with unsafe code; `places`: where everything is
//! - `storage`: the data partition, from the table to the mount, with `gpt` (the partition table), `checker` (the file system
//!   checker), `ext4` (what must not be harmed of one) and `kernel` (what only a kernel does)
//! - `disk`: the disks of the machine, `medium`: one of them as bytes; `slots`: which slot is started
//! - `install`: a box on another disk, `signature`: what tells that somebody's data is there
//! - `sntp`: the time, asked of time servers, `mdns`: the box's names in its network; both are `roles` of `serve`
//! - `settings`: what a person may set of the box, what is wrong with it, and its file
//! - `network`: every real interface has its address; `interface` (as the kernel shows it), `dhcp` (one client each), `lease` (what
//!   a server gave), `program` (small programs, run to their end)
//! - `console`: screen, keyboard and serial lines of the box

pub mod channel;
pub mod checker;
pub mod console;
mod dhcp;
pub mod disk;
pub mod ext4;
pub mod gpt;
pub mod install;
mod interface;
pub mod ioctl;
mod judge;
pub mod kernel;
mod lease;
pub mod link;
pub mod mdns;
pub mod medium;
pub mod network;
pub mod places;
pub mod port;
pub mod power;
mod program;
pub mod roles;
pub mod serving;
pub mod settings;
pub mod shared;
pub mod signature;
pub mod slots;
pub mod sntp;
pub mod starts;
pub mod state;
pub mod storage;
pub mod supervise;
pub mod time;
pub mod watch;
pub mod watchdog;
mod wipe;
