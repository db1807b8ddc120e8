//! The disks of the machine: the one that this system was started from, and all others.
//!
//! The kernel tells of them in sysfs. Names of devices are not known beforehand and not stable, so that nothing here
//! depends on them: the disk that the box runs from is the one that holds the mounted root. Its number decides, also where two
//! disks have the same GUIDs; only where the root is on no partition does the PARTUUID that the kernel was told.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::{major, minor};

use super::gpt::Table;
use super::places::Places;
use crate::limits::{BOX_DISKS, BOX_PARTITIONS};

/// Devices that are no disks, or not for a box.
const NO_DISKS: &[&str] = &["loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd", "mtdblock"];
/// sysfs counts in these, whatever the disk's sectors are.
const SECTOR: u64 = 512;
/// Characters of a model's name.
const MODEL: usize = 60;

/// A whole disk, as the kernel has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeDisk {
    /// As in `/dev/NAME`.
    pub name: String,
    /// As the maker calls it; may be empty.
    pub model: String,
    /// Bytes.
    pub size: u64,
    /// Bytes of a logical sector.
    pub sector: u64,
    pub is_read_only: bool,
    /// By itself, or by its plug: USB.
    pub is_removable: bool,
    /// By number.
    pub partitions: Vec<Partition>,
    /// As in `/sys/dev/block`.
    device: String,
    has_holders: bool,
}

/// A partition, as the kernel has it; start and length in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    pub number: u32,
    pub name: String,
    pub start: u64,
    pub length: u64,
    device: String,
    has_holders: bool,
}

/// The disk that this system runs from.
#[derive(Clone, Debug)]
pub struct OwnDisk {
    pub disk: WholeDisk,
    /// The number of the partition that is the root.
    pub root: u32,
}

/// Why the disk that this system runs from is not known.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DiskError {
    #[error("the root is on no partition, and no disk has the partition that the kernel was told")]
    NotFound,
    #[error("several disks have the partition that the kernel was told ({}): unplug all but one", .0.join(", "))]
    Several(Vec<String>),
}

impl WholeDisk {
    pub fn partition(&self, number: u32) -> Option<&Partition> {
        self.partitions.iter().find(|partition| partition.number == number)
    }

    /// Its device.
    pub fn path(&self, places: &Places) -> PathBuf {
        device_path(places, &self.name)
    }

    /// Who uses the disk or one of its partitions: where it is mounted, that it is swapped to, or part of something larger.
    pub fn user(&self, places: &Places) -> Option<String> {
        if self.has_holders || self.partitions.iter().any(|partition| partition.has_holders) {
            return Some("a volume on top of it".into());
        }
        let is_ours = |device: &str| self.device == device || self.partitions.iter().any(|own| own.device == device);
        if let Some(mount) = mounts(places).into_iter().find(|mount| is_ours(&mount.device)) {
            return Some(mount.folder);
        }
        let swaps = fs::read_to_string(places.proc.join("swaps")).unwrap_or_default();
        let names = std::iter::once(&self.name).chain(self.partitions.iter().map(|partition| &partition.name));
        let mut paths = names.map(|name| device_path(places, name));
        let is_swap = paths.any(|path| swaps.lines().any(|line| line.split(' ').next().map(Path::new) == Some(&path)));
        is_swap.then(|| "swap".into())
    }
}

impl Partition {
    /// Its device.
    pub fn path(&self, places: &Places) -> PathBuf {
        device_path(places, &self.name)
    }

    /// Whether it is mounted at this folder.
    pub fn is_mounted_at(&self, places: &Places, folder: &Path) -> bool {
        mounts(places).iter().any(|mount| mount.device == self.device && Path::new(&mount.folder) == folder)
    }
}

