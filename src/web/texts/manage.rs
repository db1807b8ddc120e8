//! What is done with archived mails: exported, forwarded, printed, played back; and what is still to be done with them on the server.

use crate::export::index::Words;

/// See [`super::Texts`].
#[derive(Debug)]
pub struct Manage {
    pub export_zip: &'static str,
    pub export_all: &'static str,
    pub export_help: &'static str,
    /// Whether there are more; how many, how long.
    pub export_count: fn(bool, &str, &str) -> String,
    /// Many documents were looked at, and none fitted so far.
    pub export_unknown: &'static str,
    pub export_limit: fn(&str, &str) -> String,
    /// Of the list in a ZIP file.
    pub index: Words,
    pub forward: &'static str,
    pub links_title: &'static str,
    pub forward_some: fn(u64, u64) -> String,
    pub forward_none: &'static str,
    pub print: &'static str,
    pub printed_attachments: &'static str,
    pub restore: &'static str,
    pub restore_intro: &'static str,
    pub restore_none: &'static str,
    pub restore_sure: &'static str,
    pub restore_busy: &'static str,
    pub restore_waits: &'static str,
    pub folder: &'static str,
    /// Done, of all.
    pub restoring: fn(u64, u64) -> String,
    pub restored: fn(u64) -> String,
    /// Done, not done.
    pub restored_some: fn(u64, u64) -> String,
    /// Mailbox, folder.
    pub restored_to: fn(&str, &str) -> String,
    pub restored_help: &'static str,
    pub after_due: &'static str,
    /// How many, how.
    pub after_due_some: fn(&str, &str) -> String,
    pub after_due_none: &'static str,
    pub after_moved: fn(&str) -> String,
    pub after_deleted: &'static str,
    pub after_purged: &'static str,
    pub after_left: fn(&str) -> String,
    pub delete_when: &'static str,
    /// How many messages are archived already, and when the next run is.
    pub delete_from: fn(&str, &str) -> String,
    pub next_run_soon: &'static str,
}

pub const DE: Manage = Manage {
    export_zip: "Als ZIP exportieren",
    export_all: "Alle Treffer exportieren",
    export_help: "Die ZIP-Datei enthält jede Mail Byte für Byte als .eml, jede Datei unter ihrem Namen, und eine Liste index.csv mit Aktennummer, Datum, Absender, Empfänger, Betreff und Prüfsumme. Der Export steht im Protokoll.",
    export_count: |more, count, size| {
        if more {
            format!("Mehr als {count} Akten, mehr als {size}.")
        } else {
            format!("Akten: {count}, zusammen {size}.")
        }
    },
    export_unknown: "Unter den neusten Akten passt keine; der Export sucht bis zur ältesten weiter.",
    export_limit: |count, size| {
        format!(
            "In eine Datei kommen höchstens {count} Akten und {size}, die neusten zuerst; die letzte Zeile der Liste sagt, wo sie aufhört. Grenzen Sie die Suche mit vor: und nach: ein, wenn es mehr sind."
        )
    },
    index: Words {
        columns: ["Aktennummer", "Datum", "Absender", "Empfänger", "Betreff", "SHA-256", "Bytes", "Datei", "Bemerkung"],
        damaged: "im Archiv beschädigt und nicht in dieser Datei; melden Sie das der Verwaltung",
        full: |number| format!("die Grenze einer Datei ist erreicht: ab Akte {number} ist der Rest nicht darin"),
    },
    forward: "Link weiterleiten",
    links_title: "Zugriffslinks",
    forward_some: |count, all| {
        format!("In eine neue Mail passen die ersten {count} von {all} Links. Kopieren Sie die übrigen von hier.")
    },
    forward_none: "Der Link ist zu lang für eine neue Mail. Kopieren Sie ihn von hier.",
    print: "Druckansicht",
    printed_attachments: "Anhänge",
    restore: "Ins Postfach zurückspielen",
    restore_intro: "Die Mail kommt Byte für Byte in ein Postfach zurück, aus dem sie archiviert wurde. Im Archiv bleibt sie dieselbe Akte.",
    restore_none: "Diese Akte kam aus keinem Postfach, das Sie lesen dürfen; sie lässt sich nur herunterladen.",
    restore_sure: "Die gewählten Mails in ihre Postfächer zurückspielen?",
    restore_busy: "Es werden gerade andere Mails zurückgespielt. Versuchen Sie es in einer Minute noch einmal.",
    restore_waits: "wartet",
    folder: "Ordner",
    restoring: |done, all| {
        format!("Die Mails werden zurückgespielt: {done} von {all}. Die Seite lädt sich von selbst neu.")
    },
    restored: |n| {
        if n == 1 { "Die Mail ist zurückgespielt.".into() } else { format!("{n} Mails sind zurückgespielt.") }
    },
    restored_some: |done, not| {
        format!("Zurückgespielt: {done}, nicht zurückgespielt: {not}. Der Grund steht bei jeder Mail.")
    },
    restored_to: |mailbox, folder| format!("liegt im Postfach {mailbox}, Ordner {folder}"),
    restored_help: "In Microsoft 365 erscheint eine zurückgespielte Mail als Entwurf, und ihr Empfangsdatum ist heute: Microsoft Graph nimmt Mails nur so entgegen. IMAP-Server behalten Markierungen und Datum.",
    after_due: "Noch zu verschieben oder zu löschen",
    after_due_some: |count, how| {
        format!(
            "Auf dem Server sind noch {count} archivierte Mails zu behandeln: {how}. Das geschieht im nächsten Lauf."
        )
    },
    after_due_none: "Auf dem Server ist nichts mehr zu verschieben oder zu löschen.",
    after_moved: |folder| format!("sie werden in den Ordner «{folder}» verschoben"),
    after_deleted: "sie werden gelöscht",
    after_purged: "sie werden endgültig gelöscht",
    after_left: |count| {
        format!(
            "Auf dem Server waren noch {count} archivierte Mails zu behandeln. Die Definition lässt Mails jetzt liegen; sie bleiben dort."
        )
    },
    delete_when: "Das gilt für Mails, die ab dem nächsten Lauf archiviert werden. Vor jedem Löschen wird die Mail aus dem Archiv zurückgelesen und ihre Prüfsumme verglichen; stimmt sie nicht, bleibt die Mail auf dem Server. Im Ordner für zurückgespielte Mails wird nichts gelöscht.",
    delete_from: |count, when| {
        format!("Schon archiviert sind {count} Mails: sie bleiben auf dem Server. Nächster Lauf: {when}.")
    },
    next_run_soon: "sobald gespeichert ist und die Definition aktiv ist",
};

