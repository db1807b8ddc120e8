//! Promise: who did what and when is found on one page, by person, kind, day and document, by administrators and auditors and
//! by nobody else; what is found leaves as a table.

use crate::support::web::Site;
use archivista::archive::commit::{Commit, Event, Happening};
use archivista::archive::history::WORDS;
use archivista::language::Lang;
use archivista::limits::JOURNAL_PER_PAGE;
use archivista::settings::users::Role;
use archivista::web::texts;

/// Noon of 21 November 2026, where the archive is.
const NOON: i64 = 1_795_258_800;
const DAY: i64 = 86_400;

fn note(site: &Site, events: &[(i64, &str, Happening)]) {
    let journal =
        events.iter().map(|(time, who, what)| Event { time: *time, who: (*who).into(), what: what.clone() }).collect();
    site.web.archive.commit(Commit { journal, ..Commit::default() }).unwrap();
}

/// The rows of the page's table, in their order: who, what, document.
fn rows(page: &str) -> Vec<(String, String, String)> {
    let Some((_, table)) = page.split_once("id=\"journal\"") else { panic!("{page}") };
    let rows = table.split("<tr>").filter(|row| row.contains("class=\"said\""));
    rows.map(|row| {
        let cells: Vec<String> = row
            .split("<td")
            .skip(1)
            .map(|cell| cell.split_once('>').unwrap().1.split("</td>").next().unwrap().into())
            .collect();
        (cells[1].clone(), cells[2].clone(), cells[3].clone())
    })
    .collect()
}

#[test]
fn it_is_found_by_person_kind_day_and_document() {
    let site = Site::new();
    let revision = site.user("revision", Role::Auditor, &[]);
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let anna = site.user("anna", Role::User, &["anna"]);
    note(
        &site,
        &[
            (NOON - DAY, "anna", Happening::Opened(7)),
            (NOON - DAY, "Anna (API 0123456789abcdef, chefin)", Happening::Downloaded(7, Some(2), None)),
            (NOON, "anna2", Happening::Opened(8)),
            (NOON, "console", Happening::Exported(5, 9, 3)),
            (NOON, "beat", Happening::ExportedSome(vec![7, 12])),
            (NOON + DAY, "192.0.2.7", Happening::LoginRefused("=cmd<x>".into())),
        ],
    );
    let page = |query: &str| {
        let answer = site.get(Some(&revision), &format!("/admin/proof?{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        rows(&answer.text())
    };
    let who = |query: &str| page(query).into_iter().map(|(who, ..)| who).collect::<Vec<_>>();
    let token = "Anna (API 0123456789abcdef, chefin)";
    assert_eq!(who("who=anna"), [token, "anna"]);
    assert_eq!(who("who=ANNA&number=7&kind=2"), ["anna"]);
    assert_eq!(who("number=7"), ["beat", "console", token, "anna"]);
    assert_eq!(who("number=12"), ["beat"]);
    // Kinds of one name are one.
    assert_eq!(who("kind=1"), ["beat", "console"]);
    assert_eq!(who("kind=24"), ["beat", "console"]);
    assert_eq!(who("from=2026-11-21&to=2026-11-21"), ["beat", "console", "anna2"]);
    assert_eq!(who("to=2026-11-20&number=7"), [token, "anna"]);
    assert_eq!(who("from=2026-11-22&kind=9"), ["192.0.2.7"]);
    assert_eq!(who("kind=99"), [""; 0]);
    assert_eq!(page("kind=1")[1].2, "5–9 (3)");
    assert_eq!(page("kind=9")[0].1, "login refused: =cmd&lt;x&gt;");
    assert_eq!(page("kind=7")[0].1, "downloaded: part 2");

    for (query, sentence) in [
        ("from=gestern", "Write a date, such as 2026-11-21."),
        ("from=2026-11-22&to=2026-11-21", "This is before the first day."),
        ("number=x", "Write a file number, such as 8441."),
    ] {
        let answer = site.get(Some(&chefin), &format!("/admin/proof?{query}"));
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(sentence) && rows(&answer.text()).is_empty(), "{}", answer.text());
        assert_eq!(site.get(Some(&chefin), &format!("/admin/proof/journal?{query}")).status, 400);
    }

    // As a table: what a spreadsheet would take for a formula is a text.
    let table = site.get(Some(&revision), "/admin/proof/journal?from=2026-11-21&to=2026-11-22");
    assert_eq!(table.header("Content-Type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<String> = table.text().trim_start_matches('\u{feff}').lines().map(ToOwned::to_owned).collect();
    assert_eq!(lines[0], "\"Time\";\"Who\";\"What\";\"File number\"");
    assert_eq!(lines[1], "\"2026-11-22 12:00:00\";\"192.0.2.7\";\"login refused: =cmd<x>\";\"\"");
    assert_eq!(lines[2], "\"2026-11-21 12:00:00\";\"beat\";\"exported\";\"7, 12\"");
    assert_eq!(lines.len(), 5);

    assert_eq!(site.get(Some(&anna), "/admin/proof").status, 403);
    assert!(!site.get(Some(&anna), "/account").text().contains("/admin/proof"));
    assert!(site.get(Some(&revision), "/").text().contains("href=\"/admin/proof\""));
    // An auditor is shown no page of the administration that it would not get.
    let own = site.get(Some(&revision), "/admin/proof").text();
    assert!(!own.contains("href=\"/admin/sources\"") && !own.contains("href=\"/admin/users\""), "{own}");
}

#[test]
fn it_is_leafed_through_to_its_end() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let count = 2 * JOURNAL_PER_PAGE + 7;
    for number in 0..count as u64 {
        note(&site, &[(NOON, "beat", Happening::Opened(number + 1)), (NOON, "other", Happening::LoggedIn)]);
    }
    let (mut target, mut seen, mut pages) = ("/admin/proof?who=beat&kind=2#journal".to_owned(), Vec::new(), 0);
    loop {
        let page = site.get(Some(&chefin), target.split('#').next().unwrap()).text();
        seen.extend(rows(&page).into_iter().map(|(_, _, number)| number.parse::<u64>().unwrap()));
        pages += 1;
        let links = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
        let Some(further) = links.into_iter().find(|link| link.contains("before=")) else { break };
        assert!(further.contains("who=beat") && further.contains("kind=2"), "{further}");
        target = further;
    }
    assert_eq!(pages, 3);
    assert!(seen.into_iter().eq((1..=count as u64).rev()));
    let table = site.get(Some(&chefin), "/admin/proof/journal?who=beat");
    assert_eq!(table.text().lines().count(), count + 1);
}

#[test]
fn every_kind_has_its_words() {
    for lang in [Lang::De, Lang::En] {
        let kinds = texts::of(lang).journal.kinds;
        assert_eq!(kinds.len(), WORDS.len());
        assert!(kinds.iter().all(|kind| !kind.is_empty()));
    }
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    for (lang, word) in [("de", "angesehen"), ("en", "looked at")] {
        assert_eq!(site.post(&chefin, "/account", &[("language", lang)]).status, 303);
        let page = site.get(Some(&chefin), "/admin/proof").text();
        assert!(page.contains(&format!(">{word}</option>")), "{page}");
    }
}
