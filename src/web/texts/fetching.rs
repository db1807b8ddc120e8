//! How much fetching may disturb, and when its silence is told.

/// See [`super::Texts`].
#[derive(Debug)]
pub struct Fetching {
    pub title: &'static str,
    pub intro: &'static str,
    pub quiet: &'static str,
    pub hours_help: &'static str,
    pub quiet_help: &'static str,
    pub bandwidth: &'static str,
    pub bandwidth_help: &'static str,
    pub bounded: &'static str,
    pub bounded_help: &'static str,
    pub silence: &'static str,
    pub silence_help: &'static str,
    /// Of the line that is wrong.
    pub hours_wrong: fn(&str) -> String,
    pub quiet_always: &'static str,
    pub bandwidth_wrong: &'static str,
    pub silence_wrong: &'static str,
    /// Of hours.
    pub silent: fn(i64) -> String,
}

pub const DE: Fetching = Fetching {
    title: "Zeiten und Bandbreite",
    intro: "Das gilt für alle Definitionen zusammen.",
    quiet: "Ruhezeiten",
    hours_help: "Eine Zeile pro Spanne, etwa «Mo-Fr 08:00-18:00» oder «22:00-06:00»; die Zeitzone steht unter System.",
    quiet_help: "In diesen Zeiten wird nichts geholt; ein Lauf, der gerade geht, hört auf und macht danach weiter. Leer: keine.",
    bandwidth: "Bandbreite (kB pro Sekunde)",
    bandwidth_help: "So viel empfangen alle Postfächer zusammen höchstens. Leer: so viel, wie die Leitung hergibt.",
    bounded: "Nur in diesen Zeiten begrenzen",
    bounded_help: "Leer: immer.",
    silence: "Stille melden nach (Stunden)",
    silence_help: "Kommt in einer Definition so lange keine neue Mail, steht es in der Übersicht. Leer: nie.",
    hours_wrong: |line| format!("«{line}» ist keine Zeit. Schreiben Sie etwa «Mo-Fr 08:00-18:00»."),
    quiet_always: "Diese Zeiten lassen keine Minute der Woche übrig; es würde nie etwas geholt. Um das Archivieren anzuhalten, halten Sie es in der Übersicht an.",
    bandwidth_wrong: "Geben Sie 50 bis 10000000 kB pro Sekunde an, oder nichts.",
    silence_wrong: "Geben Sie 1 bis 8760 Stunden (ein Jahr) an, oder nichts.",
    silent: |hours| {
        format!(
            "Seit mehr als {hours} Stunden kam keine neue Mail. Stimmt das nicht, prüfen Sie unter Test die Verbindung und unter Vollständigkeit die Ordner."
        )
    },
};

pub const EN: Fetching = Fetching {
    title: "Hours and bandwidth",
    intro: "This holds for all definitions together.",
    quiet: "Quiet hours",
    hours_help: "A line for each span, such as \"Mo-Fr 08:00-18:00\" or \"22:00-06:00\"; the time zone stands under System.",
    quiet_help: "Nothing is fetched then; a run that is under way stops, and goes on afterwards. Empty: none.",
    bandwidth: "Bandwidth (kB per second)",
    bandwidth_help: "All mailboxes together receive no more than this. Empty: as much as the line allows.",
    bounded: "Limit only in these hours",
    bounded_help: "Empty: always.",
    silence: "Tell of silence after (hours)",
    silence_help: "When no new mail came in a definition for so long, the overview says so. Empty: never.",
    hours_wrong: |line| format!("\"{line}\" is no time. Write, for instance, \"Mo-Fr 08:00-18:00\"."),
    quiet_always: "These hours leave no minute of the week; nothing would ever be fetched. To pause archiving, pause it on the overview.",
    bandwidth_wrong: "Give 50 to 10000000 kB per second, or nothing.",
    silence_wrong: "Give 1 to 8760 hours (a year), or nothing.",
    silent: |hours| {
        format!(
            "No new mail came for more than {hours} hours. If that cannot be, check the connection under Test and the folders under Completeness."
        )
    },
};