pub const EN: Manage = Manage {
    export_zip: "Export as ZIP",
    export_all: "Export everything found",
    export_help: "The ZIP file holds each mail byte for byte as .eml, each file under its name, and a list index.csv with file number, date, from, to, subject and check sum. The export stands in the journal.",
    export_count: |more, count, size| {
        if more {
            format!("More than {count} documents, more than {size}.")
        } else {
            format!("Documents: {count}, {size} in all.")
        }
    },
    export_unknown: "None of the newest documents fits; the export goes on searching to the oldest.",
    export_limit: |count, size| {
        format!(
            "One file takes at most {count} documents and {size}, the newest first; the last line of the list says where it ends. Narrow the search by before: and after: where there are more."
        )
    },
    index: Words {
        columns: ["number", "date", "from", "to", "subject", "sha256", "bytes", "file", "remark"],
        damaged: "damaged in the archive and not in this file; tell your administrator",
        full: |number| format!("the limit of one file is reached: from document {number} on the rest is not in it"),
    },
    forward: "Forward link",
    links_title: "Access links",
    forward_some: |count, all| {
        format!("The first {count} of {all} links fit into a new mail. Copy the others from here.")
    },
    forward_none: "The link is too long for a new mail. Copy it from here.",
    print: "Print view",
    printed_attachments: "Attachments",
    restore: "Play back into the mailbox",
    restore_intro: "The mail returns byte for byte into a mailbox that it was archived from. In the archive it stays the same document.",
    restore_none: "This document came from no mailbox that you may read; it can only be downloaded.",
    restore_sure: "Play the chosen mails back into their mailboxes?",
    restore_busy: "Other mails are being played back just now. Try again in a minute.",
    restore_waits: "waits",
    folder: "folder",
    restoring: |done, all| format!("The mails are being played back: {done} of {all}. The page loads itself again."),
    restored: |n| if n == 1 { "The mail is played back.".into() } else { format!("{n} mails are played back.") },
    restored_some: |done, not| {
        format!("Played back: {done}, not played back: {not}. The reason stands with each mail.")
    },
    restored_to: |mailbox, folder| format!("lies in mailbox {mailbox}, folder {folder}"),
    restored_help: "In Microsoft 365 a mail that was played back appears as a draft, received today: Microsoft Graph takes mails in no other way. IMAP servers keep flags and date.",
    after_due: "Still to be moved or deleted",
    after_due_some: |count, how| {
        format!("{count} archived mails are still to be dealt with on the server: {how}. That happens in the next run.")
    },
    after_due_none: "Nothing is left to be moved or deleted on the server.",
    after_moved: |folder| format!("they are moved to the folder \"{folder}\""),
    after_deleted: "they are deleted",
    after_purged: "they are deleted for good",
    after_left: |count| {
        format!(
            "{count} archived mails were still to be dealt with on the server. The definition leaves mails alone now; they stay there."
        )
    },
    delete_when: "This holds for mails that are archived from the next run on. Before each deletion the mail is read back from the archive and its check sum compared; if it is wrong, the mail stays on the server. Nothing is deleted in the folder for mails that are played back.",
    delete_from: |count, when| {
        format!("{count} mails are archived already: they stay on the server. Next run: {when}.")
    },
    next_run_soon: "as soon as this is saved and the definition is active",
};