/// The disk that this system runs from.
pub fn own(places: &Places) -> Result<OwnDisk, DiskError> {
    let disks = all(places);
    let number = fs::metadata(&places.root).map(|root| format!("{}:{}", major(root.dev()), minor(root.dev())));
    if let Ok(number) = number
        && let Some(own) = disks.iter().find_map(|disk| {
            let root = disk.partitions.iter().find(|partition| partition.device == number)?.number;
            Some(OwnDisk { disk: disk.clone(), root })
        })
    {
        return Ok(own);
    }
    let line = places.command_line();
    let guid = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("root=PARTUUID="));
    let guid = guid.ok_or(DiskError::NotFound)?.to_ascii_lowercase();
    let root_of = |disk: &WholeDisk| {
        let table = Table::read(&mut File::open(disk.path(places)).ok()?).ok()?;
        table.entries().find(|entry| entry.guid == guid).map(|entry| entry.number)
    };
    let mut found: Vec<OwnDisk> =
        disks.into_iter().filter_map(|disk| Some(OwnDisk { root: root_of(&disk)?, disk })).collect();
    match found.len() {
        0 | 1 => found.pop().ok_or(DiskError::NotFound),
        _ => Err(DiskError::Several(found.into_iter().map(|own| own.disk.name).collect())),
    }
}

/// All disks that have a medium in them, by name.
pub fn all(places: &Places) -> Vec<WholeDisk> {
    let block = places.sys.join("block");
    let is_disk = |name: &str| !NO_DISKS.iter().any(|other| name.starts_with(other)) && !is_boot_area(name);
    let names = names_in(&block, BOX_DISKS, is_disk);
    names.iter().filter_map(|name| whole_disk(&block.join(name), name)).filter(|disk| disk.size > 0).collect()
}

fn whole_disk(folder: &Path, name: &str) -> Option<WholeDisk> {
    let model = [line(folder, "device/vendor"), line(folder, "device/model").or_else(|| line(folder, "device/name"))];
    let model = model.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let names = names_in(folder, BOX_PARTITIONS, |entry| entry.starts_with(name));
    let mut partitions: Vec<Partition> = names.iter().filter_map(|name| partition(&folder.join(name), name)).collect();
    partitions.sort_by_key(|partition| partition.number);
    let is_usb = fs::canonicalize(folder)
        .is_ok_and(|path| path.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"usb")));
    Some(WholeDisk {
        name: name.into(),
        model: model.chars().filter(|c| !c.is_control()).take(MODEL).collect(),
        size: number(folder, "size")?.checked_mul(SECTOR)?,
        sector: number(folder, "queue/logical_block_size").unwrap_or(SECTOR),
        is_read_only: number(folder, "ro") == Some(1),
        is_removable: number(folder, "removable") == Some(1) || is_usb,
        partitions,
        device: line(folder, "dev")?,
        has_holders: has_holders(folder),
    })
}

fn partition(folder: &Path, name: &str) -> Option<Partition> {
    Some(Partition {
        number: u32::try_from(number(folder, "partition")?).ok()?,
        name: name.into(),
        start: number(folder, "start")?.checked_mul(SECTOR)?,
        length: number(folder, "size")?.checked_mul(SECTOR)?,
        device: line(folder, "dev")?,
        has_holders: has_holders(folder),
    })
}

/// The hidden partitions of an eMMC.
fn is_boot_area(name: &str) -> bool {
    name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb"))
}

fn device_path(places: &Places, name: &str) -> PathBuf {
    // sysfs has no slashes in its names.
    places.dev.join(name.replace('!', "/"))
}

fn has_holders(folder: &Path) -> bool {
    fs::read_dir(folder.join("holders")).is_ok_and(|mut holders| holders.next().is_some())
}

fn names_in(folder: &Path, most: usize, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| wanted(name)).collect();
    names.sort();
    names.truncate(most);
    names
}

fn line(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    Some(text.trim().to_string()).filter(|text| !text.is_empty())
}

fn number(folder: &Path, name: &str) -> Option<u64> {
    line(folder, name)?.parse().ok()
}

struct Mount {
    device: String,
    folder: String,
}

/// What is mounted, from lines such as `36 35 98:0 /sub /folder …` (see mountinfo in proc(5)).
fn mounts(places: &Places) -> Vec<Mount> {
    let text = fs::read_to_string(places.proc.join("self/mountinfo")).unwrap_or_default();
    let mount = |line: &str| {
        let mut words = line.split(' ');
        Some(Mount { device: words.nth(2)?.into(), folder: words.nth(1)?.into() })
    };
    text.lines().filter_map(mount).collect()
}
