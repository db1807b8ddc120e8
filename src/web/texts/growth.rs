//! Pictures of numbers: how the archive grows, how runs went.

/// See [`super::Texts`].
#[derive(Debug)]
pub struct Growth {
    pub title: &'static str,
    pub documents_per_day: &'static str,
    pub documents_per_month: &'static str,
    pub size: &'static str,
    pub by_month: &'static str,
    pub day: &'static str,
    pub month: &'static str,
    pub numbers: &'static str,
    pub full: &'static str,
    pub unknown: &'static str,
    pub new_mails: &'static str,
    pub duration: &'static str,
    pub marked: &'static str,
    /// Of a number.
    pub summary_documents: fn(String) -> String,
    /// Of a size at first and now.
    pub summary_size: fn(String, String) -> String,
    /// Of how many days, growth per day, and for how long the room will do.
    pub grown: fn(i64, String, String) -> String,
    pub none: fn(i64) -> String,
    /// Of days that the archive is old, and of those that it takes.
    pub young: fn(i64, i64) -> String,
    pub about_days: fn(u64) -> String,
    pub about_months: fn(u64) -> String,
    pub about_years: fn(u64) -> String,
    pub long: &'static str,
    /// Of how many runs, and how many of them had trouble.
    pub summary_runs: fn(usize, usize) -> String,
}

pub const DE: Growth = Growth {
    title: "Wachstum",
    documents_per_day: "Neue Akten pro Tag",
    documents_per_month: "Neue Akten pro Monat",
    size: "Grösse des Archivs",
    by_month: "Pro Monat",
    day: "Tag",
    month: "Monat",
    numbers: "Zahlen als Tabelle",
    full: "Der freie Platz ist aufgebraucht: Es wird nichts mehr geholt.",
    unknown: "Wie lange der Platz reicht, ist unbekannt: Der Datenträger gibt keine Auskunft.",
    new_mails: "Neue Mails",
    duration: "Dauer",
    marked: "Ein roter Streifen über die ganze Höhe: Störung oder fehlgeschlagene Mails.",
    summary_documents: |count| format!("{count} neue Akten; die Zahlen stehen in der Tabelle."),
    summary_size: |before, now| format!("Gewachsen von {before} auf {now}; die Zahlen stehen in der Tabelle."),
    grown: |days, per_day, span| {
        format!(
            "In den letzten {days} Tagen kamen im Mittel {per_day} pro Tag dazu. Bleibt es so, reicht der Platz noch {span}."
        )
    },
    none: |days| format!("In den letzten {days} Tagen kam nichts dazu."),
    young: |age, takes| {
        let age = if age == 1 { "1 Tag".to_owned() } else { format!("{age} Tage") };
        format!(
            "Wie lange der Platz reicht, lässt sich noch nicht schätzen: Am Anfang kommen die alten Mails. Das geht ab {takes} Tagen; dieses Archiv ist {age} alt."
        )
    },
    about_days: |n| if n == 1 { "etwa 1 Tag".into() } else { format!("etwa {n} Tage") },
    about_months: |n| format!("etwa {n} Monate"),
    about_years: |n| format!("etwa {n} Jahre"),
    long: "mehr als zehn Jahre",
    summary_runs: |runs, bad| {
        format!("{runs} Läufe, davon {bad} mit Störung oder fehlgeschlagenen Mails; die Zahlen stehen in der Tabelle.")
    },
};

pub const EN: Growth = Growth {
    title: "Growth",
    documents_per_day: "New documents per day",
    documents_per_month: "New documents per month",
    size: "Size of the archive",
    by_month: "Per month",
    day: "Day",
    month: "Month",
    numbers: "Numbers as a table",
    full: "The free space is used up: nothing more is fetched.",
    unknown: "For how long the space will do is unknown: the disk does not tell.",
    new_mails: "New mails",
    duration: "Duration",
    marked: "A red stripe over the whole height: trouble, or failed mails.",
    summary_documents: |count| format!("{count} new documents; the table has the numbers."),
    summary_size: |before, now| format!("Grown from {before} to {now}; the table has the numbers."),
    grown: |days, per_day, span| {
        format!(
            "In the last {days} days {per_day} came in per day, on average. If it stays like this, the space will do for {span}."
        )
    },
    none: |days| format!("In the last {days} days nothing came in."),
    young: |age, takes| {
        let age = if age == 1 { "1 day".to_owned() } else { format!("{age} days") };
        format!(
            "For how long the space will do cannot be estimated yet: at first the old mails come in. It can after {takes} days; this archive is {age} old."
        )
    },
    about_days: |n| if n == 1 { "about 1 day".into() } else { format!("about {n} days") },
    about_months: |n| format!("about {n} months"),
    about_years: |n| format!("about {n} years"),
    long: "more than ten years",
    summary_runs: |runs, bad| {
        format!("{runs} runs, {bad} of them with trouble or failed mails; the table has the numbers.")
    },
};
