//! What is due when.

use maud::html;

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::response::Response;
use super::super::show as showing;
use super::{Tab, page};
use crate::limits::RETENTION_YEARS;
use crate::retention::{Terms, due};

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.retention;
    let view = context.view()?;
    let counted = due::by_year(&view, &Terms::read(&view)?)?;
    drop(view);
    let number = |number| showing::number(context.lang, number);
    let years: Vec<(i16, u64)> = counted.years.iter().filter_map(|(year, count)| Some(((*year)?, *count))).collect();
    let (shown, later) = years.split_at(years.len().min(RETENTION_YEARS));
    let mut rows: Vec<(String, u64)> = shown.iter().map(|(year, count)| (year.to_string(), *count)).collect();
    if !later.is_empty() {
        rows.push((t.due_later.into(), later.iter().map(|(_, count)| count).sum()));
    }
    rows.extend(counted.years.get(&None).map(|count| (t.due_never.into(), *count)));
    let body = html! {
        section.card {
            p { (t.due_intro) }
            @if counted.is_cut { p.soft { ((t.due_cut)(&number(counted.looked))) } }
            table {
                thead { tr { th scope="col" { (t.due_year) } th.number scope="col" { (t.documents) } } }
                tbody { @for (year, count) in &rows { tr { th scope="row" { (year) } td.number { (number(*count)) } } } }
            }
        }
    };
    Ok(page(context, Tab::Due, &body))
}
