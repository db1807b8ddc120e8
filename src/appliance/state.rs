//! What the box knows of itself, as the console, the pages and the log show it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

/// Everything at once; small enough to be sent whole whenever something changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BoxState {
    /// `archivista-4f2a`: the same at every start, another one in every box of a network.
    pub name: String,
    /// The release that runs.
    pub release: String,
    /// The slot that runs, and the one that the next start takes.
    pub slot: Option<Slot>,
    pub committed: Option<Slot>,
    pub storage: Storage,
    pub interfaces: Vec<Interface>,
    pub clock: Clock,
    pub watchdog: Option<Watchdog>,
    /// Starts in a row that the watchdog caused, none of them followed by an hour of health.
    pub watchdog_starts: u32,
    /// Nothing is fetched, because of those.
    pub fetching_is_paused: bool,
    pub pages: Pages,
    pub settings: BoxSettings,
    /// The disks that this box may be installed to; empty unless it runs from a removable one.
    pub install_targets: Vec<Disk>,
}

/// One of the two places that hold a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    A,
    B,
}

impl fmt::Display for Slot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::A => "a",
            Self::B => "b",
        })
    }
}

/// Whether the disk can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Storage {
    /// Being looked for, checked or grown.
    #[default]
    Preparing,
    Ready {
        /// Bytes of the file system.
        size: u64,
        /// What was mended at this start, in the checker's words; empty where nothing was.
        mended: String,
    },
    Trouble(StorageTrouble),
}

/// Why the archive's disk cannot be used. Nothing is ever formatted because of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageTrouble {
    /// The disk that this system was started from has no data partition.
    NoPartition {
        disk: String,
    },
    /// The disk that this system was started from is not there.
    NoDisk,
    /// The file system is damaged beyond what the checker mends without losing something.
    Damaged {
        partition: String,
        what: String,
    },
    NotMounted {
        partition: String,
        what: String,
    },
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    pub name: String,
    pub hardware_address: String,
    pub has_carrier: bool,
    /// With the length of the prefix, as in `192.168.1.20/24`.
    pub addresses: Vec<String>,
    pub is_static: bool,
    pub router: Option<IpAddr>,
    pub dns: Vec<IpAddr>,
    /// Time servers that DHCP named (option 42).
    pub time_servers: Vec<IpAddr>,
}

/// How far the clock can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clock {
    /// It was earlier than this release or the last commit and was set to that; nothing is fetched.
    #[default]
    Unknown,
    /// The box's own clock kept the time while it was off.
    Own,
    /// Asked of a time server.
    Server {
        server: String,
        /// Unix seconds.
        at: i64,
        /// What was wrong by then, in milliseconds.
        corrected: i64,
    },
}

impl Clock {
    /// Whether what is archived now gets a date that can be believed.
    pub fn is_sane(&self) -> bool {
        *self != Self::Unknown
    }
}

/// The device that starts the box again when it hangs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watchdog {
    /// As its driver names it.
    pub identity: String,
    pub is_hardware: bool,
    /// Seconds.
    pub timeout: u32,
    /// Whether it caused this start.
    pub caused_start: bool,
}

/// How the pages are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pages {
    pub state: PagesState,
    /// Of the certificate, SHA-256.
    pub fingerprint: String,
    /// What the setup page asks for, until somebody has set the box up.
    pub setup_code: Option<String>,
    /// A definition that is being fetched, or how the last run ended: one line for the console.
    pub fetching: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PagesState {
    /// `serve` is not there, or is opening the archive.
    #[default]
    Starting,
    /// One page is served: how it is with the disk, without which there is no archive.
    Waiting,
    /// Pages are served.
    Ready,
    /// One page is served: why the archive cannot be opened.
    Trouble,
}

/// What an administrator sets of the box itself; kept on the data partition beside the archive, since the network has to be
/// there before the archive is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BoxSettings {
    /// By name of the interface; all others ask by DHCP.
    pub static_addresses: BTreeMap<String, StaticAddress>,
    /// Names or addresses, asked before those that DHCP names and the usual ones.
    pub time_servers: Vec<String>,
}

/// An IPv4 address that does not come by DHCP; IPv6 addresses configure themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticAddress {
    pub address: Ipv4Addr,
    /// 1 to 30.
    pub prefix: u8,
    pub router: Option<Ipv4Addr>,
    pub dns: Vec<IpAddr>,
}

/// A disk that the box can be installed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// As in `/dev/NAME`.
    pub name: String,
    pub model: String,
    /// Bytes.
    pub size: u64,
    /// Whether it holds a box already, whose archive stays; only the system is written anew.
    pub holds_a_box: bool,
}

/// How the box ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    Restart,
    Off,
}
