//! Appointments (iCalendar, RFC 5545): what a reader wants to know of them.

use crate::ingest::text::clean;
use crate::limits::{FIELD_CHARS, MAIL_ROWS, MAIL_SMALL_PART};

/// Appointments of one file that are read.
const EVENTS: usize = 20;

/// An appointment. Texts are bounded, without control characters but the line ends of the description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub summary: String,
    /// `2026-11-22 14:30 (Europe/Zurich)`: date, time and time zone as they are written; the zone is `UTC` for universal
    /// time and left out for floating times.
    pub start: String,
    pub end: String,
    /// How long, where that is said instead of the end: `PT1H`.
    pub duration: String,
    pub place: String,
    pub description: String,
    pub organiser: Person,
    pub attendees: Vec<Person>,
    /// The rule of a series as it is written.
    pub recurrence: String,
    /// Whether it is cancelled.
    pub cancelled: bool,
}

/// Who organises or takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub address: String,
    /// `ACCEPTED`, `DECLINED`, `TENTATIVE`, `NEEDS-ACTION`, as written; empty where it is not said.
    pub answer: String,
}

/// The appointments of a calendar file; at most [`MAIL_SMALL_PART`] bytes and 20 appointments with [`MAIL_ROWS`] attendees each.
pub fn events(text: &str) -> Vec<Event> {
    let text = &text[..text.floor_char_boundary(MAIL_SMALL_PART)];
    let mut events: Vec<Event> = Vec::new();
    let mut current: Option<Event> = None;
    let mut cancelled = false;
    // Components within an appointment (alarms), whose properties are their own.
    let mut within = 0usize;
    for line in unfolded(text) {
        let Some(line) = Line::read(&line) else { continue };
        let value = line.value.trim();
        match (line.name.as_str(), &mut current) {
            ("METHOD", None) => cancelled = value.eq_ignore_ascii_case("CANCEL"),
            ("BEGIN", None) if value.eq_ignore_ascii_case("VEVENT") => current = Some(Event::default()),
            ("BEGIN", Some(_)) => within += 1,
            ("END", Some(_)) if within > 0 => within -= 1,
            ("END", Some(_)) => events.extend(current.take()),
            (_, Some(event)) if within == 0 => event.property(&line),
            _ => {}
        }
        if events.len() == EVENTS {
            break;
        }
    }
    events.extend(current.filter(|_| events.len() < EVENTS));
    for event in &mut events {
        event.cancelled |= cancelled;
    }
    events
}

impl Event {
    fn property(&mut self, line: &Line) {
        match line.name.as_str() {
            "SUMMARY" => self.summary = text(&line.value),
            "LOCATION" => self.place = text(&line.value),
            "DESCRIPTION" => self.description = long_text(&line.value),
            "DTSTART" => self.start = line.time(),
            "DTEND" => self.end = line.time(),
            "DURATION" => self.duration = text(&line.value),
            "RRULE" => self.recurrence = text(&line.value),
            "STATUS" => self.cancelled |= line.value.trim().eq_ignore_ascii_case("CANCELLED"),
            "ORGANIZER" => self.organiser = line.person(),
            "ATTENDEE" if self.attendees.len() < MAIL_ROWS => self.attendees.push(line.person()),
            _ => {}
        }
    }
}

/// Lines with their continuations (RFC 5545, section 3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// `NAME;PARAMETER=value;…:value`.
struct Line {
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let mut quoted = false;
        let mut pieces = Vec::new();
        let mut begin = 0;
        let mut value = None;
        for (at, byte) in line.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b';' | b':' if !quoted => {
                    pieces.push(&line[begin..at]);
                    begin = at + 1;
                    if byte == b':' {
                        value = Some(&line[begin..]);
                        break;
                    }
                }
                _ => {}
            }
        }
        let (name, parameters) = pieces.split_first()?;
        let parameter = |piece: &&str| {
            let (name, value) = piece.split_once('=')?;
            Some((name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()))
        };
        Some(Self {
            name: name.trim().to_ascii_uppercase(),
            parameters: parameters.iter().take(MAIL_ROWS).filter_map(parameter).collect(),
            value: value?.to_owned(),
        })
    }

    fn parameter(&self, name: &str) -> String {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| clean(value, FIELD_CHARS)).unwrap_or_default()
    }

    fn person(&self) -> Person {
        let value = self.value.trim();
        let address =
            value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).map_or(value, |_| &value[7..]);
        Person { name: self.parameter("CN"), address: clean(address, FIELD_CHARS), answer: self.parameter("PARTSTAT") }
    }

    /// `20261122T143000Z` and its zone for people; what is not of that form stays as it is.
    fn time(&self) -> String {
        let value = self.value.trim();
        let Some(readable) = readable(value) else { return text(value) };
        let zone = if value.ends_with('Z') { "UTC".to_owned() } else { self.parameter("TZID") };
        if zone.is_empty() { readable } else { format!("{readable} ({zone})") }
    }
}

