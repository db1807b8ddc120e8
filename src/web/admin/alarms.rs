//! What is wrong with the box itself, or keeps it from fetching: on top of the overview.

use maud::{Markup, html};

use super::super::Context;
use super::super::layout;
use super::super::texts::System;
use super::state::Mood;
use super::{recovery_sheet, retention, show};
use crate::appliance::state::{Storage, StorageTrouble};
use crate::clock;
use crate::disk::Room;
use crate::ending;
use crate::fetch::wait::Wait;
use crate::settings::recovery_sheet::RecoverySheet;
use crate::settings::verifications::Standing;

/// One sentence.
pub struct Alarm {
    pub mood: Mood,
    pub sentence: String,
    /// Where a person lets fetching go on.
    pub go_on: Option<&'static str>,
    /// Where more of it stands, and what that page is called.
    pub more: Option<(&'static str, &'static str)>,
}

impl Alarm {
    fn new(mood: Mood, sentence: impl Into<String>) -> Self {
        Self { mood, sentence: sentence.into(), go_on: None, more: None }
    }

    pub fn note(&self, context: &Context<'_>) -> Markup {
        html! {
            div class={ "note " (self.mood.class()) } role="alert" {
                p {
                    (self.sentence)
                    @if let Some((path, title)) = self.more { " " a href=(path) { (title) } }
                }
                @if let Some(path) = self.go_on {
                    form method="post" action=(path) {
                        (layout::token(context))
                        button { (context.t.system.go_on) }
                    }
                }
            }
        }
    }
}

/// All of them, the worst first.
pub fn of(context: &Context<'_>) -> Vec<Alarm> {
    let (web, t) = (context.web, &context.t.system);
    let mut alarms = Vec::new();
    if let Some(wait) = web.fetcher.waits(&web.archive) {
        let (mood, go_on) = match wait {
            Wait::Guard => (Mood::Bad, Some("/admin/system/resume")),
            // Somebody wanted it so.
            Wait::Paused => (Mood::Warn, Some("/admin/pause")),
            Wait::Clock | Wait::Disk(_) => (Mood::Bad, None),
            Wait::Quiet(_) => (Mood::Inactive, None),
        };
        alarms.push(Alarm { go_on, ..Alarm::new(mood, wait.sentence(context.lang)) });
    }
    alarms.extend(verification(context));
    match retention::waiting(context) {
        Ok(Some((_, waits))) => {
            let sentence = format!("{} {}", retention::waits(context, &waits), context.t.retention.alarm);
            alarms.push(Alarm::new(Mood::Bad, sentence));
        }
        Ok(None) => {}
        // What it does not know it does not do: nothing ends.
        Err(error) => alarms.push(Alarm::new(Mood::Bad, error.to_string())),
    }
    if Room::of(&web.archive.paths().data).is_ok_and(Room::is_nearly_short) {
        alarms.push(Alarm::new(Mood::Warn, t.alarm_disk));
    }
    if let Some(ending) = ending::last(&web.archive.paths().data) {
        alarms.push(Alarm::new(Mood::Warn, ending.sentence(context.lang, &show::second(ending.at))));
    }
    if RecoverySheet::read(&web.archive).is_ok_and(|sheet| sheet.confirmed.is_none()) {
        let t = &context.t.recovery;
        let more = Some((recovery_sheet::PATH, t.to_sheet));
        alarms.push(Alarm { more, ..Alarm::new(Mood::Warn, t.alarm) });
    }
    let Some(state) = web.link.as_deref().map(crate::appliance::link::Link::state) else { return alarms };
    match &state.storage {
        Storage::Trouble(trouble) => alarms.push(Alarm::new(Mood::Bad, self::storage(t, trouble))),
        Storage::Ready { mended, .. } if !mended.is_empty() => {
            alarms.push(Alarm::new(Mood::Warn, t.alarm_mended));
        }
        _ => {}
    }
    if state.watchdog.is_some_and(|watchdog| watchdog.caused_start) {
        alarms.push(Alarm::new(Mood::Warn, t.alarm_watchdog));
    }
    alarms
}

/// What the last verification found, or that there was none for too long.
fn verification(context: &Context<'_>) -> Vec<Alarm> {
    let t = &context.t.verification;
    let alarm = |mood, sentence| Alarm { more: Some(("/admin/verification", t.title)), ..Alarm::new(mood, sentence) };
    let standing = match Standing::at(&context.web.archive, clock::now()) {
        Ok(standing) => standing,
        Err(error) => return vec![alarm(Mood::Bad, error.to_string())],
    };
    let last = standing.last.filter(|last| !last.is_clean());
    let found = last.map(|last| alarm(Mood::Bad, (t.alarm_damaged)(show::minute(last.ended), last.findings)));
    let late = standing.late.map(|days| alarm(Mood::Warn, (t.alarm_late)(days)));
    found.into_iter().chain(late).collect()
}

/// What is wrong with the disk.
pub fn storage(t: &System, trouble: &StorageTrouble) -> String {
    match trouble {
        StorageTrouble::NoPartition { disk } => format!("{} ({disk})", t.alarm_no_partition),
        StorageTrouble::NoDisk => t.alarm_no_disk.to_owned(),
        StorageTrouble::Damaged { partition, what } => format!("{} {partition}: {what}", t.alarm_damaged),
        StorageTrouble::NotMounted { partition, what } => format!("{} {partition}: {what}", t.alarm_not_mounted),
    }
}
