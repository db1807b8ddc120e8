//! The state of the box as one screen: what is wrong first, then how to get there and how it is, then the menu. Never more
//! than [`CONSOLE_LINES`] lines of [`CONSOLE_COLUMNS`] characters, also where umlauts take two.

use std::net::IpAddr;

use super::super::interface::is_of_the_cable;
use super::super::state::{BoxState, Clock, Disk, Interface, PagesState, Slot, Storage, StorageTrouble};
use crate::limits::{CONSOLE_COLUMNS, CONSOLE_LINES};

/// Addresses that are shown; the name is always there.
const ADDRESSES: usize = 2;
const LABEL: usize = 13;
const MENU_COLUMN: usize = 40;
const PROMPT: &str = "Number and Enter / Zahl und Enter: ";

/// The whole screen; ends with the prompt.
pub fn text(state: &BoxState) -> String {
    let menu = menu(state);
    let troubles = troubles(state);
    let mut lines = vec![title(state), String::new()];
    for (english, german) in &troubles {
        lines.extend([format!("!! {english}"), format!("   {german}")]);
    }
    if !troubles.is_empty() {
        lines.push(String::new());
    }
    // What does not fit is least needed: the facts stand in the order of need.
    let room = CONSOLE_LINES.saturating_sub(lines.len() + menu.len() + 2);
    lines.extend(facts(state).into_iter().take(room));
    lines.push(String::new());
    lines.extend(menu);
    let lines: String = lines.iter().map(|line| fit(line) + "\n").collect();
    lines + PROMPT
}

/// The same without what changes all the time.
pub fn calm(state: &BoxState) -> String {
    let mut calm = state.clone();
    calm.pages.fetching.clear();
    if let Clock::Server { at, corrected, .. } = &mut calm.clock {
        (*at, *corrected) = (0, 0);
    }
    text(&calm)
}

/// One line for a disk.
pub fn disk(disk: &Disk) -> String {
    let holds = if disk.holds_a_box { "an Archivista Box" } else { "no archive / kein Archiv" };
    fit(&format!("{:<10} {:<24} {:>9}  {holds}", disk.name, cut(&disk.model, 24), size(disk.size)))
}

/// One line for an interface.
pub fn interface(number: usize, interface: &Interface) -> String {
    let cable = if interface.has_carrier { "" } else { "no cable / kein Kabel" };
    let how = if interface.is_static { "fixed" } else { "DHCP" };
    let address = interface.addresses.first().filter(|_| !is_without_address(interface)).map_or("-", String::as_str);
    fit(&format!("{number:>2}  {:<15} {:<17}  {address} ({how}) {cable}", interface.name, interface.hardware_address))
}

/// Bytes as disks are sold: powers of a thousand.
pub fn size(bytes: u64) -> String {
    let (unit, name) = if bytes >= 1_000_000_000_000 { (1_000_000_000_000, "TB") } else { (1_000_000_000, "GB") };
    let tenths = u128::from(bytes) * 10 / unit;
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// One line that is not longer than the screen is wide, whatever others put into it.
pub fn fit(line: &str) -> String {
    cut(plain(line).trim_end(), CONSOLE_COLUMNS)
}

/// Text as lines that are not longer than the screen is wide.
pub fn wrap(text: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        let word = fit(word);
        if !line.is_empty() && places(&line) + 1 + places(&word) > CONSOLE_COLUMNS {
            lines += &(std::mem::take(&mut line) + "\n");
        }
        line += if line.is_empty() { "" } else { " " };
        line += &word;
    }
    lines + &line + "\n"
}

fn title(state: &BoxState) -> String {
    let slot = match (state.slot, state.committed) {
        (Some(slot), Some(committed)) if slot != committed => {
            format!(", slot {} on trial / auf Probe", letter(slot))
        }
        (Some(slot), _) => format!(", slot {}", letter(slot)),
        (None, _) => String::new(),
    };
    let left = format!("Archivista Box   {}", cut(&plain(&state.name), 24));
    let right = format!("release {}{slot}", cut(&plain(&state.release), 20));
    let gap = CONSOLE_COLUMNS.saturating_sub(places(&left) + places(&right)).max(2);
    format!("{left}{}{right}", " ".repeat(gap))
}

