//! The recovery sheet as somebody sees it who has it shown.

use std::collections::BTreeSet;

/// What stands between two marks, the first time.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {text}"));
    rest.split(end).next().unwrap()
}

/// The words of a sheet, in their order.
pub fn words(page: &str) -> Vec<String> {
    let list = between(page, "<ol class=\"words\">", "</ol>");
    list.split("<li>").skip(1).map(|item| item.split('<').next().unwrap().to_owned()).collect()
}

/// The numbers of the words that a page asks for, from 1.
pub fn asked(page: &str) -> Vec<usize> {
    page.split(">Word ").skip(1).map(|rest| rest.split('<').next().unwrap().parse().unwrap()).collect()
}

/// What a phone reads from the picture of a sheet.
pub fn scanned(page: &str) -> String {
    const ENLARGED: usize = 4;
    let svg = between(page, "<svg class=\"qr\"", "</svg>");
    let view: Vec<i32> = between(svg, "viewBox=\"", "\"").split(' ').map(|number| number.parse().unwrap()).collect();
    let [left, top, width, height] = view[..] else { panic!("{view:?}") };
    let dark: BTreeSet<(i32, i32)> = between(svg, " d=\"", "\"")
        .split('M')
        .skip(1)
        .map(|module| module.split('h').next().unwrap().split_once(' ').unwrap())
        .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
        .collect();
    let pixels = |modules: i32| usize::try_from(modules).unwrap() * ENLARGED;
    let module = |pixel: usize, first: i32| first + i32::try_from(pixel / ENLARGED).unwrap();
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(pixels(width), pixels(height), |x, y| {
        if dark.contains(&(module(x, left), module(y, top))) { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "codes in the picture");
    grids[0].decode().unwrap().1
}
