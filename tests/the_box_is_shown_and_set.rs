//! Promise: an administrator sees in the browser how the box is, sets its network, time and power there, and is told on the
//! overview what is wrong with it; each change is in the journal. Elsewhere than on a box, the page shows what applies.

use archivista::appliance::channel::{Ask, Notice};
use archivista::appliance::state::{BoxSettings, Clock, Power, Storage, StorageTrouble};
use archivista::archive::commit::Happening;
use archivista::settings::administration::Administration;
use archivista::settings::users::Role;

use crate::support::around::Around;
use crate::support::web::{Answer, Site};

struct Stage {
    around: Around,
    site: Site,
    admin: String,
}

impl Stage {
    fn new() -> Self {
        let (around, link) = Around::well();
        let site = Site::on_box(link);
        let admin = site.user("chefin", Role::Administrator, &[]);
        Self { around, site, admin }
    }

    fn change(&mut self, change: impl FnOnce(&mut archivista::appliance::state::BoxState)) {
        self.around.change(self.site.web.link.as_ref().unwrap(), change);
    }

    fn page(&self, path: &str) -> String {
        let answer = self.site.get(Some(&self.admin), path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.site.post(&self.admin, path, fields)
    }

    fn journal(&self) -> Vec<Happening> {
        self.site.journal().into_iter().filter(|event| event.who == "chefin").map(|event| event.what).collect()
    }

    /// Nothing else was asked for so far.
    fn asked_nothing(&self) {
        self.site.web.link.as_ref().unwrap().ask(&Ask::Proved);
        assert!(matches!(self.around.asked(), Ask::Proved));
    }
}

fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn the_page_says_how_the_box_is_in_both_languages() {
    let mut stage = Stage::new();
    let all = [
        "archivista-4f2a",
        "1.2.3",
        "192.168.1.20/24",
        "fe80::4f2a/64",
        "02:00:00:00:4f:2a",
        "time.example",
        "i6300ESB timer, 60 s",
        "/admin/system/restart",
        "/admin/system/off",
        "/admin/system/log",
        "/admin/system/network",
    ];
    has(&stage.page("/admin/system"), &all);
    has(&stage.page("/admin/system"), &["Last correction", "−0.250 s", "Reserve", "Caused the last start", "nothing"]);
    stage.change(|state| {
        state.storage = Storage::Ready { size: 1, mended: "Inode 12 <was> mended.".into() };
        state.watchdog = None;
        state.clock = Clock::Own;
        state.interfaces[0].has_carrier = false;
        state.committed = Some(archivista::appliance::state::Slot::B);
    });
    stage.site.administer(|administration| administration.language = archivista::language::Lang::De);
    let page = stage.page("/admin/system");
    has(
        &page,
        &[
            "Inode 12 &lt;was&gt; mended.",
            "Es gibt keinen Watchdog",
            "ein Zeitserver hat noch nicht geantwortet",
            "kein Kabel",
            "beim nächsten Start: B",
        ],
    );
    stage.around.tell(&Notice::Refused("no <room>".into()));
    stage.change(|state| state.name = "archivista-0000".into());
    has(&stage.page("/admin/system"), &["Die Box hat das abgelehnt: no &lt;room&gt;"]);
    assert!(!stage.page("/admin/system").contains("no &lt;room&gt;"), "told twice");
}

#[test]
fn elsewhere_the_page_shows_what_applies() {
    let site = Site::new();
    let admin = site.user("chefin", Role::Administrator, &[]);
    let page = site.get(Some(&admin), "/admin/system").text();
    has(&page, &["Network and power are this computer's own", "Memory of the machine", "Free space", "Clock of this"]);
    assert!(!page.contains("/admin/system/restart") && !page.contains("/admin/system/network"), "{page}");
    for path in ["network", "restart", "off", "log"] {
        assert_eq!(site.get(Some(&admin), &format!("/admin/system/{path}")).status, 404, "{path}");
    }
}

#[test]
fn the_network_is_set_and_its_new_address_shown() {
    let stage = Stage::new();
    // What DHCP gave is offered as a beginning.
    has(
        &stage.page("/admin/system/network"),
        &["name=\"address_eth0\"", "value=\"192.168.1.20/24\"", "to be reached"][..2],
    );
    let good = [
        ("method_eth0", "static"),
        ("address_eth0", "192.168.1.30/24"),
        ("router_eth0", "192.168.1.1"),
        ("dns_eth0", "192.168.1.1, 9.9.9.9"),
        ("time_servers", ""),
    ];
    for (name, value, sentence) in [
        ("address_eth0", "192.168.1.30", "192.168.1.20/24"),
        ("address_eth0", "192.168.1.255/24", "first or last address"),
        ("address_eth0", "127.0.0.1/8", "No device can have"),
        ("address_eth0", "192.168.1.30/31", "1 to 30"),
        ("router_eth0", "192.168.2.1", "outside the network"),
        ("dns_eth0", "dns.example", "DNS servers"),
        ("time_servers", "no_host!", "time server"),
    ] {
        let mut fields = good.to_vec();
        fields.iter_mut().find(|(other, _)| *other == name).unwrap().1 = value;
        let answer = stage.post("/admin/system/network", &fields);
        assert_eq!(answer.status, 400, "{name} {value}");
        let said = answer.between(&format!("id=\"{name}-help\"><span class=\"wrong\">"), "</span>");
        assert!(said.as_ref().is_some_and(|said| said.contains(sentence)), "{name} {value}: {said:?}");
        assert!(answer.text().contains(&format!("value=\"{value}\"")), "{value} is to be corrected");
    }
    stage.asked_nothing();
    let answer = stage.post("/admin/system/network", &good);
    assert_eq!(answer.status, 200, "{}", answer.text());
    has(&answer.text(), &["href=\"https://192.168.1.30/admin/system\""]);
    let Ask::Settings(settings) = stage.around.asked() else { panic!() };
    let eth0 = &settings.static_addresses["eth0"];
    assert_eq!((eth0.address.to_string().as_str(), eth0.prefix), ("192.168.1.30", 24));
    assert_eq!((eth0.router.unwrap().to_string().as_str(), eth0.dns.len()), ("192.168.1.1", 2));
    assert_eq!(stage.journal(), [Happening::SettingChanged("box/network".into())]);
}

#[test]
fn going_back_to_dhcp_and_time_servers() {
    let mut stage = Stage::new();
    let address = archivista::appliance::settings::static_address("eth7", "10.0.0.2/24", "10.0.0.1", "").unwrap();
    stage.change(|state| drop(state.settings.static_addresses.insert("eth7".into(), address)));
    // An interface that is gone can still be set.
    has(&stage.page("/admin/system/network"), &["eth7", "not there at present", "value=\"10.0.0.2/24\""]);
    let answer = stage.post("/admin/system/network", &[("method_eth0", "dhcp"), ("method_eth7", "dhcp")]);
    has(&answer.text(), &["href=\"https://archivista-4f2a.local/admin/system\""]);
    assert!(matches!(stage.around.asked(), Ask::Settings(settings) if settings == BoxSettings::default()));

    let mut stage = Stage::new();
    let answer = stage.post("/admin/system/network", &[("time_servers", "ntp.example.ch, 192.0.2.1")]);
    assert_eq!((answer.status, answer.location()), (303, "/admin/system"));
    let Ask::Settings(settings) = stage.around.asked() else { panic!() };
    assert_eq!(settings.time_servers, ["ntp.example.ch", "192.0.2.1"]);
    assert_eq!(stage.journal(), [Happening::SettingChanged("box/time_servers".into())]);
    stage.change(|state| state.settings = settings);
    has(&stage.page("/admin/system"), &["ntp.example.ch, 192.0.2.1"]);
    // The same again changes nothing.
    assert_eq!(stage.post("/admin/system/network", &[("time_servers", "ntp.example.ch 192.0.2.1")]).status, 303);
    stage.asked_nothing();
    assert_eq!(stage.journal().len(), 1);
}

#[test]
fn power_is_asked_for_twice_and_noted() {
    let stage = Stage::new();
    for (path, power, noted, word) in [
        ("/admin/system/restart", Power::Restart, Happening::RestartAsked, "The box restarts"),
        ("/admin/system/off", Power::Off, Happening::PowerOffAsked, "The box powers off"),
    ] {
        has(&stage.page(path), &["method=\"post\"", &format!("action=\"{path}\"")]);
        stage.asked_nothing();
        assert_eq!(stage.journal().last(), (power == Power::Off).then_some(&Happening::RestartAsked));
        let answer = stage.post(path, &[]);
        has(&answer.text(), &[word]);
        assert!(matches!(stage.around.asked(), Ask::Power(asked) if asked == power));
        assert_eq!(stage.journal().last(), Some(&noted));
        if power == Power::Restart {
            assert_eq!(answer.header("Refresh"), Some("60; url=/admin"));
        }
    }
}

#[test]
fn the_log_is_shown_and_filtered() {
    let stage = Stage::new();
    let log = |path: &str| {
        std::thread::scope(|scope| {
            scope.spawn(|| stage.around.hand_out_log(&["one <b>", "Two Watchdog", "three"]));
            stage.site.get(Some(&stage.admin), path)
        })
    };
    has(&log("/admin/system/log").text(), &["one &lt;b&gt;\nTwo Watchdog\nthree"]);
    let filtered = log("/admin/system/log?word=watchdog").text();
    assert!(filtered.contains("Two Watchdog") && !filtered.contains("three"), "{filtered}");
    has(&log("/admin/system/log?word=nothing").text(), &["No line fits."]);
    let text = log("/admin/system/log?word=o&as=text");
    assert!(text.header("Content-Type").unwrap().starts_with("text/plain"));
    assert_eq!(text.text(), "one <b>\nTwo Watchdog\n");
}

#[test]
fn the_overview_raises_alarms() {
    let mut stage = Stage::new();
    let calm = stage.page("/admin");
    assert!(!calm.contains("role=\"alert\""), "{calm}");
    stage.change(|state| state.clock = Clock::Unknown);
    has(&stage.page("/admin"), &["Archiving waits for the time"]);
    stage.change(|state| {
        state.clock = Clock::Own;
        state.fetching_is_paused = true;
        state.watchdog.as_mut().unwrap().caused_start = true;
        state.storage = Storage::Ready { size: 1, mended: "x".into() };
    });
    has(
        &stage.page("/admin"),
        &[
            "Archiving is paused: the watchdog",
            "action=\"/admin/system/resume\"",
            "The watchdog started the box again",
            "was mended at the last start",
        ],
    );
    let answer = stage.post("/admin/system/resume", &[]);
    assert_eq!((answer.status, answer.location()), (303, "/admin"));
    assert!(matches!(stage.around.asked(), Ask::Resume));
    assert_eq!(stage.journal(), [Happening::ResumeAsked]);
    for (trouble, said) in [
        (StorageTrouble::NoPartition { disk: "sda".into() }, "has no data partition"),
        (StorageTrouble::NoDisk, "is missing"),
        (StorageTrouble::Damaged { partition: "sda4".into(), what: "<x>".into() }, "sda4: &lt;x&gt;"),
    ] {
        stage.change(|state| state.storage = Storage::Trouble(trouble));
        has(&stage.page("/admin"), &[said]);
        has(&stage.page("/admin/system"), &[said]);
    }
}

#[test]
fn the_time_zone_holds_for_all_pages_and_travels_with_the_archive() {
    let site = Site::new();
    let admin = site.user("chefin", Role::Administrator, &[]);
    // 14 November 2023, 23:30 in UTC.
    let number = site.mail("anna", b"From: a@example.ch\r\nSubject: Zeit\r\n\r\nx\r\n", 1_700_004_600);
    let shown = |text: &str| {
        let page = site.get(Some(&admin), &format!("/documents/{number}/proof")).text();
        assert!(page.contains(text), "{text}: {page}");
    };
    shown("15.11.2023 00:30");
    for bad in ["", "CET", "Europe/Nowhere", "../etc/passwd"] {
        assert_eq!(site.post(&admin, "/admin/system", &[("time_zone", bad)]).status, 400, "{bad}");
    }
    assert_eq!(site.post(&admin, "/admin/system", &[("time_zone", "America/New_York")]).status, 303);
    shown("14.11.2023 18:30");
    let page = site.get(Some(&admin), "/admin/system").text();
    has(&page, &["<option value=\"America/New_York\" selected>"]);
    // Days of a search are of that zone, too.
    let found = |query: &str| site.get(Some(&admin), &format!("/?q={query}")).text().contains("Zeit</");
    assert!(found("before:2023-11-15") && !found("after:2023-11-15"));
    let kept = Administration::read(&site.web.archive).unwrap();
    assert_eq!(kept.time_zone.as_deref(), Some("America/New_York"));
    // Another page of settings does not lose it.
    let fields = [("name", "Muster"), ("language", "en"), ("link_title", ""), ("publishing", "")];
    assert_eq!(site.post(&admin, "/admin/archive", &fields).status, 303);
    assert_eq!(Administration::read(&site.web.archive).unwrap().time_zone, kept.time_zone);
}
