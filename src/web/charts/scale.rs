//! Where an axis ends: at a round number that is twice a round number.

use crate::language::Lang;
use crate::web::show;

/// What an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    Bytes,
    Seconds,
}

/// An axis from 0 to `top`, which is never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    pub top: u64,
    unit: Unit,
}

impl Scale {
    /// One that holds `most`.
    pub fn over(most: u64, unit: Unit) -> Self {
        // Minutes and hours are round where seconds are not.
        let step = match unit {
            Unit::Seconds if most > 2 * 3600 => 3600,
            Unit::Seconds if most > 2 * 60 => 60,
            _ => 1,
        };
        Self { top: round(most.div_ceil(step)).saturating_mul(step), unit }
    }

    /// What stands beside the axis.
    pub fn called(&self, lang: Lang, value: u64) -> String {
        match self.unit {
            Unit::Count => show::number(lang, value),
            Unit::Bytes => show::size(lang, value),
            Unit::Seconds if self.top > 2 * 3600 => format!("{} h", hours(lang, value)),
            Unit::Seconds if self.top > 2 * 60 => format!("{} min", value / 60),
            Unit::Seconds => format!("{value} s"),
        }
    }
}

/// `1.5`, or `1` where it is whole.
fn hours(lang: Lang, seconds: u64) -> String {
    let tenths = seconds / 360;
    let comma = if lang == Lang::De { ',' } else { '.' };
    if tenths.is_multiple_of(10) { (tenths / 10).to_string() } else { format!("{}{comma}{}", tenths / 10, tenths % 10) }
}

/// The lowest of 2, 4, 6, 8, 10, 20, 40 … that is not below.
fn round(most: u64) -> u64 {
    let mut power = 1u64;
    loop {
        for digit in [2, 4, 6, 8, 10] {
            let top = power.saturating_mul(digit);
            if top >= most {
                return top;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_that_hold_everything() {
        let tops = [0, 1, 2, 3, 7, 10, 11, 41, 99, 101, 12_345];
        assert_eq!(tops.map(|most| Scale::over(most, Unit::Count).top), [2, 2, 2, 4, 8, 10, 20, 60, 100, 200, 20_000]);
        for most in [0, 1, 999, 86_400, 1 << 40, u64::MAX] {
            for unit in [Unit::Count, Unit::Bytes, Unit::Seconds] {
                let top = Scale::over(most, unit).top;
                assert!(top >= most && top > 0, "{most} {unit:?}: {top}");
            }
        }
    }

    #[test]
    fn axes_say_their_unit() {
        let called = |most, unit| {
            let scale = Scale::over(most, unit);
            [scale.top, scale.top / 2].map(|value| scale.called(Lang::De, value))
        };
        assert_eq!(called(4100, Unit::Count), ["6’000", "3’000"]);
        assert_eq!(called(5_000_000_000, Unit::Bytes), ["6,0 GB", "3,0 GB"]);
        assert_eq!(called(3, Unit::Seconds), ["4 s", "2 s"]);
        assert_eq!(called(500, Unit::Seconds), ["10 min", "5 min"]);
        assert_eq!(called(8000, Unit::Seconds), ["4 h", "2 h"]);
        assert_eq!(called(19_000, Unit::Seconds), ["6 h", "3 h"]);
    }
}
