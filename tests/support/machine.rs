//! A virtual machine that runs the box's image under QEMU, by software emulation alone.
//!
//! The console, the log port and QMP are sockets; what came over the first two is kept in files and printed when a wait ends
//! in vain, so that a failure can be read.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::https::Https;

/// Ports that are tried.
const TRIES: usize = 5;
/// Under software emulation on a busy machine; nothing is asserted about time.
const BOOTS_WITHIN: Duration = Duration::from_mins(10);
/// Where the guest finds the host's loopback.
pub const HOST: &str = "10.0.2.100";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    X86_64,
    Aarch64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    Uefi,
    Bios,
    /// None: QEMU puts the kernel of slot-a into memory, as the loaders of small boards do.
    Loader,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    Virtio,
    Nvme,
    Ahci,
    Usb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dog {
    I6300esb,
    /// That of the chipset of a PC.
    Itco,
    None,
}

/// What kind of machine.
#[derive(Clone, Debug)]
pub struct Setup {
    pub arch: Arch,
    pub firmware: Firmware,
    pub bus: Bus,
    pub dog: Dog,
    /// MiB.
    pub memory: u32,
    /// `-rtc base=`.
    pub clock: Option<&'static str>,
    /// Ports of the host's loopback that the guest reaches at [`HOST`]; it reaches nothing else.
    pub ports: Vec<u16>,
    /// Further arguments of QEMU.
    pub more: Vec<String>,
}

impl Setup {
    pub fn of(arch: Arch) -> Self {
        Self {
            arch,
            firmware: Firmware::Uefi,
            bus: Bus::Virtio,
            dog: Dog::I6300esb,
            memory: 512,
            clock: None,
            ports: Vec::new(),
            more: Vec::new(),
        }
    }
}

impl Arch {
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    fn image(self) -> PathBuf {
        let name = self.name();
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/box/{name}/disk.img"))
    }
}

/// A disk with the image on it, the same bytes as the one that is handed out packed, for one test.
pub struct Disk {
    folder: TempDir,
    pub path: PathBuf,
}

impl Disk {
    /// Of `size` bytes, sparse.
    pub fn flashed(arch: Arch, size: u64) -> Self {
        let image = arch.image();
        assert!(image.exists(), "{} is missing: run `make image ARCH={}`", image.display(), arch.name());
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let path = folder.path().join("disk.img");
        run(Command::new("cp").arg("--sparse=always").args([&image, &path]));
        OpenOptions::new().write(true).open(&path).unwrap().set_len(size).unwrap();
        Self { folder, path }
    }

