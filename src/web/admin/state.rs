//! How a definition stands: a tag and one sentence.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::show;
use crate::archive::commit::Run;
use crate::archive::view::View;
use crate::clock;
use crate::fetch::board::Standing;
use crate::fetch::completeness::{self, Open};
use crate::language::Lang;
use crate::limits::{OPEN_ROWS, RUNS_LOOKED};
use crate::settings::Definition;
use crate::settings::fetching::Fetching;
use crate::settings::o365::WARN_DAYS;

/// Seconds beyond three intervals after which a run is missed.
const LATE: i64 = 3600;

/// How much something matters, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    Ended,
    Inactive,
    Good,
    Running,
    Warn,
    Bad,
}

impl Mood {
    /// Class of tags and notes.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ended | Self::Inactive | Self::Running => "",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A definition, looked at.
pub struct State {
    pub mood: Mood,
    pub tag: &'static str,
    pub sentence: String,
    /// What else there is to say, such as about the end of a secret.
    pub further: Vec<(Mood, String)>,
    pub last: Option<Run>,
    pub standing: Standing,
    pub open: Open,
    /// Nothing is fetched.
    pub inactive: bool,
    /// It was set up, and never begun.
    pub is_untested: bool,
}

impl State {
    pub fn of(context: &Context<'_>, view: &View, definition: &Definition) -> Result<Self> {
        let t = &context.t.admin;
        let (lang, now) = (context.lang, clock::now());
        let standing = context.web.fetcher.board.standing(&definition.name);
        let last = view.runs(&definition.name, 1, RUNS_LOOKED)?.pop();
        let open = completeness::open(view, &definition.name, now, OPEN_ROWS)?;
        let trouble = last.as_ref().filter(|run| run.has_trouble()).map(|run| {
            // The board knows the reader's language; it forgets with the process.
            standing.sentences.last().map_or_else(|| run.trouble.clone(), |sentence| sentence.of(lang).to_owned())
        });
        let late = 3 * 60 * i64::from(definition.interval_minutes) + LATE;
        let is_late = last.as_ref().is_some_and(|run| run.ended.max(context.web.started) + late < now);
        // Whatever ran left mailboxes behind, however long ago.
        let is_untested = definition.inactive && !definition.ended && last.is_none() && open.mailboxes == 0;
        let (mood, tag, sentence) = if definition.ended && standing.running_since.is_none() {
            (Mood::Ended, context.t.rights.tag_ended, context.t.rights.said_ended.to_owned())
        } else if is_untested && standing.running_since.is_none() {
            (Mood::Warn, t.tag_inactive, t.said_untested.to_owned())
        } else if definition.inactive && standing.running_since.is_none() {
            (Mood::Inactive, t.tag_inactive, t.said_inactive.to_owned())
        } else if standing.running_since.is_some() {
            match standing.sentences.last() {
                Some(sentence) => (Mood::Bad, t.tag_running, sentence.of(lang).to_owned()),
                None => (Mood::Running, t.tag_running, t.said_running.to_owned()),
            }
        } else if let Some(trouble) = trouble {
            (Mood::Bad, t.tag_trouble, trouble)
        } else if last.is_none() {
            (Mood::Warn, t.tag_never, t.said_never.to_owned())
        } else if open.unexplained > 0 {
            (Mood::Bad, t.tag_trouble, unexplained(lang, open.unexplained))
        } else if open.failed > 0 {
            (Mood::Warn, t.tag_warn, failed(lang, open.failed))
        } else if is_late {
            (Mood::Warn, t.tag_warn, t.said_late.to_owned())
        } else {
            (Mood::Good, t.tag_good, t.said_good.to_owned())
        };
        let mut further = Vec::new();
        if let Some(days) = definition.secret_expires_in_days(now).filter(|days| *days <= WARN_DAYS) {
            further.push((if days < 0 { Mood::Bad } else { Mood::Warn }, expiry(lang, days)));
        }
        let silence = Fetching::read(&context.web.archive)?.silence.map(i64::from);
        if let Some(hours) = silence.filter(|_| definition.is_fetched())
            && last_new(context, view, &definition.name, &standing)?.is_some_and(|new| now - new > hours * 3600)
        {
            further.push((Mood::Warn, (context.t.fetching.silent)(hours)));
        }
        Ok(Self { mood, tag, sentence, further, last, standing, open, inactive: !definition.is_fetched(), is_untested })
    }

