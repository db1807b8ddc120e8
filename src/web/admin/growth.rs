//! How the archive grows, and for how long the disk will do: pictures on the overview and, by month, on a page of their own.
//!
//! A page looks up where the archive stood at the beginning of each day ([`crate::archive::growth`]): some 20 rows of the
//! catalog for each that is not remembered, and one look at each pack's file.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use maud::{Markup, html};

use super::super::Context;
use super::super::charts::{self, Bar, Bars, scale::Unit};
use super::super::error::Result;
use super::super::response::Response;
use super::super::texts::Growth;
use super::{Part, page, show};
use crate::archive::growth::{Packs, now};
use crate::archive::view::View;
use crate::clock;
use crate::disk::Room;
use crate::limits::{GROWTH_DAYS, GROWTH_MONTHS};

const DAY: i64 = 86_400;
/// Days whose growth is taken for that of the days to come.
const WINDOWS: [i64; 2] = [30, 90];
/// Days at the beginning in which old mails come in: they tell nothing of the days to come.
const FIRST: i64 = 7;

/// One day or month.
struct Span {
    called: String,
    documents: u64,
    /// Bytes of the archive at its end.
    size: u64,
}

/// Of the last days.
pub fn card(context: &Context<'_>, view: &View) -> Result<Markup> {
    let t = &context.t.growth;
    let Some(first) = first(view)? else { return Ok(html! {}) };
    let today = day(clock::now());
    let days = (0..GROWTH_DAYS).rev().filter_map(|ago| today.checked_sub(i64::try_from(ago).ok()?.days()).ok());
    let parts = parts(context, view, &days.collect::<Vec<_>>(), |date| date.strftime("%d.%m.%Y").to_string())?;
    Ok(html! {
        section.card {
            h2 { (t.title) }
            (pictures(context, &parts, t.documents_per_day, t.day))
            @for sentence in outlook(context, view, first)? { p { (sentence) } }
            p { a href="/admin/growth" { (t.by_month) } }
        }
    })
}

/// `GET /admin/growth`: of all months.
pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.growth;
    let view = context.view()?;
    let mut body = html! { h1 { (t.title) } };
    if let Some(first) = first(&view)? {
        let last = day(clock::now()).first_of_month();
        let mut months = vec![last];
        while let Some(before) = months.last().and_then(|month| month.checked_sub(1.month()).ok()) {
            if before < day(first).first_of_month() || months.len() == GROWTH_MONTHS {
                break;
            }
            months.push(before);
        }
        months.reverse();
        let parts = parts(context, &view, &months, |date| date.strftime("%m.%Y").to_string())?;
        body = html! {
            (body)
            section.card {
                (pictures(context, &parts, t.documents_per_month, t.month))
                @for sentence in outlook(context, &view, first)? { p { (sentence) } }
            }
        };
    } else {
        body = html! { (body) p { (context.t.admin.all_none) } };
    }
    Ok(page(
        context,
        Part::Overview,
        t.title,
        &html! { p { a href="/admin" { "← " (context.t.admin.overview) } } (body) },
    ))
}

/// When the first document was archived.
fn first(view: &View) -> Result<Option<i64>> {
    Ok(view.document_from(1)?.map(|(_, document)| document.metadata.archived))
}

/// The day of a moment, where the archive is.
fn day(seconds: i64) -> Date {
    Timestamp::from_second(seconds).unwrap_or_default().to_zoned(show::zone()).date()
}

fn start(date: Date) -> i64 {
    date.to_zoned(show::zone()).map_or(0, |start| start.timestamp().as_second())
}

/// From each of these dates to the next; from the last one until now.
fn parts(context: &Context<'_>, view: &View, dates: &[Date], call: fn(&Date) -> String) -> Result<Vec<Span>> {
    let packs = Packs::of(&context.web.archive.paths().packs)?;
    let moments: Vec<i64> = dates.iter().copied().map(start).collect();
    let mut marks = context.web.marks.at(view, &moments)?;
    marks.push(now(view)?);
    let part = |(date, pair): (&Date, &[crate::archive::growth::Mark])| Span {
        called: call(date),
        documents: pair[1].documents.saturating_sub(pair[0].documents),
        size: packs.until(&pair[1]),
    };
    Ok(dates.iter().zip(marks.windows(2)).map(part).collect())
}