    /// One that a box was installed to; its file goes with the disk that it lies beside.
    pub fn of(path: PathBuf) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), path }
    }

    /// An empty one beside it.
    pub fn beside(&self, name: &str, size: u64) -> PathBuf {
        let path = self.folder.path().join(name);
        File::create(&path).unwrap().set_len(size).unwrap();
        path
    }

    /// First byte and length of a partition.
    pub fn partition(&self, number: u64) -> (u64, u64) {
        let out = Command::new("sfdisk").arg("-J").arg(&self.path).output().unwrap();
        let table: Value = serde_json::from_slice(&out.stdout).unwrap();
        let partitions = table["partitiontable"]["partitions"].as_array().unwrap();
        let ending = format!("img{number}");
        let found = partitions.iter().find(|one| one["node"].as_str().unwrap().ends_with(&ending)).unwrap();
        (found["start"].as_u64().unwrap() * 512, found["size"].as_u64().unwrap() * 512)
    }

    pub fn write(&self, at: u64, bytes: &[u8]) {
        let mut file = OpenOptions::new().write(true).open(&self.path).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
    }

    pub fn read(&self, at: u64, length: usize) -> Vec<u8> {
        let mut file = File::open(&self.path).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Sets a variable of GRUB's environment as GRUB's own tool does.
    pub fn set_environment(&self, name: &str, value: &str) {
        let (esp, _) = self.partition(1);
        let image = format!("{}@@{esp}", self.path.display());
        let file = self.folder.path().join("grubenv");
        run(Command::new("mcopy").args(["-n", "-o", "-i", &image, "::/grub/grubenv"]).arg(&file));
        run(Command::new("grub-editenv").arg(&file).args(["set", &format!("{name}={value}")]));
        // In place: the file stays where it is on the disk.
        let bytes = fs::read(&file).unwrap();
        let old = self.find_environment();
        self.write(old, &bytes);
    }

    pub fn environment(&self) -> String {
        let at = self.find_environment();
        String::from_utf8_lossy(&self.read(at, 1024)).into_owned()
    }

    /// A file of the root file system of slot-a, as a file of its own.
    fn of_slot(&self, name: &str) -> PathBuf {
        let (start, _) = self.partition(2);
        let tree = self.folder.path().join("boot");
        let mut command = Command::new("unsquashfs");
        command.args(["-q", "-n", "-f", "-o", &start.to_string(), "-d"]).arg(&tree).arg(&self.path).arg(name);
        run(&mut command);
        tree.join(name)
    }

    /// Takes the root file system of slot-a apart, has it changed, and writes it into these partitions.
    pub fn remake(&self, partitions: &[u64], change: impl FnOnce(&Path)) {
        let (start, _) = self.partition(2);
        let tree = self.folder.path().join("root");
        let image = self.folder.path().join("root.squashfs");
        run(Command::new("unsquashfs").args(["-q", "-n", "-o", &start.to_string(), "-d"]).arg(&tree).arg(&self.path));
        change(&tree);
        run(Command::new("mksquashfs").arg(&tree).arg(&image).args(["-noappend", "-quiet", "-no-progress"]).args([
            "-all-root",
            "-no-xattrs",
            "-comp",
            "xz",
            "-b",
            "256K",
            "-action",
            "uncompressed @ subpathname(boot)",
        ]));
        let bytes = fs::read(&image).unwrap();
        for number in partitions {
            let (start, length) = self.partition(*number);
            assert!(bytes.len() as u64 <= length);
            self.write(start, &bytes);
        }
        fs::remove_dir_all(&tree).unwrap();
    }

    /// Both slots get a shell behind a port of the hypervisor, which can be opened only once; see [`Machine::sh`].
    pub fn with_shell(&self) {
        self.remake(&[2, 3], |tree| {
            let script = "#!/bin/sh\nwhile :; do\n\tfor port in /sys/class/virtio-ports/*; do\n\t\t\
                          if grep -qx shell $port/name; then sh <>/dev/${port##*/} >&0 2>&1; fi\n\tdone\n\tsleep 1\ndone\n";
            let path = tree.join("usr/bin/test-shell");
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            let inittab = tree.join("etc/inittab");
            let lines = fs::read_to_string(&inittab).unwrap();
            fs::write(&inittab, lines + "::respawn:/usr/bin/test-shell\n").unwrap();
        });
    }

    fn find_environment(&self) -> u64 {
        let (esp, length) = self.partition(1);
        let bytes = self.read(esp, usize::try_from(length).unwrap());
        let mark = b"# GRUB Environment Block\n";
        let sector = bytes.chunks(512).position(|sector| sector.starts_with(mark)).expect("grubenv");
        esp + 512 * sector as u64
    }
}

