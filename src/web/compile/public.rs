//! `/c/NAME`: what a visitor sees.

use maud::html;

use super::super::Context;
use super::super::dms::view::note;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::response::Response;
use super::super::show;
use super::entries;
use crate::settings::compilations;

/// The same for everybody: whoever made it sees here what the others see.
pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.public;
    if !context.administration.is_public {
        return Err(WebError::NotFound);
    }
    let found = compilations::compilation(&context.web.archive, &context.parameters[0])?;
    let compilation = found.filter(|found| found.is_published).ok_or(WebError::NotFound)?;
    let entries = entries::public(context, &compilation)?;
    let body = html! {
        article.compilation {
            h1 { (compilation.title) }
            @if !compilation.introduction.is_empty() { (note(&compilation.introduction)) }
            @if entries.is_empty() { p.empty { (t.empty_page) } } @else {
                ol.plain.compiled {
                    @for entry in &entries {
                        li.card {
                            a href=(format!("/go/{}", entry.number)) {
                                @if entry.title.is_empty() { (context.t.dms.no_title) } @else { (entry.title) }
                            }
                            " " span.soft { (show::day(entry.time)) }
                        }
                    }
                }
            }
        }
    };
    Ok(layout::page(context, Section::None, Width::Usual, &compilation.title, &body))
}
