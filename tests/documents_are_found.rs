//! The table shows every document that somebody may read, once, in the order asked for, also while new mail arrives; and
//! the search finds what fits.

use crate::support::web::{Answer, Site, unescaped};
use archivista::archive::commit::Number;
use archivista::settings::users::Role;

fn mail(from: &str, subject: &str, size: usize) -> Vec<u8> {
    let body = "x".repeat(size);
    format!("From: {from}\r\nTo: chef@example.ch\r\nSubject: {subject}\r\nDate: Fri, 21 Nov 2025 10:00:00 +0100\r\n\r\n{body}\r\n")
        .into_bytes()
}

/// The numbers of a table, in its order.
fn numbers(answer: &Answer) -> Vec<Number> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    let boxes = text.split("name=\"number\" value=\"").skip(1);
    boxes.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

/// Where a link with this `rel` leads.
fn rel(answer: &Answer, rel: &str) -> Option<String> {
    answer.between(&format!("rel=\"{rel}\" href=\""), "\"").map(|address| unescaped(&address))
}

/// All pages from here on, following `rel`.
fn follow(site: &Site, cookie: &str, start: &str, direction: &str, each: &mut dyn FnMut()) -> Vec<Vec<Number>> {
    let mut pages = Vec::new();
    let mut next = Some(start.to_string());
    while let Some(address) = next {
        let page = site.get(Some(cookie), &address);
        pages.push(numbers(&page));
        next = rel(&page, direction);
        each();
        assert!(pages.len() < 100, "pages without end");
    }
    pages
}

#[test]
fn pages_are_complete_and_without_doubles_while_mail_arrives() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna", "office"]);
    let all = site.user("all", Role::Auditor, &[]);
    let mut own = Vec::new();
    for n in 0..130i64 {
        let raw = mail("a@example.ch", &format!("Nr. {n}"), 10);
        let mailbox = ["anna", "office", "beat"][usize::try_from(n % 3).unwrap()];
        // Times go up and down, and some are equal.
        let number = site.mail(mailbox, &raw, 1_700_000_000 + (n * 37) % 50);
        if mailbox != "beat" {
            own.push(number);
        }
        if n % 10 == 0 {
            // In two mailboxes that are read: one document all the same.
            site.mail("office", &raw, 5);
            if mailbox == "beat" {
                own.push(number);
            }
        }
    }
    for sort in ["/", "/?order=up", "/?sort=number", "/?sort=number&order=up", "/?sort=title", "/?sort=size&order=up"] {
        let mut arrived = 0;
        let mut arrive = || {
            arrived += 1;
            site.mail("anna", &mail("new@example.ch", &format!("new {sort} {arrived}"), 20), 1_800_000_000);
        };
        let pages = follow(&site, &anna, sort, "next", &mut arrive);
        let mut seen: Vec<Number> = pages.concat();
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "{sort}: a document comes twice");
        assert!(own.iter().all(|number| seen.contains(number)), "{sort}: a document is missing");
        // And back again.
        let start = format!("{sort}{}q=", if sort.contains('?') { "&" } else { "?" });
        let mut page = site.get(Some(&anna), &start);
        while let Some(next) = rel(&page, "next") {
            page = site.get(Some(&anna), &next);
        }
        let last = numbers(&page);
        let back = rel(&page, "prev").unwrap();
        let pages = follow(&site, &anna, &back, "prev", &mut || {});
        let mut all: Vec<Number> = pages.concat();
        all.extend(last);
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "{sort}: a document comes twice on the way back");
        assert!(own.iter().all(|number| all.contains(number)), "{sort}: a document is missing on the way back");
    }
    assert!(numbers(&site.get(Some(&all), "/?q=new&sort=number")).len() > 5);
}

#[test]
fn the_order_is_the_one_asked_for() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let b = site.mail("anna", &mail("Zora <z@example.ch>", "beta", 300), 3000);
    let c = site.mail("anna", &mail("Anna <a@example.ch>", "Gamma", 100), 1000);
    let a = site.mail("anna", &mail("mona@example.ch", "Alpha", 200), 2000);
    for (query, expected) in [
        ("", [b, a, c]),
        ("?order=up", [c, a, b]),
        ("?sort=number", [a, c, b]),
        ("?sort=number&order=up", [b, c, a]),
        ("?sort=title", [a, b, c]),
        ("?sort=title&order=down", [c, b, a]),
        ("?sort=from", [c, a, b]),
        ("?sort=size", [b, a, c]),
        ("?sort=size&order=up", [c, a, b]),
    ] {
        assert_eq!(numbers(&site.get(Some(&anna), &format!("/{query}"))), expected, "{query}");
    }
}

#[test]
fn searches_find_what_fits_and_mistakes_are_hints() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let one = site.mail("anna", &mail("Meier <meier@example.ch>", "Letzte Offerte", 1), 1_700_000_000);
    let two = site.mail("anna", &mail("Huber <huber@example.ch>", "Offerte, letzte", 1), 1_700_100_000);
    let plan = site.file(&anna, "plan-zurich.pdf", b"%PDF-1.7");
    // The same mail lies in a mailbox that anna does not read.
    site.mail("beat", &mail("Meier <meier@example.ch>", "Letzte Offerte", 1), 1_700_000_000);
    let find = |query: &str| {
        let page = site.get(Some(&anna), &format!("/?q={}", archivista::web::request::encode(query)));
        let mut found = numbers(&page);
        found.sort_unstable();
        (found, page.text().contains("class=\"hint"))
    };
    for (query, expected) in [
        ("offerte", vec![one, two]),
        ("\"letzte offerte\"", vec![one]),
        ("von:huber", vec![two]),
        ("from:meier subject:offerte", vec![one]),
        ("file:zurich", vec![plan]),
        ("mailbox:anna@example.ch", vec![one, two]),
        ("mailbox:beat", vec![]),
        ("folder:inbox", vec![one, two]),
        ("folder:uploads", vec![plan]),
        ("before:2023-11-15 offerte", vec![one]),
        ("nach:15.11.2023 offerte", vec![two]),
        ("gibtesnicht", vec![]),
    ] {
        assert_eq!(find(query), (expected, false), "{query}");
    }
    assert_eq!(find("before:gestern offerte"), (vec![one, two], true));
    assert_eq!(find("from: huber"), (vec![two], true));
    assert_eq!(find("\"letzte offerte"), (vec![one], true));
    for odd in ["<script>alert(1)</script>", "%", "\u{0}", &"a ".repeat(3000)] {
        let page = site.get(Some(&anna), &format!("/?q={}", archivista::web::request::encode(odd)));
        assert_eq!(page.status, 200);
        assert!(!page.text().contains("<script>alert"));
    }
}

#[test]
fn the_table_is_found_again_from_a_document() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    for n in 0..60 {
        site.mail("anna", &mail("a@example.ch", &format!("Nr. {n}"), 1), 1000 + n);
    }
    let first = site.get(Some(&anna), "/?q=nr&order=up");
    let second = rel(&first, "next").unwrap();
    let table = site.get(Some(&anna), &second);
    let row = table.between("<td class=\"title\"><a href=\"", "\"").map(|address| unescaped(&address)).unwrap();
    let document = site.get(Some(&anna), &row);
    assert_eq!(numbers(&document), numbers(&table), "the table stands beside the document");
    let back = document.between("<p class=\"back\"><a href=\"", "\"").map(|address| unescaped(&address)).unwrap();
    assert_eq!(back, second);
    let tab = document.between("<nav class=\"tabs\"", "</nav>").unwrap();
    assert!(tab.contains("/proof?list=1&amp;q=nr"), "{tab}");
}
