//! Power cuts: all that is done to the disk below a data folder is taped, and from the tape come the states in which a cut at
//! any moment can have left that disk.
//!
//! What a sync covered is there. Of the rest each sector of each write is there or not, lengths are those before or after or
//! between, and new, renamed and removed names are there up to some moment in each folder, in the order in which they came, as
//! a file system with a journal keeps them. A disk that lies honours no sync from some moment on.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use archivista::archive::disk::{Change, Recorder};

use super::random::Random;

/// One entry of a tape; files are told apart by numbers of their own, and paths begin below the data folder.
#[derive(Clone, Debug)]
pub enum Op<M> {
    Create {
        path: PathBuf,
        file: usize,
    },
    Folder {
        path: PathBuf,
    },
    Data {
        file: usize,
        data: Data,
    },
    SyncFile {
        file: usize,
    },
    SyncFolder {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    Mode {
        path: PathBuf,
        mode: u32,
    },
    /// Something that the test knows by now.
    Mark(M),
}

#[derive(Clone, Debug)]
pub enum Data {
    Write { offset: usize, bytes: Arc<[u8]> },
    SetLen { len: usize },
}

/// A tape that runs. `M` is what the test marks on it.
#[derive(Debug)]
pub struct Tape<M> {
    root: PathBuf,
    start: Disk,
    running: Mutex<Running<M>>,
}

#[derive(Debug)]
struct Running<M> {
    ops: Vec<Op<M>>,
    /// By inode; one that is free is used again.
    files: HashMap<u64, usize>,
    count: usize,
}

impl<M: Clone> Tape<M> {
    /// Begins with what lies in `root`, all of which is durable.
    pub fn of(root: &Path) -> Self {
        let mut start = Disk::default();
        read(root, root, &mut start);
        Self::over(root, start)
    }

    /// Begins with what lies in `root` as `start` has it, of which some may be on its way.
    pub fn over(root: &Path, start: Disk) -> Self {
        let mut files = HashMap::new();
        for (path, node) in &start.now {
            if let Node::File(file) = node {
                files.insert(root.join(path).metadata().unwrap().ino(), *file);
            }
        }
        let count = start.files.len();
        Self { root: root.into(), start, running: Mutex::new(Running { ops: Vec::new(), files, count }) }
    }

    pub fn mark(&self, mark: M) {
        self.running.lock().unwrap().ops.push(Op::Mark(mark));
    }

    pub fn ops(&self) -> Vec<Op<M>> {
        self.running.lock().unwrap().ops.clone()
    }

