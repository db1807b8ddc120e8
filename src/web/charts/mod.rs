//! Numbers as pictures: SVG made here, shown without script, as wide as there is room.
//!
//! A picture has no words inside, since it is stretched: what its axes mean stands around it as text. Whoever does not see it
//! hears its summary, and finds every number in the table that the page puts beside it ([`numbers`]). Colours are the style
//! sheet's, for light and dark. What matters is told by shape as well as by colour.
//!
//! - `scale`: where an axis ends

pub mod scale;

use maud::{Markup, html};

use scale::{Scale, Unit};

use crate::language::Lang;

/// Units of the picture: one bar's place, what stays free beside it, and the height.
const PLACE: u64 = 10;
const GAP: u64 = 2;
const HEIGHT: u64 = 100;
/// Fewer bars than this stand at the right end: one alone is no wall.
const PLACES: usize = 20;
/// The lowest bar that is more than nothing.
const LEAST: u64 = 2;

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    pub value: u64,
    /// Which, and how much: shown when somebody points at it.
    pub says: String,
    /// A column over the whole height stands behind it.
    pub is_marked: bool,
}

/// Bars from left to right.
#[derive(Clone, Debug)]
pub struct Bars<'a> {
    pub title: &'a str,
    /// One sentence for who does not see it.
    pub summary: &'a str,
    pub unit: Unit,
    pub bars: &'a [Bar],
    /// Under the first bar and the last.
    pub ends: [&'a str; 2],
}

impl Bars<'_> {
    pub fn picture(&self, lang: Lang) -> Markup {
        let scale = Scale::over(self.bars.iter().map(|bar| bar.value).max().unwrap_or_default(), self.unit);
        let free = PLACES.saturating_sub(self.bars.len()) as u64;
        let width = self.bars.len().max(PLACES) as u64 * PLACE;
        let first = if free == 0 { self.ends[0] } else { "" };
        let last = if self.ends[1].is_empty() { self.ends[0] } else { self.ends[1] };
        html! {
            figure.chart {
                figcaption { (self.title) }
                div.plot {
                    div.axis aria-hidden="true" {
                        span { (scale.called(lang, scale.top)) } span { (scale.called(lang, scale.top / 2)) } span { "0" }
                    }
                    svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(self.summary) {
                        @for (place, bar) in (free..).zip(self.bars) {
                            @if bar.is_marked {
                                rect.mark x=(place * PLACE) y="0" width=(PLACE) height=(HEIGHT) {}
                            }
                        }
                        @for line in [0, HEIGHT / 2, HEIGHT] {
                            line.rule x1="0" y1=(line) x2=(width) y2=(line) {}
                        }
                        @for (place, bar) in (free..).zip(self.bars) {
                            @let height = height(bar.value, scale.top);
                            // What is pointed at is as high as the picture, so that small bars are found.
                            g {
                                title { (bar.says) }
                                rect.place x=(place * PLACE) y="0" width=(PLACE) height=(HEIGHT) {}
                                @if height > 0 {
                                    rect.bar x=(place * PLACE + GAP / 2) y=(HEIGHT - height) width=(PLACE - GAP) height=(height) {}
                                }
                            }
                        }
                    }
                    div.ends aria-hidden="true" { span { (first) } span { (last) } }
                }
            }
        }
    }
}

fn height(value: u64, top: u64) -> u64 {
    let exact = u128::from(value) * u128::from(HEIGHT) / u128::from(top.max(1));
    let height = u64::try_from(exact).unwrap_or(HEIGHT).min(HEIGHT);
    if value > 0 { height.max(LEAST) } else { 0 }
}

/// The numbers of a picture as a table, folded.
pub fn numbers(title: &str, heads: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        details.numbers {
            summary { (title) }
            div.scroll tabindex="0" role="region" aria-label=(title) {
                table {
                    thead { tr { @for (place, head) in heads.iter().enumerate() {
                        @if place == 0 { th scope="col" { (head) } } @else { th.number scope="col" { (head) } }
                    } } }
                    tbody { @for row in rows { tr { @for (place, cell) in row.iter().enumerate() {
                        @if place == 0 { td { (cell) } } @else { td.number { (cell) } }
                    } } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_high_as_its_value_and_something_is_never_nothing() {
        assert_eq!([0, 1, 50, 100, 200].map(|value| height(value, 100)), [0, LEAST, 50, 100, 100]);
        assert_eq!(height(1, u64::MAX), LEAST);
        assert_eq!(height(u64::MAX, u64::MAX), HEIGHT);
        assert_eq!(height(0, 0), 0);
    }

    #[test]
    fn a_picture_says_everything_without_being_seen() {
        let bar = |value, says: &str, is_marked| Bar { value, says: says.into(), is_marked };
        let bars = [bar(0, "Mo: 0", false), bar(7, "<b>: 7", true)];
        let picture = Bars { title: "T", summary: "2 days", unit: Unit::Count, bars: &bars, ends: ["Mo", "Tu"] };
        let text = picture.picture(Lang::En).into_string();
        assert!(
            text.contains("role=\"img\" aria-label=\"2 days\"") && text.contains("<title>&lt;b&gt;: 7</title>"),
            "{text}"
        );
        assert_eq!((text.matches("class=\"bar\"").count(), text.matches("class=\"mark\"").count()), (1, 1), "{text}");
        assert!(text.contains("<span>8</span><span>4</span><span>0</span>"), "{text}");
        // Nothing is styled or run from within.
        assert!(!text.contains("style=") && !text.contains("script"), "{text}");
        // Two bars stand at the end of twenty places.
        assert!(
            text.contains("<rect class=\"bar\" x=\"191\"") && text.contains("<span></span><span>Tu</span>"),
            "{text}"
        );
        let nothing = Bars { title: "T", summary: "", unit: Unit::Bytes, bars: &[], ends: ["", ""] };
        assert!(nothing.picture(Lang::De).into_string().contains("viewBox=\"0 0 200 100\""));
    }
}