/// What is wrong, the worst first, in English and German.
fn troubles(state: &BoxState) -> Vec<(String, String)> {
    let mut troubles = Vec::new();
    let mut say = |english: &str, german: &str| troubles.push((plain(english), plain(german)));
    if let Storage::Trouble(trouble) = &state.storage {
        let (english, german) = storage_trouble(trouble);
        say(&english, &german);
    }
    if state.pages.state == PagesState::Trouble {
        say(
            "The archive cannot be opened; the page in the browser says why.",
            "Das Archiv geht nicht auf; die Seite im Browser sagt warum.",
        );
    }
    if state.interfaces.is_empty() {
        say("No network adapter is there.", "Es ist kein Netzwerkanschluss da.");
    } else if !state.interfaces.iter().any(|interface| interface.has_carrier) {
        say("No network cable is plugged in.", "Es steckt kein Netzwerkkabel.");
    } else if state.interfaces.iter().all(is_without_address) {
        say(
            "No address: no DHCP server has answered yet. A fixed address is set with 2.",
            "Keine Adresse: noch kein DHCP-Server hat geantwortet. Feste Adresse mit 2.",
        );
    }
    if !state.clock.is_sane() {
        say(
            "The time is unknown: nothing is fetched before a time server has answered.",
            "Die Zeit ist unbekannt: abgeholt wird erst, wenn ein Zeitserver antwortet.",
        );
    }
    if state.fetching_is_paused {
        let starts = state.watchdog_starts;
        say(
            &format!("Fetching is paused: started {starts} times by the watchdog. See System."),
            &format!("Es wird nichts abgeholt: {starts} Starts durch den Watchdog. Siehe System."),
        );
    }
    troubles
}

fn storage_trouble(trouble: &StorageTrouble) -> (String, String) {
    match trouble {
        StorageTrouble::NoPartition { disk } => (
            format!("No data partition is on disk {disk}: nothing can be archived."),
            format!("Auf der Platte {disk} ist keine Datenpartition: nichts wird archiviert."),
        ),
        StorageTrouble::NoDisk => (
            "The disk that the box was started from is gone. Check its cable, restart.".into(),
            "Die Platte, von der die Box startete, ist weg. Kabel prüfen, neu starten.".into(),
        ),
        StorageTrouble::Damaged { partition, what } => (
            format!("The archive's file system on {partition} is damaged. Nothing was deleted."),
            format!("Dateisystem des Archivs beschädigt, nichts gelöscht: {what}"),
        ),
        StorageTrouble::NotMounted { partition, what } => (
            format!("The archive's file system on {partition} cannot be used."),
            format!("Das Dateisystem des Archivs geht nicht: {what}"),
        ),
    }
}

/// How to get there and how the box is, in the order of need.
fn facts(state: &BoxState) -> Vec<String> {
    let mut facts = Vec::new();
    let mut tell = |label: &str, value: &str| facts.push(format!("{label:<LABEL$}{}", plain(value)));
    let addresses = state.interfaces.iter().flat_map(|interface| &interface.addresses);
    let usable =
        addresses.filter_map(|address| address.split('/').next()?.parse().ok()).filter(|a| !is_of_the_cable(*a));
    let mut urls: Vec<String> = usable.take(ADDRESSES).map(url).collect();
    if !state.name.is_empty() {
        urls.push(format!("https://{}.local", state.name));
    }
    if !state.interfaces.iter().all(is_without_address) {
        for (row, url) in urls.iter().enumerate() {
            tell(if row == 0 { "Browser" } else { "" }, url);
        }
    }
    match state.pages.state {
        PagesState::Starting => tell("Pages", "starting / werden gestartet"),
        PagesState::Waiting => tell("Pages", "waiting for the storage / warten auf den Speicher"),
        PagesState::Ready | PagesState::Trouble => {}
    }
    if let Some(code) = &state.pages.setup_code {
        tell("Setup code", &format!("{code}   (Einrichtungscode)"));
    }
    let fingerprint: Vec<char> = plain(&state.pages.fingerprint).chars().collect();
    for (row, half) in fingerprint.chunks(fingerprint.len().div_ceil(2).max(1)).enumerate() {
        let half: String = half.iter().collect();
        tell(if row == 0 { "Certificate" } else { "" }, half.trim_end_matches(':'));
    }
    match &state.storage {
        Storage::Preparing => tell("Storage", "being prepared / wird vorbereitet"),
        Storage::Ready { size: bytes, mended } if mended.is_empty() => tell("Storage", &size(*bytes)),
        Storage::Ready { size: bytes, .. } => {
            tell("Storage", &format!("{}, file system mended at this start / Dateisystem repariert", size(*bytes)));
        }
        Storage::Trouble(_) => {}
    }
    match &state.clock {
        Clock::Unknown => {}
        Clock::Own => tell("Clock", "kept by the box itself / von der Box selbst"),
        Clock::Server { server, at, .. } => {
            tell("Clock", &format!("set by / gestellt von {}{}", cut(server, 30), moment(*at)));
        }
    }
    match &state.watchdog {
        None => tell("Watchdog", "none / keiner"),
        Some(watchdog) => {
            let kind = if watchdog.is_hardware { "" } else { ", software" };
            let start = if watchdog.caused_start { ", caused this start / hat neu gestartet" } else { "" };
            tell("Watchdog", &format!("{}, {} s{kind}{start}", cut(&watchdog.identity, 24), watchdog.timeout));
        }
    }
    if !state.pages.fetching.is_empty() {
        tell("Mail", &state.pages.fetching);
    }
    facts
}

