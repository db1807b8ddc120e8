//! A machine with disks that are files, as the kernel would tell of them, and a kernel that does with files what the real
//! one does with devices. Tables, file systems and environments are made by Debian's own tools.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use archivista::appliance::kernel::Kernel;
use archivista::appliance::places::Places;
use nix::sys::stat::{major, minor};

use super::must_run;

pub const MIB: u64 = 1024 * 1024;
/// The image's partitions, in sectors: as on a real box, but small.
pub const ESP: (u64, u64) = (2048, 2048);
pub const SLOT_A: (u64, u64) = (4096, 2048);
pub const SLOT_B: (u64, u64) = (6144, 2048);
pub const DATA: (u64, u64) = (8192, 131_072);
/// The GUIDs of the image file.
pub const FRESH_GUID: &str = "6f3a1c52-8a1e-4d0b-9c57-1f0e2b7a4d";

/// A tool of Debian's that may be outside a user's path.
pub fn tool(name: &str) -> Command {
    let paths = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
    Command::new(paths.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no {name}; run: make tools")))
}

/// Runs sfdisk on a file with a script.
pub fn sfdisk(disk: &Path, script: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), script).unwrap();
    must_run(tool("sfdisk").args(["--quiet", "--no-reread"]).arg(disk).stdin(File::open(file.path()).unwrap()));
}

/// Number, start and sectors of each partition, says sfdisk.
pub fn partitions(disk: &Path) -> Vec<(u64, u64, u64)> {
    let table: serde_json::Value = serde_json::from_str(&must_run(tool("sfdisk").arg("--json").arg(disk))).unwrap();
    let partition = |row: &serde_json::Value| {
        let number = row["node"].as_str().unwrap().strip_prefix(disk.to_str().unwrap()).unwrap();
        (number.trim_start_matches('p').parse().unwrap(), row["start"].as_u64().unwrap(), row["size"].as_u64().unwrap())
    };
    table["partitiontable"]["partitions"].as_array().into_iter().flatten().map(partition).collect()
}

/// The GUID of a partition, in lower case; of the disk where the number is 0.
pub fn guid(disk: &Path, number: u64) -> String {
    let argument = if number == 0 { "--disk-id".into() } else { format!("--part-uuid={number}") };
    let mut command = tool("sfdisk");
    if number == 0 {
        command.arg(argument).arg(disk);
    } else {
        command.arg("--part-uuid").arg(disk).arg(number.to_string());
    }
    must_run(&mut command).trim().to_lowercase()
}

/// What two tools find wrong with a partition table.
pub fn table_is_sound(disk: &Path) {
    must_run(tool("sfdisk").arg("--verify").arg(disk));
    let said = must_run(tool("sgdisk").arg("--verify").arg(disk));
    assert!(said.contains("No problems found"), "{said}");
}

/// Makes an ext4 as the image has it in a file, from a place on.
pub fn mke2fs(file: &Path, start: u64, length: u64) {
    must_run(
        tool("mke2fs")
            .args(["-q", "-F", "-t", "ext4", "-b", "4096", "-O", "64bit,meta_bg,^resize_inode", "-J", "size=4"])
            .args(["-U", "11111111-2222-3333-4444-555555555555"])
            .args(["-E", &format!("offset={start},hash_seed=11111111-2222-3333-4444-555555555555")])
            .arg(file)
            .arg(format!("{}k", length / 1024)),
    );
}

/// A blank data file system, packed.
pub fn blank(folder: &Path) -> PathBuf {
    let (plain, packed) = (folder.join("data.ext4"), folder.join("data.ext4.zst"));
    File::create(&plain).unwrap().set_len(DATA.1 * 512).unwrap();
    mke2fs(&plain, 0, DATA.1 * 512);
    zstd::stream::copy_encode(File::open(&plain).unwrap(), File::create(&packed).unwrap(), 3).unwrap();
    packed
}