fn readable(value: &str) -> Option<String> {
    let digits =
        |from: usize, to: usize| value.get(from..to).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let date = format!("{}-{}-{}", digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    match value.get(8..9) {
        None => Some(date),
        Some("T") => {
            let (hour, minute, second) = (digits(9, 11)?, digits(11, 13)?, digits(13, 15)?);
            let second = if second == "00" { String::new() } else { format!(":{second}") };
            Some(format!("{date} {hour}:{minute}{second}"))
        }
        Some(_) => None,
    }
}

fn unescaped(value: &str) -> String {
    let mut out = String::new();
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    out
}

fn text(value: &str) -> String {
    clean(&unescaped(value), FIELD_CHARS)
}

/// Text of several lines.
fn long_text(value: &str) -> String {
    let mut lines = Vec::new();
    let mut length = 0;
    for line in unescaped(value).lines() {
        let line = clean(line, FIELD_CHARS);
        length += line.len() + 1;
        if length > 8 * FIELD_CHARS {
            break;
        }
        lines.push(line);
    }
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment() {
        let text = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\n\
            DTSTART:16010101T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nSUMMARY;LANGUAGE=de:Sitzung\\, Teil 1\r\n  und\r\n\
            \x20 2\r\nDTSTART;TZID=\"W. Europe: Time\":20261122T143000\r\nDTEND:20261122T153015Z\r\nLOCATION:Zürich\r\n\
            DESCRIPTION:a\\nb\\;c\r\nORGANIZER;CN=\"Anna; A.\":MAILTO:anna@example.ch\r\n\
            ATTENDEE;PARTSTAT=ACCEPTED;CN=Beat:mailto:beat@example.ch\r\nBEGIN:VALARM\r\nDESCRIPTION:no\r\nEND:VALARM\r\n\
            STATUS:CANCELLED\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261123\r\n";
        let events = events(text);
        assert_eq!(events.len(), 2);
        let event = &events[0];
        assert_eq!(event.summary, "Sitzung, Teil 1 und 2");
        assert_eq!(event.start, "2026-11-22 14:30 (W. Europe: Time)");
        assert_eq!(event.end, "2026-11-22 15:30:15 (UTC)");
        assert_eq!((event.place.as_str(), event.description.as_str(), event.cancelled), ("Zürich", "a\nb;c", true));
        let person = |name: &str, address: &str, answer: &str| Person {
            name: name.into(),
            address: address.into(),
            answer: answer.into(),
        };
        assert_eq!(event.organiser, person("Anna; A.", "anna@example.ch", ""));
        assert_eq!(event.attendees, [person("Beat", "beat@example.ch", "ACCEPTED")]);
        assert_eq!(events[1].start, "2026-11-23");
    }

    #[test]
    fn hostile_calendars_are_bounded() {
        let many = format!("BEGIN:VEVENT\n{}", "ATTENDEE:x\n".repeat(100_000));
        assert_eq!(events(&many)[0].attendees.len(), MAIL_ROWS);
        assert_eq!(events(&"BEGIN:VEVENT\nEND:VEVENT\n".repeat(1000)).len(), EVENTS);
        assert_eq!(events("DTSTART:2026ä"), []);
        assert_eq!(events("BEGIN:VEVENT\nDTSTART:2026112ä\nORGANIZER:mailtoä")[0].start, "2026112ä");
    }
}