fn menu(state: &BoxState) -> Vec<String> {
    let mut items = vec!["1 Reset password / Passwort neu setzen", "2 Network / Netzwerk"];
    if !state.install_targets.is_empty() {
        items.push("3 Install to a disk / Installieren");
    }
    items.extend(["4 Restart / Neu starten", "5 Power off / Ausschalten", "9 Factory reset / Alles löschen"]);
    items.chunks(2).map(|pair| format!("{:<MENU_COLUMN$}{}", pair[0], pair.get(1).unwrap_or(&""))).collect()
}

/// Whether no browser gets to this interface.
fn is_without_address(interface: &Interface) -> bool {
    let mut addresses = interface.addresses.iter().filter_map(|address| address.split('/').next()?.parse().ok());
    addresses.all(is_of_the_cable)
}

fn url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("https://{address}"),
        IpAddr::V6(address) => format!("https://[{address}]"),
    }
}

fn moment(seconds: i64) -> String {
    let minutes = |moment: jiff::Timestamp| moment.to_string().get(..16).map(|text| text.replace('T', " "));
    let text = jiff::Timestamp::from_second(seconds).ok().and_then(minutes);
    text.map_or_else(String::new, |text| format!(", {text} UTC"))
}

fn letter(slot: Slot) -> char {
    match slot {
        Slot::A => 'a',
        Slot::B => 'b',
    }
}

/// One line of what others sent: no control of the terminal, no line of its own.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// At most so many places; what is cut ends with dots.
fn cut(text: &str, most: usize) -> String {
    if places(text) <= most {
        return text.into();
    }
    let (mut short, mut taken) = (String::new(), 0);
    for c in text.chars() {
        taken += width(c);
        if taken > most.saturating_sub(3) {
            break;
        }
        short.push(c);
    }
    short + "..."
}

