//! The journal: who did what and when, the newest first, narrowed by person, kind, days and document; and as a table for
//! spreadsheets.

use jiff::civil::Date;
use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::happening::{Teller, documents};
use super::super::layout::{self, Field};
use super::super::request::{self, Form};
use super::super::response::{Body, Response};
use super::super::texts::Journal;
use super::show;
use crate::archive::commit::{Event, Number};
use crate::clock;
use crate::export::{self, csv};
use crate::limits::{JOURNAL_LOOKED, JOURNAL_PER_PAGE, TABLE_CHARS};
use crate::settings::users::{self, CONSOLE, ITSELF};

const PAGE: &str = "/admin/proof";
/// Lines that are read at a time for a table.
const BATCH: usize = 20 * JOURNAL_PER_PAGE;

/// What somebody looks for.
#[derive(Clone, Debug, Default)]
struct Filter {
    /// In lower case; empty: everybody.
    who: String,
    /// What the kind is called: those of one name are one.
    kind: Option<&'static str>,
    /// First second, and the one behind the last.
    from: Option<i64>,
    to: Option<i64>,
    number: Option<Number>,
}

/// What cannot be read of it: name of the field, and a sentence.
type Wrong = Vec<(&'static str, &'static str)>;

impl Filter {
    fn of(t: &'static Journal, form: &Form) -> (Self, Wrong) {
        let mut wrong = Vec::new();
        let mut day = |name: &'static str, is_end: bool| {
            let text = form.text(name);
            let date = (!text.is_empty()).then(|| text.parse::<Date>().ok().and_then(|date| start(date, is_end)));
            if date == Some(None) {
                wrong.push((name, t.date_wrong));
            }
            date.flatten()
        };
        let (from, to) = (day("from", false), day("to", true));
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            wrong.push(("to", t.order_wrong));
        }
        let number = request::number(form.text("number"));
        if number.is_none() && !form.text("number").is_empty() {
            wrong.push(("number", t.number_wrong));
        }
        // A kind that there is none of is one that nothing fits, and no reason to show everything.
        let kind = (!form.text("kind").is_empty())
            .then(|| form.text("kind").parse().ok().and_then(|kind: usize| t.kinds.get(kind).copied()).unwrap_or(""));
        (Self { who: form.text("who").to_lowercase(), kind, from, to, number }, wrong)
    }

    fn fits(&self, t: &Journal, event: &Event) -> bool {
        self.from.is_none_or(|from| event.time >= from)
            && self.to.is_none_or(|to| event.time < to)
            && self.number.is_none_or(|number| event.what.names(number))
            && self.kind.is_none_or(|kind| t.kinds[event.what.kind()] == kind)
            && (self.who.is_empty() || is_by(&event.who, &self.who))
    }
}

/// Whether a person of this name did it, with a token of somebody else too.
fn is_by(who: &str, name: &str) -> bool {
    let who = who.to_lowercase();
    who.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

/// The first second of a day, or of the next one.
fn start(date: Date, of_next: bool) -> Option<i64> {
    let date = if of_next { date.tomorrow().ok()? } else { date };
    Some(date.to_zoned(show::zone()).ok()?.timestamp().as_second())
}

/// The part of the page, and the status of that.
pub fn section(context: &Context<'_>) -> Result<(Markup, u16)> {
    let (t, form) = (&context.t.journal, &context.request.query);
    let (filter, wrong) = Filter::of(t, form);
    let before = form.text("before").parse().unwrap_or(u64::MAX);
    let (events, next) = if wrong.is_empty() {
        let fits = |event: &Event| filter.fits(t, event);
        context.view()?.events_before(before, JOURNAL_PER_PAGE, JOURNAL_LOOKED, fits)?
    } else {
        (Vec::new(), None)
    };
    let is_full = events.len() == JOURNAL_PER_PAGE;
    let mut first = form.clone();
    first.remove("before");
    let mut further = first.clone();
    further.push("before", &next.unwrap_or_default().to_string());
    let section = html! {
        section.card #journal {
            h2 { (t.title) }
            p { (t.intro) }
            (filter_form(context, form, &wrong)?)
            @if !events.is_empty() { (table(context, &events)) }
            @else if wrong.is_empty() && next.is_none() { p { (t.nothing) } }
            @if next.is_some() && !is_full {
                p.soft { ((t.looked)(&show::number(context.lang, JOURNAL_LOOKED as u64))) }
            }
            p.row {
                @if before < u64::MAX { a href={ (PAGE) "?" (first.encode()) "#journal" } { (context.t.admin.first_page) } }
                @if next.is_some() {
                    a href={ (PAGE) "?" (further.encode()) "#journal" } {
                        @if is_full { (context.t.admin.further) } @else { (context.t.dms.search_further) }
                    }
                }
            }
        }
    };
    Ok((section, if wrong.is_empty() { 200 } else { 400 }))
}

