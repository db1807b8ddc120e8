//! What fetching waits for, although runs are due.

use jiff::civil::DateTime;
use jiff::{ToSpan, Zoned};

use crate::appliance::link::Link;
use crate::disk::Room;
use crate::language::Lang;
use crate::settings::fetching::Fetching;
use crate::settings::hours;

/// Why nothing is fetched just now. It ends by itself, or by a person's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The box does not know what time it is.
    Clock,
    /// The watchdog had to start the box too often.
    Guard,
    /// Somebody paused it.
    Paused,
    /// What is free on the disk is the reserve.
    Disk(Room),
    /// It is a quiet hour, until the clock on the wall shows this.
    Quiet(DateTime),
}

impl Wait {
    /// What the box around this process waits for.
    pub(super) fn of_box(link: &Link) -> Option<Self> {
        if !link.fetching_is_paused() {
            None
        } else if link.clock_is_sane() {
            Some(Self::Guard)
        } else {
            Some(Self::Clock)
        }
    }

    /// The quiet hour that it is.
    pub(super) fn of_hour(set: &Fetching, now: &Zoned) -> Option<Self> {
        let minutes = set.quiet.are_now(now).then(|| set.quiet.minutes_left(now))??;
        let until = now.datetime().with().second(0).subsec_nanosecond(0).build().ok()?;
        Some(Self::Quiet(until.saturating_add(i64::from(minutes).minutes())))
    }

    /// Whether somebody has to do something about it.
    pub fn is_trouble(self) -> bool {
        !matches!(self, Self::Quiet(_))
    }

    /// For scripts.
    pub fn code(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Guard => "guard",
            Self::Paused => "paused",
            Self::Disk(_) => "disk",
            Self::Quiet(_) => "quiet",
        }
    }

    /// Why, and what to do.
    pub fn sentence(self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Clock, Lang::De) => {
                "Das Archivieren wartet auf die Uhrzeit: Es wird nichts geholt, bis ein Zeitserver geantwortet hat. Prüfen Sie unter System das Netzwerk und die Zeitserver.".into()
            }
            (Self::Clock, Lang::En) => {
                "Archiving waits for the time: nothing is fetched until a time server has answered. Check network and time servers under System.".into()
            }
            (Self::Guard, Lang::De) => {
                "Das Archivieren ist angehalten: Der Watchdog musste die Box mehrmals nacheinander neu starten. Sehen Sie unter System ins Protokoll, und lassen Sie dann in der Übersicht weiter archivieren.".into()
            }
            (Self::Guard, Lang::En) => {
                "Archiving is paused: the watchdog had to start the box several times in a row. Look into the log under System, then go on from the overview.".into()
            }
            (Self::Quiet(until), Lang::De) => format!(
                "Es ist Ruhezeit: Das Archivieren geht weiter {}. Die Zeiten stehen unter Mail-Archivierung, Zeiten und Bandbreite.",
                hours::moment(until, lang)
            ),
            (Self::Quiet(until), Lang::En) => format!(
                "These are quiet hours: archiving goes on {}. The hours stand under Mail archiving, Hours and bandwidth.",
                hours::moment(until, lang)
            ),
            (Self::Paused, Lang::De) => {
                "Das Archivieren ist angehalten: Es wird nichts geholt, bis Sie in der Übersicht weiter archivieren.".into()
            }
            (Self::Paused, Lang::En) => {
                "Archiving is paused: nothing is fetched until you go on from the overview.".into()
            }
            (Self::Disk(room), Lang::De) => format!(
                "Das Archivieren ist angehalten: Auf dem Datenträger sind nur noch {} MB frei, {} MB bleiben als Reserve. Lesen geht weiter. Nehmen Sie einen grösseren Datenträger, oder schaffen Sie Platz.",
                room.free / 1_000_000,
                room.reserve() / 1_000_000
            ),
            (Self::Disk(room), Lang::En) => format!(
                "Archiving is paused: only {} MB are free on the disk, {} MB stay in reserve. Reading goes on. Take a larger disk, or make room.",
                room.free / 1_000_000,
                room.reserve() / 1_000_000
            ),
        }
    }
}