fn pictures(context: &Context<'_>, parts: &[Span], title: &str, column: &str) -> Markup {
    let (t, lang) = (&context.t.growth, context.lang);
    let number = |count| show::number(lang, count);
    let bars = |value: fn(&Span) -> u64, say: &dyn Fn(u64) -> String| -> Vec<Bar> {
        let bar = |part: &Span| {
            let value = value(part);
            Bar { value, says: format!("{}: {}", part.called, say(value)), is_marked: false }
        };
        parts.iter().map(bar).collect()
    };
    let documents = bars(|part| part.documents, &number);
    let sizes = bars(|part| part.size, &|size| show::size(lang, size));
    let ends = match parts {
        [first, .., last] => [first.called.as_str(), last.called.as_str()],
        [only] => [only.called.as_str(), ""],
        [] => ["", ""],
    };
    let sum = (t.summary_documents)(number(parts.iter().map(|part| part.documents).sum()));
    let size_of = |part: Option<&Span>| show::size(lang, part.map_or(0, |part| part.size));
    let grown = (t.summary_size)(size_of(parts.first()), size_of(parts.last()));
    let rows: Vec<Vec<String>> = parts
        .iter()
        .rev()
        .map(|part| vec![part.called.clone(), number(part.documents), show::size(lang, part.size)])
        .collect();
    html! {
        div.charts {
            (Bars { title, summary: &sum, unit: Unit::Count, bars: &documents, ends }.picture(lang))
            (Bars { title: t.size, summary: &grown, unit: Unit::Bytes, bars: &sizes, ends }.picture(lang))
        }
        (charts::numbers(t.numbers, &[column, context.t.dms.documents, t.size], &rows))
    }
}

/// For how long the disk will do, one sentence for each window; or why that cannot be told.
fn outlook(context: &Context<'_>, view: &View, first: i64) -> Result<Vec<String>> {
    let (t, lang) = (&context.t.growth, context.lang);
    let paths = context.web.archive.paths();
    let Ok(room) = Room::of(&paths.data) else { return Ok(vec![t.unknown.to_owned()]) };
    if room.is_short_of(0) {
        return Ok(vec![t.full.to_owned()]);
    }
    let packs = Packs::of(&paths.packs)?;
    // The catalog grows with the packs.
    let catalog = std::fs::metadata(&paths.catalog).map_or(0, |file| file.len());
    let (now, age) = (clock::now(), (clock::now() - first) / DAY);
    let mut sentences = Vec::new();
    for days in WINDOWS.into_iter().filter(|days| age >= days + FIRST) {
        let mark = context.web.marks.at(view, &[start(day(now - days * DAY))])?;
        let before = mark.first().map_or(0, |mark| packs.until(mark));
        let grown = Grown { days, bytes: with_catalog(packs.bytes().saturating_sub(before), packs.bytes(), catalog) };
        let free = room.free - room.reserve();
        sentences.push(match grown.lasts(free) {
            Some(left) => (t.grown)(days, show::size(lang, grown.per_day()), span(t, left)),
            None => (t.none)(days),
        });
    }
    if sentences.is_empty() {
        sentences.push((t.young)(age.max(0), WINDOWS[0] + FIRST));
    }
    Ok(sentences)
}

/// What came in over some days.
struct Grown {
    days: i64,
    bytes: u64,
}

impl Grown {
    fn per_day(&self) -> u64 {
        self.bytes / self.days.unsigned_abs().max(1)
    }

    /// Days until `free` bytes are used up; `None` where nothing comes in.
    fn lasts(&self, free: u64) -> Option<u64> {
        let days = u128::from(free) * u128::from(self.days.unsigned_abs())
            / u128::from(Some(self.bytes).filter(|bytes| *bytes > 0)?);
        Some(u64::try_from(days).unwrap_or(u64::MAX))
    }
}

/// Growth of the packs with the catalog's share.
fn with_catalog(grown: u64, packs: u64, catalog: u64) -> u64 {
    let share = u128::from(grown) * u128::from(catalog) / u128::from(packs.max(1));
    grown.saturating_add(u64::try_from(share).unwrap_or(u64::MAX))
}

/// As exact as it can be: the further, the less.
fn span(t: &Growth, days: u64) -> String {
    match days {
        0..60 => (t.about_days)(days),
        60..730 => (t.about_months)(days / 30),
        730..3650 => (t.about_years)(days / 365),
        _ => t.long.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::texts;
    use super::*;
    use crate::language::Lang;

    #[test]
    fn the_room_lasts_as_long_as_the_growth_says() {
        let grown = |days, bytes| Grown { days, bytes };
        assert_eq!(grown(30, 300).per_day(), 10);
        assert_eq!(grown(30, 300).lasts(1000), Some(100));
        // Less than a byte a day, and nothing at all.
        assert_eq!(grown(90, 1).lasts(10), Some(900));
        assert_eq!(grown(30, 0).lasts(1000), None);
        assert_eq!(grown(30, 1).lasts(u64::MAX), Some(u64::MAX));
        assert_eq!(grown(30, u64::MAX).lasts(5), Some(0));
        assert_eq!(with_catalog(100, 1000, 200), 120);
        assert_eq!(with_catalog(100, 0, 200), 20_100);
    }

    #[test]
    fn the_further_the_less_exact() {
        let spans = |lang| [1, 59, 60, 400, 1000, 5000].map(|days| span(&texts::of(lang).growth, days));
        assert_eq!(
            spans(Lang::En),
            [
                "about 1 day",
                "about 59 days",
                "about 2 months",
                "about 13 months",
                "about 2 years",
                "more than ten years"
            ]
        );
        assert_eq!(spans(Lang::De)[3], "etwa 13 Monate");
    }
}
