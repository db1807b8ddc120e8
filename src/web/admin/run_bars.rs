//! The last runs of a definition as pictures: what they brought, and how long they took.

use maud::{Markup, html};

use super::super::Context;
use super::super::charts::scale::Unit;
use super::super::charts::{self, Bar, Bars};
use super::show;
use crate::archive::commit::Run;

/// `runs` are newest first.
pub fn pictures(context: &Context<'_>, runs: &[Run]) -> Markup {
    let (t, common, lang) = (&context.t.growth, &context.t.admin, context.lang);
    let bars = |value: fn(&Run) -> u64, say: &dyn Fn(u64) -> String| -> Vec<Bar> {
        let bar = |run: &Run| {
            let value = value(run);
            Bar { value, says: format!("{}: {}", show::minute(run.started), say(value)), is_marked: is_bad(run) }
        };
        runs.iter().rev().map(bar).collect()
    };
    let number = |count| show::number(lang, count);
    let span = |seconds| show::span(lang, i64::try_from(seconds).unwrap_or(i64::MAX));
    let (news, seconds) = (bars(|run| run.archived, &number), bars(duration, &span));
    let ends = [runs.last(), runs.first()].map(|run| run.map(|run| show::minute(run.started)).unwrap_or_default());
    let ends = [ends[0].as_str(), if runs.len() > 1 { ends[1].as_str() } else { "" }];
    let bad = runs.iter().filter(|run| is_bad(run)).count();
    let summary = (t.summary_runs)(runs.len(), bad);
    let row = |run: &Run| {
        let trouble = if run.trouble.is_empty() { context.t.page.no } else { context.t.page.yes };
        vec![
            show::minute(run.started),
            number(run.archived),
            span(duration(run)),
            number(run.failed),
            trouble.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    html! {
        div.charts {
            (Bars { title: t.new_mails, summary: &summary, unit: Unit::Count, bars: &news, ends }.picture(lang))
            (Bars { title: t.duration, summary: &summary, unit: Unit::Seconds, bars: &seconds, ends }.picture(lang))
        }
        @if bad > 0 { p.soft { (t.marked) } }
        (charts::numbers(t.numbers, &[common.started, t.new_mails, t.duration, common.failed, common.trouble], &rows))
    }
}

fn duration(run: &Run) -> u64 {
    u64::try_from(run.ended - run.started).unwrap_or_default()
}

fn is_bad(run: &Run) -> bool {
    run.failed > 0 || run.unexplained > 0 || run.has_trouble()
}
