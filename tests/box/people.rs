//! What people do with a box in a virtual machine.

use std::path::Path;
use std::process::Command;

use crate::support::administering::Administering;
use crate::support::archivista::Archivista;
use crate::support::machine::{Disk, HOST, Machine};
use crate::support::proof::in_archive;
use crate::support::serving::{ADMINISTRATOR, setup_fields};
use crate::support::tenant::{CLIENT, SECRET, TENANT, Tenant, same};

/// Sets the box up with the code that its console shows.
pub fn set_up(machine: &Machine) -> Administering {
    let (code, mut browser) = machine.wait_for_setup();
    let fields = setup_fields(&code);
    let answer = browser.post("/setup", &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let mut administering = Administering::of(browser, &[SECRET, ADMINISTRATOR.1]);
    administering.done("/admin/recovery-sheet/later", &[]);
    administering
}

/// Logs in to a box that was set up.
pub fn log_in(machine: &Machine) -> Administering {
    machine.wait_for_log("serving /data/archive", machine.log.all().rfind("supervises").unwrap_or(0));
    let (name, password) = ADMINISTRATOR;
    let mut browser = machine.visitor();
    let answer = browser.post("/login", &[("user", name), ("password", password)]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    Administering::of(browser, &[SECRET, password])
}

/// Adds a mailbox of the tenant as a source; it is fetched at once, and then every minute.
pub fn add_source(administering: &mut Administering, name: &str, tenant: &Tenant, mailbox: &str) {
    let port = tenant.simulator.url().rsplit(':').next().unwrap().to_owned();
    let url = format!("https://{HOST}:{port}");
    let ca = std::fs::read_to_string(tenant.ca_file()).unwrap();
    administering.done(
        "/admin/new/o365",
        &[
            ("name", name),
            ("tenant", TENANT),
            ("client_id", CLIENT),
            ("client_secret", SECRET),
            ("mailboxes", mailbox),
            ("number_of_mails", "25"),
            ("cloud", "global"),
            ("login_url", &url),
            ("graph_url", &url),
            ("ca_file", &ca),
            ("after", "leave"),
            ("interval_minutes", "1"),
            ("min_age_days", "0"),
        ],
    );
}

/// The access link of a document, without the address.
pub fn link(number: usize) -> String {
    format!("/perl/avclient/index.pl?target=new&go={number}")
}

/// Port of the simulator, which the machine has to reach.
pub fn port(tenant: &Tenant) -> u16 {
    tenant.simulator.url().rsplit(':').next().unwrap().parse().unwrap()
}

/// Waits until so many documents are in the archive.
pub fn wait_for_documents(administering: &mut Administering, count: usize) {
    // They are numbered without a gap.
    let target = link(count);
    let (mut since, mut before) = (std::time::Instant::now(), 0);
    loop {
        let answer = administering.get(&target);
        if [200, 302, 303].contains(&answer.status) {
            return;
        }
        // As long as more and more come, all is well, however slow the machine is.
        if since.elapsed() > std::time::Duration::from_mins(2) {
            let there = documents(administering);
            assert!(there > before, "document {count} is not there, and no more than {there} come: {}", answer.status);
            (since, before) = (std::time::Instant::now(), there);
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

/// How many documents there are, by their numbers, which have no gap.
pub fn documents(administering: &mut Administering) -> usize {
    let is_there = |administering: &mut Administering, number| match administering.get(&link(number)).status {
        200 | 302 | 303 => true,
        404 => false,
        other => panic!("document {number}: {other}"),
    };
    let (mut low, mut high) = (0, 1);
    while is_there(administering, high) {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if is_there(administering, middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Copies the archive of a box that is off out of its disk.
pub fn take_archive(disk: &Disk) -> Archivista {
    let archivista = Archivista::new();
    let (start, _) = disk.partition(4);
    let image = format!("{}?offset={start}", disk.path.display());
    let beside = archivista.data().parent().unwrap().to_owned();
    dump(&image, &beside);
    std::fs::rename(beside.join("archive"), archivista.data()).unwrap();
    archivista
}

fn dump(image: &str, to: &Path) {
    let out = Command::new("/sbin/debugfs")
        .arg("-R")
        .arg(format!("rdump /archive {}", to.display()))
        .arg(image)
        .output()
        .unwrap();
    assert!(out.status.success() && to.join("archive").is_dir(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// What a stranger finds in the archive that lies on the disk: every byte is right, and every message of the tenant is there once.
pub fn prove(disk: &Disk, tenant: &Tenant, mailboxes: &[&str]) {
    let archivista = take_archive(disk);
    archivista.verify();
    same(&in_archive(&archivista), &tenant.places(mailboxes));
}