/// Writes what the image file has to the start of a disk: table, ESP with its environment, slots, data.
pub fn write_image(disk: &Path, fresh: &str) {
    let image = File::create(disk).unwrap();
    let end = DATA.0 + DATA.1 + 2048;
    image.set_len(end * 512).unwrap();
    let linux = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
    let mut script = format!("label: gpt\nlabel-id: {FRESH_GUID}00\nfirst-lba: 34\n");
    let kinds = ["C12A7328-F81F-11D2-BA4B-00A0C93EC93B", linux, linux, linux];
    for (index, (name, place)) in
        [("esp", ESP), ("slot-a", SLOT_A), ("slot-b", SLOT_B), ("data", DATA)].into_iter().enumerate()
    {
        let (start, size, kind) = (place.0, place.1, kinds[index]);
        script += &format!("start={start}, size={size}, type={kind}, uuid={FRESH_GUID}0{}, name={name}\n", index + 1);
    }
    script +=
        &format!("start=34, size=2014, type=21686148-6449-6E6F-744E-656564454649, uuid={FRESH_GUID}05, name=bios\n");
    sfdisk(disk, &script);
    fill(&image, 34, 2014, 5);
    fill(&image, SLOT_A.0, SLOT_A.1, 2);
    fill(&image, SLOT_B.0, SLOT_B.1, 3);
    image.write_all_at(&[0xeb; 440], 0).unwrap();
    let environment = tempfile::NamedTempFile::new().unwrap();
    must_run(tool("grub-editenv").arg(environment.path()).arg("create"));
    must_run(tool("grub-editenv").arg(environment.path()).args(["set", "slot=a", "next=", &format!("fresh={fresh}")]));
    let esp = format!("{}@@{}", disk.display(), ESP.0 * 512);
    must_run(tool("mformat").args(["-i", &esp, "-h", "16", "-s", "16", "-t", "8", "::"]));
    must_run(tool("mmd").args(["-i", &esp, "::grub"]));
    must_run(tool("mcopy").args(["-i", &esp]).arg(environment.path()).arg("::grub/grubenv"));
    mke2fs(disk, DATA.0 * 512, DATA.1 * 512);
}

/// The environment on a disk, as mtools and GRUB's own tool read it.
pub fn environment(disk: &Path) -> String {
    let file = environment_file(disk);
    must_run(tool("grub-editenv").arg(file.path()).arg("list"))
}

pub fn environment_file(disk: &Path) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let esp = format!("{}@@{}", disk.display(), ESP.0 * 512);
    must_run(tool("mcopy").args(["-n", "-o", "-i", &esp, "::grub/grubenv"]).arg(file.path()));
    file
}

/// Bytes of a place on a disk, in sectors.
pub fn sectors(disk: &Path, place: (u64, u64)) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(place.1 * 512).unwrap()];
    File::open(disk).unwrap().read_exact_at(&mut bytes, place.0 * 512).unwrap();
    bytes
}

/// Bytes that are nowhere else, in a place in sectors.
fn fill(file: &File, start: u64, length: u64, seed: u8) {
    let bytes: Vec<u8> =
        (0..length * 512).map(|index| (index % 251).to_le_bytes()[0] ^ (index >> 9).to_le_bytes()[0] ^ seed).collect();
    file.write_all_at(&bytes, start * 512).unwrap();
}

pub struct Machine {
    pub folder: tempfile::TempDir,
    pub places: Places,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// Without a disk.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let places = Places {
            proc: place("proc"),
            sys: place("sys"),
            dev: place("dev"),
            root: place("root"),
            data: place("data"),
            checker: tool("e2fsck").get_program().into(),
            blank: folder.path().join("data.ext4.zst"),
        };
        fs::create_dir_all(places.sys.join("block")).unwrap();
        fs::create_dir_all(places.proc.join("self")).unwrap();
        Self { folder, places }
    }

    /// A machine whose disk `sda` is the image, written to a disk of so many bytes, and started from slot a.
    pub fn with_box(size: u64, fresh: &str, usb: bool) -> Self {
        let machine = Self::new();
        write_image(&machine.disk("sda"), fresh);
        File::options().write(true).open(machine.disk("sda")).unwrap().set_len(size).unwrap();
        machine.plug("sda", usb);
        machine.start_from("sda", 2);
        machine
    }

    pub fn disk(&self, name: &str) -> PathBuf {
        self.places.dev.join(name)
    }

    /// An empty disk of so many bytes, plugged in.
    pub fn blank_disk(&self, name: &str, size: u64) -> PathBuf {
        File::create(self.disk(name)).unwrap().set_len(size).unwrap();
        self.plug(name, false);
        self.disk(name)
    }

    /// Tells of the disk that is a file of this name, and of its partitions. A data partition becomes a file of its own.
    pub fn plug(&self, name: &str, usb: bool) {
        let folder = self.places.sys.join(if usb { "devices/pci0/usb1/1-1" } else { "devices/pci0/ata1" }).join(name);
        fs::create_dir_all(folder.join("queue")).unwrap();
        fs::create_dir_all(folder.join("device")).unwrap();
        let link = self.places.sys.join("block").join(name);
        if !link.exists() {
            symlink(&folder, link).unwrap();
        }
        let size = fs::metadata(self.disk(name)).unwrap().len();
        let letter = name.bytes().last().unwrap();
        for (file, text) in [
            ("size", format!("{}\n", size / 512)),
            ("ro", "0\n".into()),
            ("removable", "0\n".into()),
            ("dev", format!("8:{}\n", u32::from(letter - b'a') * 16)),
            ("queue/logical_block_size", "512\n".into()),
            ("device/vendor", "ACME    \n".into()),
            ("device/model", "Rocket \n".into()),
        ] {
            fs::write(folder.join(file), text).unwrap();
        }
        let table = tool("sfdisk").arg("--json").arg(self.disk(name)).output().unwrap();
        if table.status.success() {
            for (number, start, sectors) in partitions(&self.disk(name)) {
                add_to_sys(&folder, name, number, start, sectors);
                if number == 4 {
                    take_out(&self.disk(name), &self.disk(&format!("{name}4")), start, sectors);
                }
            }
        }
    }

    /// Has the root of the system be a partition.
    pub fn start_from(&self, disk: &str, number: u64) {
        let device = fs::metadata(&self.places.root).unwrap().dev();
        let file = self.places.sys.join("block").join(disk).join(format!("{disk}{number}")).join("dev");
        fs::write(file, format!("{}:{}\n", major(device), minor(device))).unwrap();
    }

    /// Sets a file of what the kernel tells of a disk.
    pub fn tell(&self, disk: &str, file: &str, text: &str) {
        fs::write(self.places.sys.join("block").join(disk).join(file), text).unwrap();
    }
}