fn run(command: &mut Command) {
    let out = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// Text that arrives, kept whole.
pub struct Text {
    name: &'static str,
    so_far: Mutex<String>,
    more: Condvar,
}

impl Text {
    fn of(name: &'static str, stream: UnixStream, file: PathBuf) -> Arc<Self> {
        let text = Arc::new(Self { name, so_far: Mutex::default(), more: Condvar::new() });
        let own = text.clone();
        std::thread::spawn(move || {
            let mut kept = OpenOptions::new().create(true).append(true).open(file).unwrap();
            let mut stream = stream;
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                let _ = kept.write_all(&bytes[..count]);
                own.so_far.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
                own.more.notify_all();
            }
        });
        text
    }

    pub fn all(&self) -> String {
        self.so_far.lock().unwrap().clone()
    }

    /// Where what comes next begins.
    pub fn mark(&self) -> usize {
        self.so_far.lock().unwrap().len()
    }

    /// Waits until after `mark` something is there that `find` finds.
    pub fn wait<T>(&self, what: &str, mark: usize, within: Duration, find: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + within;
        let mut so_far = self.so_far.lock().unwrap();
        loop {
            if let Some(found) = find(&so_far[mark.min(so_far.len())..]) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            let tail: String = so_far.chars().rev().take(6000).collect::<Vec<_>>().into_iter().rev().collect();
            assert!(!left.is_zero(), "{what} did not come over the {} within {within:?}; its end:\n{tail}", self.name);
            so_far = self.more.wait_timeout(so_far, left.min(Duration::from_secs(1))).unwrap().0;
        }
    }
}

