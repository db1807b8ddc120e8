//! Requests to drivers that no safe crate offers. This is the one file of the program with `unsafe`: each function here is
//! a safe face of one request, and each says why its call is sound.
//!
//! A descriptor of another kind of file is answered with `ENOTTY` (or `EINVAL`) by the kernel, so that no argument
//! that has the type of its parameter can do harm to memory.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_longlong, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// `struct blkpg_partition` (linux/blkpg.h).
#[repr(C)]
struct Partition {
    /// Bytes.
    start: c_longlong,
    /// Bytes.
    length: c_longlong,
    number: c_int,
    device_name: [c_char; 64],
    volume_name: [c_char; 64],
}

/// `struct blkpg_ioctl_arg` (linux/blkpg.h).
#[repr(C)]
struct Change {
    what: c_int,
    flags: c_int,
    length: c_int,
    partition: *mut c_void,
}

/// `struct watchdog_info` (linux/watchdog.h).
#[repr(C)]
#[derive(Default)]
struct WatchdogInfo {
    options: u32,
    firmware: u32,
    identity: [u8; 32],
}

/// `BLKPG_ADD_PARTITION` and `BLKPG_RESIZE_PARTITION`.
const ADD: c_int = 1;
const RESIZE: c_int = 3;

mod request {
    use super::{Change, WatchdogInfo};

    nix::ioctl_none!(blkrrpart, 0x12, 95);
    nix::ioctl_write_ptr_bad!(blkpg, nix::request_code_none!(0x12, 105), Change);
    nix::ioctl_write_ptr!(ext4_resize_fs, b'f', 16, u64);
    nix::ioctl_read!(watchdog_support, b'W', 0, WatchdogInfo);
    nix::ioctl_read!(watchdog_boot_status, b'W', 2, std::ffi::c_int);
    nix::ioctl_readwrite!(watchdog_set_timeout, b'W', 6, std::ffi::c_int);
    nix::ioctl_read!(watchdog_get_timeout, b'W', 7, std::ffi::c_int);
}

/// Tells the kernel of a partition that it does not know yet; start and length in bytes. Needs `CAP_SYS_ADMIN`.
pub fn add_partition(disk: impl AsFd, number: u32, start: u64, length: u64) -> io::Result<()> {
    change_partition(disk, ADD, number, start, length)
}

/// Tells the kernel that a partition, which may be in use, has another length, in bytes; its start stays.
pub fn resize_partition(disk: impl AsFd, number: u32, start: u64, length: u64) -> io::Result<()> {
    change_partition(disk, RESIZE, number, start, length)
}

/// Has the kernel read the partition table anew; `EBUSY` where a partition of the disk is in use.
pub fn reread_partitions(disk: impl AsFd) -> io::Result<()> {
    // SAFETY: BLKRRPART has no argument, and the descriptor is open as long as it is borrowed.
    unsafe { request::blkrrpart(disk.as_fd().as_raw_fd()) }?;
    Ok(())
}

/// Grows a mounted ext4 to so many of its blocks; `mounted` is any folder or file in it. Returns when it is done.
pub fn resize_ext4(mounted: impl AsFd, blocks: u64) -> io::Result<()> {
    // SAFETY: EXT4_IOC_RESIZE_FS reads one u64 through the pointer, which is valid during the call.
    unsafe { request::ext4_resize_fs(mounted.as_fd().as_raw_fd(), &raw const blocks) }?;
    Ok(())
}

/// The name that a watchdog's driver gives itself; characters that cannot be shown are replaced.
pub fn watchdog_identity(watchdog: impl AsFd) -> io::Result<String> {
    let mut info = WatchdogInfo::default();
    // SAFETY: WDIOC_GETSUPPORT writes one struct watchdog_info, whose layout WatchdogInfo has, through the pointer.
    unsafe { request::watchdog_support(watchdog.as_fd().as_raw_fd(), &raw mut info) }?;
    let end = info.identity.iter().position(|byte| *byte == 0).unwrap_or(info.identity.len());
    Ok(String::from_utf8_lossy(&info.identity[..end]).into_owned())
}

/// Bits of why the machine started, as the watchdog knows them; bit 5 (`WDIOF_CARDRESET`) is a start that it caused.
pub fn watchdog_boot_status(watchdog: impl AsFd) -> io::Result<u32> {
    let mut status: c_int = 0;
    // SAFETY: WDIOC_GETBOOTSTATUS writes one int through the pointer, which is valid during the call.
    unsafe { request::watchdog_boot_status(watchdog.as_fd().as_raw_fd(), &raw mut status) }?;
    Ok(status.cast_unsigned())
}