/// Places that the text takes on a serial line, where an umlaut takes two.
fn places(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(c: char) -> usize {
    if "äöüÄÖÜ".contains(c) { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::state::{Pages, Watchdog};
    use super::*;

    fn interface(name: &str, addresses: &[&str]) -> Interface {
        Interface {
            name: name.into(),
            hardware_address: "52:54:00:12:4f:2a".into(),
            has_carrier: true,
            addresses: addresses.iter().map(ToString::to_string).collect(),
            ..Interface::default()
        }
    }

    fn well() -> BoxState {
        BoxState {
            name: "archivista-4f2a".into(),
            release: "0.1.0".into(),
            slot: Some(Slot::A),
            committed: Some(Slot::A),
            storage: Storage::Ready { size: 500_107_862_016, mended: String::new() },
            interfaces: vec![interface("eth0", &["192.168.1.20/24", "2001:db8::20/64", "fe80::1/64"])],
            clock: Clock::Server { server: "pool.ntp.org".into(), at: 1_795_323_600, corrected: 12 },
            watchdog: Some(Watchdog {
                identity: "iTCO_wdt".into(),
                is_hardware: true,
                timeout: 60,
                caused_start: false,
            }),
            pages: Pages {
                state: PagesState::Ready,
                fingerprint: ["AB"; 32].join(":"),
                setup_code: Some("ABCD-EFGH".into()),
                fetching: "office: 120 of 4000".into(),
            },
            ..BoxState::default()
        }
    }

    #[test]
    fn a_box_that_is_well_says_how_to_get_there() {
        let expected = "\
Archivista Box   archivista-4f2a                          release 0.1.0, slot a

Browser      https://192.168.1.20
             https://[2001:db8::20]
             https://archivista-4f2a.local
Setup code   ABCD-EFGH   (Einrichtungscode)
Certificate  AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB
             AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB
Storage      500.1 GB
Clock        set by / gestellt von pool.ntp.org, 2026-11-22 05:00 UTC
Watchdog     iTCO_wdt, 60 s
Mail         office: 120 of 4000

1 Reset password / Passwort neu setzen  2 Network / Netzwerk
4 Restart / Neu starten                 5 Power off / Ausschalten
9 Factory reset / Alles löschen
Number and Enter / Zahl und Enter: ";
        assert_eq!(text(&well()), expected);
    }

    #[test]
    fn progress_alone_is_no_change() {
        let mut later = well();
        later.pages.fetching = "office: 121 of 4000".into();
        later.clock = Clock::Server { server: "pool.ntp.org".into(), at: 1_795_327_200, corrected: 3 };
        assert!(text(&later) != text(&well()) && calm(&later) == calm(&well()));
        later.pages.setup_code = None;
        assert!(calm(&later) != calm(&well()));
    }

    /// A trouble and what the screen says of it.
    type Case = (fn(&mut BoxState), &'static str);

    #[test]
    fn each_trouble_is_said_first_in_both_languages() {
        let cases: &[Case] = &[
            (|s| s.interfaces.clear(), "!! No network adapter"),
            (|s| s.interfaces[0].has_carrier = false, "!! No network cable"),
            (|s| s.interfaces[0].addresses = vec!["fe80::1/64".into()], "!! No address"),
            (|s| s.clock = Clock::Unknown, "!! The time is unknown"),
            (|s| (s.fetching_is_paused, s.watchdog_starts) = (true, 3), "!! Fetching is paused: started 3 times"),
            (|s| s.pages.state = PagesState::Trouble, "!! The archive cannot be opened"),
            (|s| s.storage = Storage::Trouble(StorageTrouble::NoDisk), "!! The disk that the box"),
            (
                |s| s.storage = Storage::Trouble(StorageTrouble::NoPartition { disk: "sda".into() }),
                "!! No data partition is on disk sda",
            ),
        ];
        for (change, said) in cases {
            let mut state = well();
            change(&mut state);
            let screen = text(&state);
            let lines: Vec<&str> = screen.lines().collect();
            assert!(lines[2].starts_with(said), "{screen}");
            assert!(lines[3].starts_with("   ") && lines[4].is_empty(), "{screen}");
            // Nothing is cut that we wrote ourselves.
            assert!(!screen.contains("..."), "{screen}");
        }
        assert!(!text(&well()).contains("!!"));
    }

    fn assert_fits(screen: &str) {
        let serial = screen.lines().map(places).max().unwrap();
        assert!(serial <= CONSOLE_COLUMNS && screen.lines().count() <= CONSOLE_LINES, "{screen}");
        assert!(!screen.chars().any(|c| c.is_control() && c != '\n'), "{screen:?}");
    }

    #[test]
    fn everything_wrong_at_once_still_fits_and_keeps_the_menu() {
        let mut state = well();
        state.storage = Storage::Trouble(StorageTrouble::Damaged { partition: "sda4".into(), what: "ü".repeat(200) });
        state.pages.state = PagesState::Trouble;
        state.interfaces[0].addresses.clear();
        state.clock = Clock::Unknown;
        state.fetching_is_paused = true;
        state.committed = Some(Slot::B);
        state.install_targets = vec![Disk { name: "sdb".into(), model: "X".into(), size: 1, holds_a_box: true }];
        let screen = text(&state);
        assert_fits(&screen);
        assert_eq!(screen.matches("!!").count(), 5);
        assert!(screen.contains("3 Install") && screen.ends_with(PROMPT) && screen.contains("Setup code"));
    }

    proptest! {
        #[test]
        fn any_state_fits(
            name in ".{0,90}", release in ".{0,90}", code in proptest::option::of(".{0,90}"),
            fingerprint in ".{0,300}", fetching in ".{0,300}", server in ".{0,300}", at: i64, what in ".{0,300}",
            size: u64, faults: u8, addresses in proptest::collection::vec("([0-9.:/]{0,20}|.{0,50})", 0..20),
        ) {
            let mut state = well();
            (state.name, state.release) = (name.clone(), release);
            state.pages = Pages { state: PagesState::default(), fingerprint, setup_code: code, fetching };
            state.clock = if faults & 1 == 0 { Clock::Unknown } else { Clock::Server { server, at, corrected: 0 } };
            state.storage = if faults & 2 == 0 { Storage::Ready { size, mended: what } }
                else { Storage::Trouble(StorageTrouble::NotMounted { partition: name.clone(), what }) };
            state.fetching_is_paused = faults & 4 == 0;
            state.interfaces[0].addresses = addresses;
            if faults & 8 == 0 { state.pages.state = PagesState::Trouble }
            let disk = Disk { name: name.clone(), model: name, size, holds_a_box: faults & 16 == 0 };
            assert_fits(&self::disk(&disk));
            assert_fits(&super::interface(16, &state.interfaces[0]));
            if faults & 32 == 0 { state.install_targets = vec![disk] }
            assert_fits(&text(&state));
        }

        #[test]
        fn wrapped_text_fits_and_loses_no_word(text in "[a-zü ]{0,300}") {
            let lines = wrap(&text);
            prop_assert!(lines.lines().all(|line| places(line) <= CONSOLE_COLUMNS));
            let words: Vec<_> = text.split_whitespace().filter(|word| places(word) <= CONSOLE_COLUMNS).collect();
            prop_assert!(words.iter().all(|word| lines.contains(word)));
        }
    }
}