    /// With what is said further, unless nothing is fetched anyway.
    pub fn worst(&self) -> Mood {
        if matches!(self.mood, Mood::Ended | Mood::Inactive) {
            return self.mood;
        }
        self.further.iter().map(|(mood, _)| *mood).chain([self.mood]).max().unwrap_or(self.mood)
    }

    pub fn tag(&self) -> Markup {
        html! { span class={ "tag " (self.mood.class()) } { (self.tag) } }
    }

    /// The sentences as notes.
    pub fn notes(&self) -> Markup {
        html! {
            div class={ "note " (self.mood.class()) } { p { (self.tag()) " " (self.sentence) } }
            @for (mood, sentence) in &self.further { div class={ "note " (mood.class()) } { p { (sentence) } } }
        }
    }

    pub fn last_run(&self, context: &Context<'_>) -> Markup {
        html! {
            @if let Some(run) = &self.last { (show::ago(context.lang, run.ended)) } @else { (context.t.admin.never) }
        }
    }

    pub fn next_run(&self, context: &Context<'_>) -> Markup {
        let t = &context.t.admin;
        match self.standing.next {
            _ if self.inactive => html! { (t.none) },
            Some(next) if next > clock::now() && !self.standing.is_asked => show::ahead(context.lang, next),
            _ => html! { (t.soon) },
        }
    }
}

/// See [`View::last_new`]; looked up once.
fn last_new(context: &Context<'_>, view: &View, definition: &str, standing: &Standing) -> Result<Option<i64>> {
    if standing.last_new.is_some() {
        return Ok(standing.last_new);
    }
    let new = view.last_new(definition, RUNS_LOOKED)?;
    if let Some(new) = new {
        context.web.fetcher.board.note_new(definition, new);
    }
    Ok(new)
}

fn unexplained(lang: Lang, count: u64) -> String {
    let count = show::number(lang, count);
    match lang {
        Lang::De => format!(
            "Mails auf dem Server ohne Ergebnis: {count}. Der nächste Lauf holt sie; bleibt es so, gleichen Sie unter Vollständigkeit ab."
        ),
        Lang::En => format!(
            "Mails on the server without an outcome: {count}. The next run fetches them; if it stays like this, reconcile under Completeness."
        ),
    }
}

fn failed(lang: Lang, count: u64) -> String {
    let count = show::number(lang, count);
    match lang {
        Lang::De => format!(
            "Mails, die der Server nicht herausgab: {count}. Die Box versucht es wieder; welche es sind, steht unter Vollständigkeit."
        ),
        Lang::En => format!(
            "Mails that the server did not hand out: {count}. The box tries again; which they are is shown under Completeness."
        ),
    }
}

fn expiry(lang: Lang, days: i64) -> String {
    match (lang, days) {
        (Lang::De, ..0) => {
            "Das ClientSecret ist laut Definition abgelaufen. Erstellen Sie in Entra ein neues und tragen Sie es ein."
                .into()
        }
        (Lang::De, _) => format!(
            "Das ClientSecret läuft in {} ab. Erstellen Sie in Entra rechtzeitig ein neues und tragen Sie es ein.",
            if days == 1 { "1 Tag".to_owned() } else { format!("{days} Tagen") }
        ),
        (Lang::En, ..0) => {
            "The ClientSecret has expired, says the definition. Make a new one in Entra and enter it.".into()
        }
        (Lang::En, _) => format!(
            "The ClientSecret expires in {}. Make a new one in Entra in time and enter it.",
            if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
        ),
    }
}
