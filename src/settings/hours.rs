//! Times of the week, as people write them: `Mo-Fr 08:00-18:00`.

use std::fmt;

use jiff::Zoned;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::language::Lang;
use crate::limits::HOURS;

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;
/// Monday first; how each is written, two letters of it in German and English.
const DAYS: [(&str, &str); 7] =
    [("Mo", "Mo"), ("Di", "Tu"), ("Mi", "We"), ("Do", "Th"), ("Fr", "Fr"), ("Sa", "Sa"), ("So", "Su")];

/// From one minute of the day to another, on some days. One that ends no later than it begins ends on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    days: [bool; 7],
    from: u32,
    until: u32,
}

/// Times of the week. None: never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours(Vec<Span>);

impl Hours {
    /// What people write, a line for each span; `Err` names the line that is none.
    pub fn entered(text: &str) -> Result<Self, String> {
        let lines: Vec<&str> = text.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.len() > HOURS {
            return Err("…".to_owned());
        }
        lines.into_iter().map(|line| span(line).ok_or_else(|| line.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    /// As [`Self::entered`] reads it.
    pub fn text(&self, lang: Lang) -> String {
        self.0.iter().map(|span| span.text(lang)).collect::<Vec<_>>().join("\n")
    }

    pub fn is_never(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is no other time.
    pub fn is_always(&self) -> bool {
        (0..WEEK).all(|minute| self.covers(minute))
    }

    /// Whether `now` is one of them.
    pub fn are_now(&self, now: &Zoned) -> bool {
        self.covers(minute_of_week(now))
    }

    /// Minutes from `now` until they are over, as the clock on the wall goes; 0 where it is none of them. `None`: never.
    pub fn minutes_left(&self, now: &Zoned) -> Option<u32> {
        let minute = minute_of_week(now);
        (0..WEEK).find(|further| !self.covers((minute + further) % WEEK))
    }

    fn covers(&self, minute: u32) -> bool {
        self.0.iter().any(|span| span.covers(minute))
    }
}

/// A time of the week, as `Mo 06:00`.
pub fn moment(time: DateTime, lang: Lang) -> String {
    let (de, en) = DAYS[usize::try_from(time.weekday().to_monday_zero_offset()).unwrap_or_default() % 7];
    let day = if lang == Lang::De { de } else { en };
    format!("{day} {:02}:{:02}", time.hour(), time.minute())
}

fn minute_of_week(time: &Zoned) -> u32 {
    let small = |number: i8| u32::try_from(number).unwrap_or_default();
    small(time.weekday().to_monday_zero_offset()) * DAY + small(time.hour()) * 60 + small(time.minute())
}

impl Span {
    fn covers(&self, minute: u32) -> bool {
        let (day, minute) = ((minute / DAY) as usize, minute % DAY);
        if self.from < self.until {
            return self.days[day] && (self.from..self.until).contains(&minute);
        }
        self.days[day] && minute >= self.from || self.days[(day + 6) % 7] && minute < self.until
    }

    fn text(&self, lang: Lang) -> String {
        let name = |day: usize| match lang {
            Lang::De => DAYS[day].0,
            Lang::En => DAYS[day].1,
        };
        let mut days: Vec<String> = Vec::new();
        let mut day = 0;
        while day < 7 {
            let last = (day..7).take_while(|day| self.days[*day]).last();
            match last {
                None => day += 1,
                Some(last) => {
                    days.push(if last == day { name(day).to_owned() } else { format!("{}-{}", name(day), name(last)) });
                    day = last + 1;
                }
            }
        }
        let days = if self.days == [true; 7] { String::new() } else { format!("{} ", days.join(",")) };
        format!("{days}{}-{}", clock(self.from), clock(self.until))
    }
}

fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `Mo-Fr,So 22:00-06:00`; without days: all.
fn span(line: &str) -> Option<Span> {
    let start = line.find(|c: char| c.is_ascii_digit())?;
    let (days, times) = line.split_at(start);
    let (from, until) = times.split_once(['-', '–'])?;
    let (from, until) = (minute(from)?, minute(until)?);
    let days = days.trim().trim_end_matches(':');
    let days = if days.is_empty() { [true; 7] } else { self::days(days)? };
    (from < DAY).then_some(Span { days, from, until })
}

fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once([':', '.']).unwrap_or((text.trim(), "00"));
    let number = |text: &str| text.parse().ok().filter(|_| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()));
    let (hour, minute): (u32, u32) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

fn days(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once(['-', '–']).unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let mut at = first;
        days[at] = true;
        while at != last {
            at = (at + 1) % 7;
            days[at] = true;
        }
    }
    Some(days)
}

/// By its first two letters.
fn day(text: &str) -> Option<usize> {
    let text = text.trim();
    if !text.chars().all(char::is_alphabetic) {
        return None;
    }
    let two: String = text.chars().take(2).collect();
    DAYS.iter().position(|(de, en)| two.eq_ignore_ascii_case(de) || two.eq_ignore_ascii_case(en))
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En).replace('\n', "; "))
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::entered(&text).map_err(|line| serde::de::Error::custom(format!("{line:?} is no time of the week")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> Hours {
        Hours::entered(text).unwrap()
    }

    /// A week that begins on Monday, in summer.
    fn at(day: i8, hour: i8, minute: i8) -> Zoned {
        let date = jiff::civil::date(2026, 6, 1 + day);
        date.at(hour, minute, 0, 0).in_tz("Europe/Zurich").unwrap()
    }

    #[test]
    fn what_people_write_comes_back_in_one_form() {
        for (text, de, en) in [
            ("Mo-Fr 08:00-18:00", "Mo-Fr 08:00-18:00", "Mo-Fr 08:00-18:00"),
            ("di, DO 8-12.30", "Di,Do 08:00-12:30", "Tu,Th 08:00-12:30"),
            ("Wednesday-Sunday 22:00–06:00", "Mi-So 22:00-06:00", "We-Su 22:00-06:00"),
            ("12:00-13:00;sa: 0-24", "12:00-13:00\nSa 00:00-24:00", "12:00-13:00\nSa 00:00-24:00"),
            ("Sa-Mo 1:00-2:00", "Mo,Sa-So 01:00-02:00", "Mo,Sa-Su 01:00-02:00"),
            ("\r\n", "", ""),
        ] {
            let read = hours(text);
            assert_eq!((read.text(Lang::De), read.text(Lang::En)), (de.to_owned(), en.to_owned()), "{text}");
            for lang in [Lang::De, Lang::En] {
                assert_eq!(hours(&read.text(lang)), read, "{text}");
            }
            let json = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<Hours>(&json).unwrap(), read, "{json}");
        }
        for wrong in [
            "Mo-Fr",
            "8",
            "25:00-26:00",
            "08:60-09:00",
            "XX 08:00-09:00",
            "Mo- 8-9",
            "24:00-25:00",
            "24-1",
            "1-2-3",
            "+8-9",
        ] {
            assert_eq!(Hours::entered(wrong), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn a_minute_is_within_or_without() {
        let office = hours("Mo-Fr 08:00-18:00");
        assert!(office.are_now(&at(0, 8, 0)) && office.are_now(&at(4, 17, 59)));
        assert!(!office.are_now(&at(0, 7, 59)) && !office.are_now(&at(4, 18, 0)) && !office.are_now(&at(5, 9, 0)));
        assert_eq!(office.minutes_left(&at(0, 17, 0)), Some(60));
        assert_eq!(office.minutes_left(&at(5, 17, 0)), Some(0));
        let night = hours("So 22:00-06:00");
        assert!(night.are_now(&at(6, 23, 0)) && night.are_now(&at(0, 5, 59)) && !night.are_now(&at(1, 5, 59)));
        assert_eq!(night.minutes_left(&at(6, 22, 0)), Some(8 * 60));
        assert!(hours("00:00-24:00").is_always() && hours("Mo-So 0-12\n12-24").is_always() && hours("5-5").is_always());
        assert_eq!(hours("0-24").minutes_left(&at(0, 0, 0)), None);
        assert!(!office.is_always() && Hours::default().is_never());
    }
}
