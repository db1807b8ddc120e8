//! The page of a box that cannot open its archive.

use crate::appliance::state::StorageTrouble;

/// See [`super::Texts`].
#[derive(Debug)]
pub struct Trouble {
    pub preparing: &'static str,
    pub preparing_more: &'static str,
    pub starting_more: &'static str,
    pub preparing_todo: &'static str,
    pub disk: &'static str,
    pub archive: &'static str,
    pub archive_todo: &'static str,
    pub nothing_is_lost: &'static str,
    pub name: &'static str,
    pub release: &'static str,
    pub address: &'static str,
    no_disk: [&'static str; 2],
    /// Before and after the name of the disk; what to do.
    no_partition: [&'static str; 3],
    damaged: [&'static str; 3],
    not_mounted: [&'static str; 3],
}

impl Trouble {
    /// What is wrong with the disk, and what to do.
    pub fn storage(&self, trouble: &StorageTrouble) -> (String, &'static str) {
        let around = |[before, after, todo]: [&'static str; 3], name: &str| (format!("{before}{name}{after}"), todo);
        match trouble {
            StorageTrouble::NoDisk => (self.no_disk[0].into(), self.no_disk[1]),
            StorageTrouble::NoPartition { disk } => around(self.no_partition, disk),
            StorageTrouble::Damaged { partition, what } => {
                let (sentence, todo) = around(self.damaged, partition);
                (format!("{sentence} ({what})"), todo)
            }
            StorageTrouble::NotMounted { partition, what } => {
                let (sentence, todo) = around(self.not_mounted, partition);
                (format!("{sentence} ({what})"), todo)
            }
        }
    }
}

pub const DE: Trouble = Trouble {
    preparing: "Die Box startet",
    preparing_more: "Der Datenträger des Archivs wird geprüft. Nach einem Stromausfall kann das bei grossen Datenträgern dauern.",
    starting_more: "Das Archiv wird geöffnet.",
    preparing_todo: "Diese Seite lädt sich selbst neu; es ist nichts zu tun.",
    disk: "Der Datenträger des Archivs ist nicht benutzbar",
    archive: "Das Archiv lässt sich nicht öffnen",
    archive_todo: "Die Box versucht es immer wieder. Ist der Datenträger voll, schliessen Sie einen grösseren an; bei einem Schaden wenden Sie sich mit diesem Satz an Ihren IT-Partner.",
    nothing_is_lost: "Es wurde nichts gelöscht und nichts formatiert. Neue Mails bleiben auf dem Mailserver, bis die Box sie wieder holen kann.",
    name: "Name der Box",
    release: "Version",
    address: "Adresse",
    no_disk: [
        "Der Datenträger, von dem die Box gestartet wurde, ist nicht mehr da.",
        "Schalten Sie die Box aus, prüfen Sie Datenträger und Kabel und schalten Sie sie wieder ein.",
    ],
    no_partition: [
        "Auf dem Datenträger ",
        " fehlt die Partition für die Daten.",
        "Wurde der Datenträger verändert, stellen Sie ihn wieder her; ist er neu, schreiben Sie das Abbild der Box nochmals darauf.",
    ],
    damaged: [
        "Das Dateisystem auf dem Datenträger ",
        " ist beschädigt und konnte nicht von selbst repariert werden.",
        "Starten Sie die Box neu. Bleibt es dabei, ersetzen Sie den Datenträger und spielen Sie die Sicherung ein; heben Sie den alten auf.",
    ],
    not_mounted: [
        "Der Datenträger ",
        " konnte nicht eingebunden werden.",
        "Starten Sie die Box neu. Bleibt es dabei, prüfen Sie Kabel und Datenträger.",
    ],
};

pub const EN: Trouble = Trouble {
    preparing: "The box is starting",
    preparing_more: "The disk of the archive is being checked. After a power cut this can take a while on a large disk.",
    starting_more: "The archive is being opened.",
    preparing_todo: "This page loads itself again; there is nothing to do.",
    disk: "The disk of the archive cannot be used",
    archive: "The archive cannot be opened",
    archive_todo: "The box goes on trying. If the disk is full, attach a larger one; if something is damaged, tell your IT partner this sentence.",
    nothing_is_lost: "Nothing was deleted and nothing was formatted. New mail stays on the mail server until the box can fetch it again.",
    name: "Name of the box",
    release: "Release",
    address: "Address",
    no_disk: [
        "The disk that the box was started from is no longer there.",
        "Switch the box off, check disk and cable, and switch it on again.",
    ],
    no_partition: [
        "The disk ",
        " has no partition for the data.",
        "If the disk was changed, restore it; if it is new, write the image of the box to it again.",
    ],
    damaged: [
        "The file system on the disk ",
        " is damaged and could not be mended by itself.",
        "Restart the box. If that does not help, replace the disk and restore the backup; keep the old one.",
    ],
    not_mounted: [
        "The disk ",
        " could not be mounted.",
        "Restart the box. If that does not help, check cable and disk.",
    ],
};
