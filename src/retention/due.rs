//! What is due, for people: counted over the oldest documents only, so that a page is made in time however many there are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Terms;
use crate::archive::view::{Reads, View};
use crate::limits::RETENTION_LOOKED;
use crate::settings::Result;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Of so many documents, the oldest.
    pub looked: u64,
    /// There are more.
    pub is_cut: bool,
    /// Whose terms are over; those under a hold among them.
    pub due: u64,
    /// By the year in which their terms are over; `None`: never.
    pub years: BTreeMap<Option<i16>, u64>,
}

/// How many would end by `now`.
pub fn count(view: &View, terms: &Terms, now: i64) -> Result<Counted> {
    look(view, |counted, number, document| {
        counted.due += u64::from(terms.are_over(view, number, document, now)?);
        Ok(())
    })
}

/// When they would end.
pub fn by_year(view: &View, terms: &Terms) -> Result<Counted> {
    look(view, |counted, number, document| {
        let over = terms.end(view, number, document)?.over;
        let year =
            over.and_then(|over| Timestamp::from_second(over).ok()).map(|over| over.to_zoned(TimeZone::UTC).year());
        *counted.years.entry(year).or_default() += 1;
        Ok(())
    })
}

fn look(
    view: &View,
    mut each: impl FnMut(&mut Counted, u64, &crate::archive::rows::Document) -> Result<()>,
) -> Result<Counted> {
    let mut counted = Counted::default();
    let reader = view.reader()?;
    for item in view.by_time(&Reads::All, false, None)? {
        if counted.looked == RETENTION_LOOKED as u64 {
            counted.is_cut = true;
            break;
        }
        let (_, number) = item?;
        counted.looked += 1;
        if let Some(document) = reader.document(number)? {
            each(&mut counted, number, &document)?;
        }
    }
    Ok(counted)
}