fn add_to_sys(folder: &Path, disk: &str, number: u64, start: u64, sectors: u64) {
    let folder = folder.join(format!("{disk}{number}"));
    fs::create_dir_all(&folder).unwrap();
    let base: u64 =
        fs::read_to_string(folder.join("../dev")).unwrap().trim().split_once(':').unwrap().1.parse().unwrap();
    let files = [("partition", number.to_string()), ("start", start.to_string()), ("size", sectors.to_string())];
    for (file, text) in files.into_iter().chain([("dev", format!("8:{}", base + number))]) {
        fs::write(folder.join(file), text + "\n").unwrap();
    }
}

/// Copies the beginning of a partition into a file of its length.
fn take_out(disk: &Path, file: &Path, start: u64, sectors: u64) {
    let (from, to) = (File::open(disk).unwrap(), File::create(file).unwrap());
    let mut piece = vec![0; 1 << 20];
    for at in (0..(sectors * 512).min(DATA.1 * 512)).step_by(piece.len()) {
        if from.read_exact_at(&mut piece, start * 512 + at).is_ok() && piece.iter().any(|byte| *byte != 0) {
            to.write_all_at(&piece, at).unwrap();
        }
    }
    to.set_len(sectors * 512).unwrap();
}

/// Does with files what a kernel does with devices, and remembers what it was asked for.
pub struct FileKernel<'a> {
    machine: &'a Machine,
    pub asked: RefCell<Vec<String>>,
}

impl<'a> FileKernel<'a> {
    pub fn of(machine: &'a Machine) -> Self {
        Self { machine, asked: RefCell::default() }
    }

    pub fn was_asked(&self, word: &str) -> bool {
        self.asked.borrow().iter().any(|asked| asked.starts_with(word))
    }

    fn note(&self, what: String) {
        self.asked.borrow_mut().push(what);
    }

    fn sys(&self, disk: &Path) -> (String, PathBuf) {
        let name = disk.file_name().unwrap().to_str().unwrap().to_string();
        let folder = fs::canonicalize(self.machine.places.sys.join("block").join(&name)).unwrap();
        (name, folder)
    }
}

impl Kernel for FileKernel<'_> {
    fn add_partition(&self, disk: &Path, number: u32, start: u64, length: u64) -> io::Result<()> {
        self.note(format!("add {number}"));
        let (name, folder) = self.sys(disk);
        add_to_sys(&folder, &name, number.into(), start / 512, length / 512);
        take_out(disk, &self.machine.disk(&format!("{name}{number}")), start / 512, length / 512);
        Ok(())
    }

    fn resize_partition(&self, disk: &Path, number: u32, start: u64, length: u64) -> io::Result<()> {
        self.note(format!("resize {number}"));
        let (name, folder) = self.sys(disk);
        add_to_sys(&folder, &name, number.into(), start / 512, length / 512);
        OpenOptions::new().write(true).open(self.machine.disk(&format!("{name}{number}")))?.set_len(length)
    }

    fn reread_partitions(&self, _disk: &Path) -> io::Result<()> {
        self.note("reread".into());
        Ok(())
    }

    fn mount(&self, partition: &Path, folder: &Path) -> io::Result<()> {
        self.note(format!("mount {}", partition.display()));
        // What the kernel would do as well: it takes no file system whose state is bad.
        must_run(tool("e2fsck").args(["-f", "-n"]).arg(partition));
        assert!(folder.is_dir());
        fs::write(self.machine.folder.path().join("mounted"), partition.to_str().unwrap())
    }

    fn grow(&self, _folder: &Path, blocks: u64) -> io::Result<()> {
        self.note(format!("grow {blocks}"));
        let partition = fs::read_to_string(self.machine.folder.path().join("mounted"))?;
        must_run(tool("resize2fs").arg("-f").arg(&partition).arg(blocks.to_string()));
        Ok(())
    }

    fn give(&self, folder: &Path, user: u32) -> io::Result<()> {
        self.note(format!("give {} {user}", folder.file_name().unwrap().display()));
        Ok(())
    }
}
