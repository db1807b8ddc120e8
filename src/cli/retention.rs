//! `retention [--dry-run]`: ends the documents whose terms are over, or lists them.

use serde_json::json;

use super::terminal::Terminal;
use super::{Exit, Session};
use crate::clock;
use crate::language::Lang;
use crate::retention::pass::{self, Outcome};
use crate::retention::{Clock, OwnClock, Terms, Why, go_on};
use crate::settings::retention_passes::{Doubt, Pass};

/// One pass now.
pub fn run(session: &Session<'_>, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let clock = OwnClock { link: session.fetcher.link() };
    let outcome = pass::run(session.archive, &clock, &mut || go_on(session.pulse))?;
    let (waits, exit) = match &outcome {
        Outcome::Off => (Some("off"), Exit::Trouble),
        Outcome::NoClock => (Some("clock"), Exit::Trouble),
        Outcome::Behind(_) => (Some("behind"), Exit::Trouble),
        Outcome::Done(pass) => match pass.waits.map(|waits| waits.why) {
            Some(Doubt::Many) => (Some("many"), Exit::Trouble),
            Some(Doubt::Clock) => (Some("jump"), Exit::Trouble),
            None => (None, if pass.is_cut { Exit::Trouble } else { Exit::Fine }),
        },
    };
    let pass = match outcome {
        Outcome::Done(pass) => pass,
        _ => Pass::default(),
    };
    if as_json {
        let due = pass.waits.map(|waits| waits.due);
        let object = json!({
            "waits": waits, "due": due, "looked": pass.looked, "ended": pass.ended, "held": pass.held, "freed": pass.freed,
        });
        terminal.line(&object.to_string())?;
        return Ok(exit);
    }
    let line = match (waits, outcome) {
        (Some("off"), _) => {
            "documents whose term is over are kept: switch deleting on under Administration, Retention".into()
        }
        (Some("clock"), _) => "nothing ended: the box does not know what time it is".into(),
        (_, Outcome::Behind(last)) => {
            format!("nothing ended: the clock is behind the last commit, {}", clock::rfc3339(last))
        }
        (Some(why), _) => format!(
            "nothing ended: {} documents would, and {}; confirm it under Administration, Retention",
            pass.waits.map_or(0, |waits| waits.due),
            if why == "jump" { "the clock is far ahead of the pass before" } else { "these are very many" }
        ),
        (None, _) => format!(
            "{} documents ended, {} are held, {} bytes became free{}",
            pass.ended,
            pass.held,
            pass.freed,
            if pass.is_cut { "; the pass was stopped, since what holds or the clock has changed" } else { "" }
        ),
    };
    terminal.line(&line)?;
    Ok(exit)
}

/// What would end, and why.
pub fn dry_run(session: &Session<'_>, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let terms = Terms::read(&session.archive.view()?)?;
    let now = OwnClock::default().now();
    let mut due = 0u64;
    session.archive.documents(|view, number, document| {
        go_on(session.pulse)?;
        if !terms.may_be_over(document, now) {
            return Ok(true);
        }
        let end = terms.end(view, number, document)?;
        let Some(over) = end.over.filter(|_| end.is_over(now)) else { return Ok(true) };
        let held: Vec<&str> = terms.holds(view, number)?.iter().map(|hold| hold.name.as_str()).collect();
        due += u64::from(held.is_empty());
        let why = match &end.why {
            Why::Default => "the usual term".to_owned(),
            Why::Own => "its own term".to_owned(),
            Why::Rule(rule) => {
                let parts = [&rule.definition, &rule.mailbox, &rule.folder];
                let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
                format!("the term of {}", if parts.is_empty() { "uploads".into() } else { parts.join(", ") })
            }
        };
        let line = if as_json {
            json!({ "number": number, "over": clock::rfc3339(over), "term": end.term.text(Lang::En), "why": why, "held": held })
                .to_string()
        } else {
            let held = if held.is_empty() { String::new() } else { format!("; held by {}", held.join(", ")) };
            format!("{number}  over since {}: {}, {why}{held}", clock::rfc3339(over), end.term.text(Lang::En))
        };
        terminal.line(&line)?;
        anyhow::Ok(true)
    })?;
    if !as_json {
        let off = if terms.set.deletes { "" } else { "; they are kept, since deleting is off" };
        terminal.line(&format!("{due} documents would end{off}"))?;
    }
    Ok(Exit::Fine)
}