fn filter_form(context: &Context<'_>, form: &Form, wrong: &Wrong) -> Result<Markup> {
    let t = &context.t.journal;
    let field = |name: &'static str, label, kind| {
        let wrong = wrong.iter().find(|(other, _)| *other == name).map_or("", |(_, what)| *what);
        Field { name, label, value: form.text(name), kind, wrong, fill: "off", ..Field::default() }
    };
    let mut kinds: Vec<(String, &str)> = vec![(String::new(), t.all_kinds)];
    for (kind, name) in t.kinds.iter().enumerate() {
        if kinds.iter().all(|(_, other)| other != name) {
            kinds.push((kind.to_string(), name));
        }
    }
    let kinds: Vec<(&str, &str)> = kinds.iter().map(|(kind, name)| (kind.as_str(), *name)).collect();
    let people = users::users(&context.web.archive)?;
    Ok(html! {
        form action={ (PAGE) "#journal" } {
            div.field {
                label for="who" { (t.who) }
                input #who name="who" value=(form.text("who")) list="people" autocomplete="off";
                datalist #people {
                    @for user in &people { option value=(user.name) {} }
                    @for name in [CONSOLE, ITSELF] { option value=(name) {} }
                }
            }
            (layout::select("kind", t.kind, form.text("kind"), &kinds, ""))
            (field("from", t.from, "date"))
            (field("to", t.to, "date"))
            (field("number", t.number, "text"))
            p.row {
                button.first { (t.filter) }
                button formaction="/admin/proof/journal" { (t.export) }
            }
        }
    })
}

fn table(context: &Context<'_>, events: &[Event]) -> Markup {
    let (t, dms, teller) = (&context.t.journal, &context.t.dms, Teller::of(context));
    html! {
        div.scroll role="region" tabindex="0" aria-label=(t.title) { table {
            thead { tr {
                th scope="col" { (dms.time) } th scope="col" { (dms.who) } th scope="col" { (dms.what) }
                th scope="col" { (t.number) }
            } }
            tbody { @for event in events { tr {
                td { (show::second(event.time)) } td { (event.who) }
                td.said { (show::cut(&teller.what(&event.what), TABLE_CHARS)) }
                td { (show::cut(&documents(&event.what), TABLE_CHARS)) }
            } } }
        } }
    }
}

/// `/admin/proof/journal`: all that fits as CSV, made while it is sent.
pub fn export(context: &Context<'_>) -> Result<Response> {
    let t = context.t;
    let (filter, wrong) = Filter::of(&t.journal, &context.request.query);
    if let Some((_, what)) = wrong.first() {
        return Err(WebError::Wrong((*what).into()));
    }
    let (archive, zone) = (context.web.archive.clone(), show::zone());
    let (fields, user) = (context.fields.clone(), context.person()?.user.clone());
    let date = export::local(&zone, clock::now()).date();
    let send = move |out: &mut dyn std::io::Write| {
        let teller = Teller { t, fields: &fields, user: Some(&user) };
        let head = [t.dms.time, t.dms.who, t.dms.what, t.journal.number];
        write!(out, "{}{}", csv::MARK, csv::line(&head))?;
        let mut before = Some(u64::MAX);
        while let Some(from) = before {
            // No view is held while somebody reads slowly.
            let some = archive.view().and_then(|view| {
                view.events_before(from, BATCH, JOURNAL_LOOKED, |event| filter.fits(&t.journal, event))
            });
            let (events, next) = some.map_err(std::io::Error::other)?;
            for Event { time, who, what } in &events {
                let time = export::local(&zone, *time).strftime("%Y-%m-%d %H:%M:%S").to_string();
                out.write_all(csv::line(&[&time, who, &teller.what(what), &documents(what)]).as_bytes())?;
            }
            before = next;
        }
        Ok(())
    };
    let body = Body::Stream { len: None, reads: 0, send: Box::new(send) };
    Ok(Response::new(200, "text/csv; charset=utf-8", body).attachment(&format!("{} {date}.csv", t.journal.file)))
}

#[cfg(test)]
mod tests {
    use super::super::super::texts;
    use super::*;
    use crate::language::Lang;

    #[test]
    fn a_filter_is_read_or_says_what_is_wrong() {
        let t = &texts::of(Lang::En).journal;
        let read = |query: &str| Filter::of(t, &Form::parse(query));
        let (filter, wrong) = read("who=Anna&kind=24&from=2026-11-20&to=2026-11-21&number=7");
        assert!(wrong.is_empty());
        assert_eq!((filter.who.as_str(), filter.kind, filter.number), ("anna", Some("exported"), Some(7)));
        assert_eq!(filter.to.unwrap() - filter.from.unwrap(), 2 * 86_400);
        let names = |query: &str| read(query).1.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("from=x&to=2026-02-30&number=0"), ["from", "to", "number"]);
        assert_eq!(names("from=2026-11-22&to=2026-11-21"), ["to"]);
        assert_eq!(names("from=2026-11-21&to=2026-11-21&to=x&kind=x&number="), [""; 0]);
        assert_eq!(read("kind=99").0.kind, Some(""));
        assert!(is_by("Anna (API 1, beat)", "anna") && is_by("anna", "anna") && !is_by("anna2", "anna"));
    }
}