/// A running machine; killed when dropped.
pub struct Machine {
    qemu: Child,
    console_in: UnixStream,
    pub console: Arc<Text>,
    /// What the box logs.
    pub log: Arc<Text>,
    shell_in: UnixStream,
    shell: Arc<Text>,
    qmp: Mutex<(UnixStream, BufReader<UnixStream>)>,
    pub events: Mutex<Vec<Value>>,
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Machine {
    pub fn start(setup: &Setup, disk: &Disk) -> Self {
        for _ in 0..TRIES {
            match Self::try_start(setup, disk) {
                Ok(machine) => return machine,
                // Somebody else took the port after it was found to be free.
                Err(said) => assert!(said.contains("host forwarding rule"), "QEMU: {said}"),
            }
        }
        panic!("no port of the host stays free");
    }

    /// `Err`: what QEMU said before it ended.
    fn try_start(setup: &Setup, disk: &Disk) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let port = {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let mut command = command(setup, disk, folder.path(), port);
        let errors = at("stderr");
        let qemu = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut qemu = Killed(Some(qemu));
        let (serial, log, shell, qmp) = (at("console"), at("log"), at("shell"), at("qmp"));
        let said = || fs::read_to_string(&errors).unwrap_or_default();
        let mut connect = |path: &Path| {
            let since = Instant::now();
            loop {
                match UnixStream::connect(path) {
                    Ok(stream) => return Ok(stream),
                    Err(_) if qemu.0.as_mut().unwrap().try_wait().unwrap().is_some() => return Err(said()),
                    Err(error) => assert!(since.elapsed() < BOOTS_WITHIN, "QEMU: {error}: {}", said()),
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        let kept = |name: &str| disk.folder.path().join(name);
        let console_in = connect(&serial)?;
        let console = Text::of("console", console_in.try_clone().unwrap(), kept("console.txt"));
        let log = Text::of("log port", connect(&log)?, kept("log.txt"));
        let shell_in = connect(&shell)?;
        let shell = Text::of("shell", shell_in.try_clone().unwrap(), kept("shell.txt"));
        let stream = connect(&qmp)?;
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        // It greets when all of the machine is there.
        if reader.read_line(&mut String::new()).unwrap_or_default() == 0 {
            return Err(said());
        }
        let machine = Self {
            qemu: qemu.0.take().unwrap(),
            console_in,
            console,
            log,
            shell_in,
            shell,
            qmp: Mutex::new((stream, reader)),
            events: Mutex::default(),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            _folder: folder,
        };
        machine.qmp("qmp_capabilities", &json!({}));
        Ok(machine)
    }

    /// Has QEMU do something; events that come before its answer are kept.
    pub fn qmp(&self, what: &str, arguments: &Value) -> Value {
        let mut qmp = self.qmp.lock().unwrap();
        let line = json!({ "execute": what, "arguments": arguments }).to_string();
        qmp.0.write_all(format!("{line}\n").as_bytes()).unwrap();
        loop {
            let mut line = String::new();
            assert!(qmp.1.read_line(&mut line).unwrap() > 0, "QEMU ended");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer.get("event").is_some() {
                self.events.lock().unwrap().push(answer);
            } else if answer.get("QMP").is_none() {
                assert!(answer.get("error").is_none(), "{what}: {answer}");
                return answer["return"].clone();
            }
        }
    }

    /// Whether such an event came.
    pub fn saw(&self, event: &str) -> bool {
        self.qmp("query-status", &json!({}));
        self.events.lock().unwrap().iter().any(|one| one["event"] == event)
    }

    pub fn is_running(&mut self) -> bool {
        self.qemu.try_wait().unwrap().is_none()
    }

    pub fn type_line(&mut self, line: &str) {
        self.console_in.write_all(format!("{line}\r").as_bytes()).unwrap();
    }

    /// What a command says, on a disk [`Disk::with_shell`].
    pub fn sh(&mut self, command: &str) -> String {
        let mark = self.shell.mark();
        self.shell_in.write_all(format!("{command}; echo E''ND $?\n").as_bytes()).unwrap();
        self.shell.wait(command, mark, BOOTS_WITHIN, |text| {
            let (said, rest) = text.split_once("END ")?;
            rest.contains('\n').then(|| said.to_owned())
        })
    }

    /// As pulling the plug: what the guest had in memory is gone.
    pub fn kill(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }

    /// Presses the power button and waits until the machine is off.
    pub fn power_off(&mut self) {
        self.qmp("system_powerdown", &json!({}));
        let since = Instant::now();
        while self.is_running() {
            assert!(since.elapsed() < BOOTS_WITHIN, "it does not power off:\n{}", self.log.all());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits for the pages; what the console shows then as the setup code, and the certificate, which is the one whose
    /// fingerprint the console shows.
    pub fn wait_for_setup(&self) -> (String, Https) {
        let code = self.console.wait("the setup code", 0, BOOTS_WITHIN, setup_code);
        (code, self.visitor())
    }

    /// Waits until the log says this, after `mark`.
    pub fn wait_for_log(&self, words: &str, mark: usize) -> String {
        self.log.wait(words, mark, BOOTS_WITHIN, |text| {
            text.lines().find(|line| line.contains(words)).map(ToOwned::to_owned)
        })
    }

    /// Somebody who trusts the certificate that the box shows, once it does.
    pub fn visitor(&self) -> Https {
        let since = Instant::now();
        loop {
            let out = Command::new("openssl")
                .args(["s_client", "-showcerts", "-connect", &self.address.to_string()])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            if let Some((_, rest)) = text.split_once("-----BEGIN CERTIFICATE-----")
                && let Some((pem, _)) = rest.split_once("-----END CERTIFICATE-----")
            {
                let pem = format!("-----BEGIN CERTIFICATE-----{pem}-----END CERTIFICATE-----\n");
                return Https::new(self.address, &pem);
            }
            assert!(since.elapsed() < BOOTS_WITHIN, "no page:\n{}\n{}", self.console.all(), self.log.all());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// QEMU with its machine; its sockets lie in `folder`.
fn command(setup: &Setup, disk: &Disk, folder: &Path, port: u16) -> Command {
    let at = |name: &str| folder.join(name);
    let mut command = match setup.arch {
        Arch::X86_64 => {
            let mut command = Command::new("qemu-system-x86_64");
            command.args(["-M", "q35", "-cpu", "qemu64"]);
            if setup.firmware == Firmware::Uefi {
                let variables = at("vars.fd");
                fs::copy(firmware("OVMF_VARS_4M.fd"), &variables).unwrap();
                command
                    .arg("-drive")
                    .arg(format!("if=pflash,format=raw,readonly=on,file={}", firmware("OVMF_CODE_4M.fd").display()));
                command.arg("-drive").arg(format!("if=pflash,format=raw,file={}", variables.display()));
            }
            command
        }
        Arch::Aarch64 => {
            let mut command = Command::new("qemu-system-aarch64");
            command.args(["-M", "virt", "-cpu", "cortex-a72"]);
            if setup.firmware == Firmware::Uefi {
                command.args(["-bios", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"]);
            }
            command
        }
    };
    let mut forwarded = String::new();
    for port in &setup.ports {
        forwarded += &format!(",guestfwd=tcp:{HOST}:{port}-cmd:socat - TCP:127.0.0.1:{port}");
    }
    if setup.firmware == Firmware::Loader {
        let told = "root=PARTLABEL=slot-a ro gpt slot=a panic=10 console=ttyAMA0,115200";
        command.arg("-kernel").arg(disk.of_slot("boot/kernel")).arg("-initrd").arg(disk.of_slot("boot/initrd"));
        command.args(["-append", told]);
    }
    // First, so that a disk among them comes before the one that the machine starts from.
    command.args(&setup.more);
    command
        .args(["-accel", "tcg", "-smp", "1", "-display", "none", "-nodefaults", "-no-user-config", "-m"])
        .arg(setup.memory.to_string())
        .arg("-chardev")
        .arg(format!("socket,id=console,path={},server=on,wait=off", at("console").display()))
        .args(["-serial", "chardev:console"])
        .arg("-chardev")
        .arg(format!("socket,id=log,path={},server=on,wait=off", at("log").display()))
        .args(["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=log,name=ch.archivista.log"])
        .arg("-chardev")
        .arg(format!("socket,id=shell,path={},server=on,wait=off", at("shell").display()))
        .args(["-device", "virtserialport,chardev=shell,name=shell"])
        .arg("-qmp")
        .arg(format!("unix:{},server=on,wait=off", at("qmp").display()))
        .arg("-netdev")
        .arg(format!("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:443{forwarded}"))
        .args(["-device", "virtio-net-pci,netdev=net,id=nic,romfile=", "-device", "virtio-rng-pci"])
        .arg("-drive")
        .arg(format!("if=none,id=disk,format=raw,discard=unmap,file={}", disk.path.display()));
    let disk_device: &[&str] = match setup.bus {
        Bus::Virtio => &["virtio-blk-pci,drive=disk,bootindex=0"],
        Bus::Nvme => &["nvme,serial=1,drive=disk,bootindex=0"],
        Bus::Ahci => &["ahci,id=ahci", "ide-hd,drive=disk,bus=ahci.0,bootindex=0"],
        Bus::Usb => &["qemu-xhci,id=xhci", "usb-storage,bus=xhci.0,drive=disk,bootindex=0,removable=on"],
    };
    for device in disk_device {
        command.args(["-device", device]);
    }
    command.args(["-action", "watchdog=reset"]);
    match setup.dog {
        Dog::I6300esb => {
            command.args(["-device", "i6300esb"]);
        }
        Dog::Itco => {
            command.args(["-global", "ICH9-LPC.noreboot=false"]);
        }
        Dog::None => {}
    }
    if let Some(clock) = setup.clock {
        command.args(["-rtc", &format!("base={clock}")]);
    }
    command
}

/// What the console shows as the setup code, where it does.
fn setup_code(text: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once("Setup code")?;
    let word = rest.split_whitespace().find(|word| word.contains('-') && word.len() >= 9)?;
    // The line is whole.
    rest.contains('\n').then(|| word.to_owned())
}

fn firmware(name: &str) -> PathBuf {
    Path::new("/usr/share/OVMF").join(name)
}

/// Kills a QEMU that was started when the test ends before it is a [`Machine`].
struct Killed(Option<Child>);

impl Drop for Killed {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}