    /// The disk as it was when the tape began.
    pub fn start(&self) -> Disk {
        self.start.clone()
    }
}

impl<M: Clone + Send + Sync + std::fmt::Debug> Recorder for Tape<M> {
    fn did(&self, path: &Path, change: Change<'_>) {
        let below = |path: &Path| path.strip_prefix(&self.root).map(Path::to_path_buf);
        // What is done around the data folder is not of this disk.
        let Ok(path) = below(path) else { return };
        let mut running = self.running.lock().unwrap();
        let of = |running: &Running<M>, file: u64| running.files[&file];
        let op = match change {
            Change::Create { file } => {
                let number = running.count;
                running.count += 1;
                running.files.insert(file, number);
                Op::Create { path, file: number }
            }
            Change::Folder => Op::Folder { path },
            Change::Write { file, offset, bytes } => {
                let data = Data::Write { offset: usize::try_from(offset).unwrap(), bytes: bytes.into() };
                Op::Data { file: of(&running, file), data }
            }
            Change::SetLen { file, len } => {
                Op::Data { file: of(&running, file), data: Data::SetLen { len: usize::try_from(len).unwrap() } }
            }
            Change::SyncFile { file } => Op::SyncFile { file: of(&running, file) },
            Change::SyncFolder => Op::SyncFolder { path },
            Change::Rename { to } => Op::Rename { from: path, to: below(to).unwrap() },
            Change::Remove => Op::Remove { path },
            Change::Mode { mode } => Op::Mode { path, mode },
        };
        running.ops.push(op);
    }
}

/// The spool and the lock hold nothing that matters, and are not taped.
fn read(root: &Path, folder: &Path, disk: &mut Disk) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.strip_prefix(root).unwrap().to_path_buf();
        if path.is_dir() {
            disk.name(name.clone(), Node::Folder);
            if name != Path::new("spool") {
                read(root, &path, disk);
            }
        } else if name != Path::new("lock") {
            disk.name(name, Node::File(disk.files.len()));
            let mode = path.metadata().unwrap().permissions().mode();
            disk.files.push(Content { durable: fs::read(&path).unwrap(), mode, ..Content::default() });
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Node {
    Folder,
    File(usize),
}

#[derive(Clone, Debug)]
struct Naming {
    gone: Option<PathBuf>,
    new: Option<(PathBuf, Node)>,
}

impl Naming {
    /// Folders whose sync makes it durable.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        let new = self.new.as_ref().map(|(path, _)| path);
        self.gone.iter().chain(new).map(|path| path.parent().unwrap_or(Path::new("")))
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        if let Some(path) = &self.gone {
            names.remove(path);
        }
        if let Some((path, node)) = &self.new {
            names.insert(path.clone(), *node);
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Content {
    durable: Vec<u8>,
    pending: Vec<Data>,
    mode: u32,
    next_mode: Option<u32>,
}

/// A disk at some moment: what is durable on it, and what is on its way.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: Vec<Content>,
    durable: BTreeMap<PathBuf, Node>,
    /// As programs see them.
    now: BTreeMap<PathBuf, Node>,
    pending: Vec<Naming>,
}

impl Disk {
    fn name(&mut self, path: PathBuf, node: Node) {
        self.durable.insert(path.clone(), node);
        self.now.insert(path, node);
    }

    /// What `op` does. A lying disk honours no sync.
    pub fn apply<M>(&mut self, op: &Op<M>, lies: bool) {
        match op {
            Op::Create { path, file } => {
                assert_eq!(*file, self.files.len());
                self.files.push(Content { mode: 0o600, ..Content::default() });
                self.naming(None, Some((path.clone(), Node::File(*file))));
            }
            Op::Folder { path } => self.naming(None, Some((path.clone(), Node::Folder))),
            Op::Rename { from, to } => {
                let node = self.now[from];
                self.naming(Some(from.clone()), Some((to.clone(), node)));
            }
            Op::Remove { path } => self.naming(Some(path.clone()), None),
            Op::Data { file, data } => self.files[*file].pending.push(data.clone()),
            Op::Mode { path, mode } => {
                if let Some(Node::File(file)) = self.now.get(path) {
                    self.files[*file].next_mode = Some(*mode);
                }
            }
            Op::SyncFile { file } if !lies => self.files[*file].sync(),
            Op::SyncFolder { path } if !lies => {
                let pending = std::mem::take(&mut self.pending);
                for naming in pending {
                    if naming.folders().any(|folder| folder == path) {
                        naming.apply(&mut self.durable);
                    } else {
                        self.pending.push(naming);
                    }
                }
            }
            Op::SyncFile { .. } | Op::SyncFolder { .. } | Op::Mark(_) => {}
        }
    }

    fn naming(&mut self, gone: Option<PathBuf>, new: Option<(PathBuf, Node)>) {
        let naming = Naming { gone, new };
        naming.apply(&mut self.now);
        self.pending.push(naming);
    }

    /// Puts into the empty folder `root` what programs see now.
    pub fn show(&self, root: &Path) {
        for (path, node) in &self.now {
            match node {
                Node::Folder => fs::create_dir(root.join(path)).unwrap(),
                Node::File(file) => {
                    let mut content = self.files[*file].clone();
                    content.sync();
                    content.leave(&root.join(path), &mut Random::seeded(0));
                }
            }
        }
    }

    /// Puts into the empty folder `root` what a cut now can leave.
    pub fn cut(&self, root: &Path, random: &mut Random) {
        let mut names = self.durable.clone();
        let mut ended: Vec<&Path> = Vec::new();
        let keep = [0, 50, 90, 100][random.index(4)];
        for naming in &self.pending {
            let follows = naming.folders().all(|folder| !ended.contains(&folder));
            if follows && random.below(100) < keep {
                naming.apply(&mut names);
            } else {
                ended.extend(naming.folders());
            }
        }
        // Folders come before what lies in them; what lies in one that is not there is out of reach.
        for (path, node) in names {
            let target = root.join(&path);
            match node {
                _ if !target.parent().unwrap().is_dir() => {}
                Node::Folder => fs::create_dir(target).unwrap(),
                Node::File(file) => self.files[file].leave(&target, random),
            }
        }
    }
}

impl Content {
    fn sync(&mut self) {
        for data in self.pending.drain(..) {
            match data {
                Data::Write { offset, bytes } => {
                    let end = offset + bytes.len();
                    self.durable.resize(self.durable.len().max(end), 0);
                    self.durable[offset..end].copy_from_slice(&bytes);
                }
                Data::SetLen { len } => self.durable.resize(len, 0),
            }
        }
        self.mode = self.next_mode.take().unwrap_or(self.mode);
    }

    fn leave(&self, path: &Path, random: &mut Random) {
        let bytes = if self.pending.is_empty() { &self.durable } else { &self.torn(random) };
        let file = File::create_new(path).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        for (at, page) in (0..).step_by(4096).zip(bytes.chunks(4096)) {
            if page.iter().any(|byte| *byte != 0) {
                file.write_all_at(page, at).unwrap();
            }
        }
        let next = self.next_mode.filter(|_| random.below(2) == 0);
        file.set_permissions(Permissions::from_mode(next.unwrap_or(self.mode))).unwrap();
    }

    /// Each sector as some of the changes on their way have left it.
    fn torn(&self, random: &mut Random) -> Vec<u8> {
        let sector = if random.below(4) == 0 { 4096 } else { 512 };
        let keep = [0, 30, 70, 95, 100][random.index(5)];
        let mut lens = vec![self.durable.len()];
        let mut touching: BTreeMap<usize, Vec<&Data>> = BTreeMap::new();
        for data in &self.pending {
            let before = *lens.last().unwrap();
            let (from, to, len) = match data {
                Data::Write { offset, bytes } => {
                    let end = offset + bytes.len();
                    (*offset, end, before.max(end))
                }
                Data::SetLen { len } => (*len, before, *len),
            };
            lens.push(len);
            for place in from / sector..to.div_ceil(sector) {
                touching.entry(place).or_default().push(data);
            }
        }
        // A file that is made longer as a whole has one length or the other; one that is appended to can be caught in between.
        let is_set = self.pending.iter().any(|data| matches!(data, Data::SetLen { .. }));
        let (shortest, longest) = (*lens.iter().min().unwrap(), *lens.iter().max().unwrap());
        let len = match keep {
            100 => *lens.last().unwrap(),
            _ if !is_set && random.below(4) == 0 => shortest + random.index(longest - shortest + 1),
            _ => lens[random.index(lens.len())],
        };
        let mut bytes = self.durable.clone();
        bytes.resize(longest, 0);
        for (place, changes) in touching {
            let done = match keep {
                0 => 0,
                _ if random.below(100) < keep => changes.len(),
                _ => random.index(changes.len() + 1),
            };
            let (low, high) = (place * sector, ((place + 1) * sector).min(longest));
            for data in &changes[..done] {
                match data {
                    Data::Write { offset, bytes: new } => {
                        let (from, to) = (low.max(*offset), high.min(offset + new.len()));
                        bytes[from..to].copy_from_slice(&new[from - offset..to - offset]);
                    }
                    Data::SetLen { len } => {
                        let from = low.max(*len).min(high);
                        bytes[from..high].fill(0);
                    }
                }
            }
        }
        bytes.truncate(len);
        bytes
    }
}

/// A folder in memory if there is such a place: a cut costs many syncs, which nobody needs here.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