/// Sets how many seconds the watchdog waits to be fed, and returns how many it really takes.
pub fn set_watchdog_timeout(watchdog: impl AsFd, seconds: u32) -> io::Result<u32> {
    let mut seconds = c_int::try_from(seconds).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: WDIOC_SETTIMEOUT reads and writes one int through the pointer, which is valid during the call.
    unsafe { request::watchdog_set_timeout(watchdog.as_fd().as_raw_fd(), &raw mut seconds) }?;
    Ok(seconds.cast_unsigned())
}

/// How many seconds the watchdog waits to be fed.
pub fn watchdog_timeout(watchdog: impl AsFd) -> io::Result<u32> {
    let mut seconds: c_int = 0;
    // SAFETY: WDIOC_GETTIMEOUT writes one int through the pointer, which is valid during the call.
    unsafe { request::watchdog_get_timeout(watchdog.as_fd().as_raw_fd(), &raw mut seconds) }?;
    Ok(seconds.cast_unsigned())
}

fn change_partition(disk: impl AsFd, what: c_int, number: u32, start: u64, length: u64) -> io::Result<()> {
    let mut partition = Partition {
        start: c_longlong::try_from(start).map_err(|_| io::ErrorKind::InvalidInput)?,
        length: c_longlong::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?,
        number: c_int::try_from(number).map_err(|_| io::ErrorKind::InvalidInput)?,
        device_name: [0; 64],
        volume_name: [0; 64],
    };
    let size = c_int::try_from(size_of::<Partition>()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let change = Change { what, flags: 0, length: size, partition: (&raw mut partition).cast() };
    // SAFETY: BLKPG reads a struct blkpg_ioctl_arg, whose layout Change has, and through its pointer one struct
    // blkpg_partition, whose layout Partition has; both live until the call returns.
    unsafe { request::blkpg(disk.as_fd().as_raw_fd(), &raw const change) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    /// The sizes and numbers that the kernel's headers give on 64-bit machines, both `x86_64` and aarch64.
    #[test]
    fn structures_and_requests_are_those_of_the_kernel() {
        assert_eq!(size_of::<Partition>(), 152);
        assert_eq!(size_of::<Change>(), 24);
        assert_eq!(size_of::<WatchdogInfo>(), 40);
        assert_eq!(nix::request_code_none!(0x12, 95), 0x125f);
        assert_eq!(nix::request_code_none!(0x12, 105), 0x1269);
        assert_eq!(nix::request_code_write!(b'f', 16, size_of::<u64>()), 0x4008_6610);
        // The type of a request depends on the C library, its lower 32 bits do not.
        let support = nix::request_code_read!(b'W', 0, size_of::<WatchdogInfo>()).to_le_bytes();
        assert_eq!(support[..4], 0x8028_5700_u32.to_le_bytes());
        let timeout = nix::request_code_readwrite!(b'W', 6, size_of::<c_int>()).to_le_bytes();
        assert_eq!(timeout[..4], 0xc004_5706_u32.to_le_bytes());
    }

    #[test]
    fn a_file_of_another_kind_is_an_error() {
        let file = tempfile::tempfile().unwrap();
        let refused = [
            add_partition(&file, 4, 0, 512).unwrap_err(),
            resize_partition(&file, 4, 0, 512).unwrap_err(),
            reread_partitions(&file).unwrap_err(),
            watchdog_timeout(&file).unwrap_err(),
            set_watchdog_timeout(&file, 60).unwrap_err(),
            watchdog_boot_status(&file).unwrap_err(),
            watchdog_identity(&file).unwrap_err(),
        ];
        for error in refused {
            assert_eq!(error.raw_os_error(), Some(nix::libc::ENOTTY), "{error}");
        }
        assert!(resize_ext4(std::fs::File::open("/proc/self/status").unwrap(), 1).is_err());
        assert_eq!(add_partition(&file, 4, u64::MAX, 512).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    /// The lint is `deny`, so that this file can allow what no other does.
    #[test]
    fn no_other_file_allows_unsafe_code() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders: Vec<PathBuf> = vec![root.join("src"), root.join("tests")];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs")
                    && path != root.join("src/appliance/ioctl.rs")
                {
                    seen += 1;
                    assert!(!std::fs::read_to_string(&path).unwrap().contains("unsafe_code"), "{}", path.display());
                }
            }
        }
        assert!(seen > 100, "only {seen} files were looked at");
    }
}
