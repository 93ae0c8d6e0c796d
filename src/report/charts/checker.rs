//! What every chart must keep, whatever it shows: all of it inside the drawing, and no text over another.

use super::svg::{TEXT_SIZE, text_width};

/// Longer than any model's title.
pub(super) const LONG_TITLE: &str =
    "An & asynchronous <hand-made> event loop on every core, its threads made at the start";

/// Half of the last digit that is written: what rounding may do.
const ROUNDING: f64 = 0.11;

/// Where a part of a drawing is, in pixels.
#[derive(Debug)]
struct Place {
    /// The element, for the message.
    what: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Place {
    fn around(what: &str, corners: &[(f64, f64)]) -> Self {
        let xs = || corners.iter().map(|corner| corner.0);
        let ys = || corners.iter().map(|corner| corner.1);
        Self {
            what: what.to_owned(),
            left: xs().fold(f64::INFINITY, f64::min),
            right: xs().fold(f64::NEG_INFINITY, f64::max),
            top: ys().fold(f64::INFINITY, f64::min),
            bottom: ys().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    fn is_inside(&self, other: &Place) -> bool {
        self.left >= other.left - ROUNDING
            && self.right <= other.right + ROUNDING
            && self.top >= other.top - ROUNDING
            && self.bottom <= other.bottom + ROUNDING
    }

    fn overlaps(&self, other: &Place) -> bool {
        self.left < other.right - ROUNDING
            && other.left < self.right - ROUNDING
            && self.top < other.bottom - ROUNDING
            && other.top < self.bottom - ROUNDING
    }
}

/// Checks that a drawing is well formed, that all of it is inside its view box and that no two texts overlap.
pub(super) fn assert_readable(svg: &str) {
    let elements: Vec<&str> = svg.split('<').skip(1).collect();
    let groups = |start: &str| elements.iter().filter(|one| one.starts_with(start)).count();
    assert_eq!(groups("g "), groups("/g>"), "groups are closed:\n{svg}");

    let size = numbers_of(attribute(elements[0], "viewBox").expect("a view box"));
    let all = Place::around("the drawing", &[(0.0, 0.0), (size[2], size[3])]);
    let mut texts: Vec<Place> = Vec::new();
    for element in elements {
        let Some(place) = place(element) else {
            continue;
        };
        assert!(place.is_inside(&all), "{} is outside {all:?}", place.what);
        if !element.starts_with("text ") {
            continue;
        }
        for other in &texts {
            assert!(!place.overlaps(other), "{} overlaps {other:?}", place.what);
        }
        texts.push(place);
    }
    assert!(!texts.is_empty(), "a drawing without a word:\n{svg}");
}

/// The texts of a drawing, in the order drawn.
pub(super) fn texts(svg: &str) -> Vec<String> {
    let elements = svg
        .split('<')
        .filter(|element| element.starts_with("text "));
    elements.map(content).collect()
}

fn place(element: &str) -> Option<Place> {
    let (name, _) = element.split_once(' ')?;
    let number = |name: &str| -> f64 {
        let value = attribute(element, name).expect("an attribute");
        value.parse().expect("a number")
    };
    let corners = match name {
        "text" => return Some(place_of_text(element, (number("x"), number("y")))),
        "rect" => {
            let (x, y) = (number("x"), number("y"));
            vec![(x, y), (x + number("width"), y + number("height"))]
        }
        "circle" => {
            let (x, y, radius) = (number("cx"), number("cy"), number("r"));
            vec![(x - radius, y - radius), (x + radius, y + radius)]
        }
        "path" => stations(attribute(element, "d").expect("data")),
        _ => return None,
    };
    Some(Place::around(element.trim_end(), &corners))
}

fn place_of_text(element: &str, (x, y): (f64, f64)) -> Place {
    let text = content(element);
    let width = text_width(&text);
    let class = attribute(element, "class").unwrap_or_default();
    let left = match class.rsplit(' ').next() {
        Some("middle") => x - width / 2.0,
        Some("end") => x - width,
        _ => x,
    };
    // Letters of common fonts reach so far above and below the line they stand on.
    let (top, bottom) = (y - 0.8 * TEXT_SIZE, y + 0.25 * TEXT_SIZE);
    Place::around(&text, &[(left, top), (left + width, bottom)])
}

fn content(element: &str) -> String {
    let (_, text) = element.split_once('>').expect("an end of the tag");
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = element.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The places that a path goes through, by the few commands that are in use.
fn stations(data: &str) -> Vec<(f64, f64)> {
    let letters = data.match_indices(char::is_alphabetic);
    let commands: Vec<usize> = letters.map(|(place, _)| place).collect();
    let ends = commands.iter().skip(1).copied().chain([data.len()]);
    let mut here = (0.0, 0.0);
    let mut stations = Vec::new();
    for (begin, end) in commands.iter().zip(ends) {
        let (command, numbers) = data[*begin..end].split_at(1);
        here = match (command, &numbers_of(numbers)[..]) {
            ("M", &[x, y]) => (x, y),
            ("l", &[right, down]) => (here.0 + right, here.1 + down),
            ("h", &[right]) => (here.0 + right, here.1),
            ("v", &[down]) => (here.0, here.1 + down),
            ("Z", []) => continue,
            _ => panic!("{command}{numbers} in {data}"),
        };
        stations.push(here);
    }
    stations
}

/// Numbers, of which a sign may be all that parts one from the last.
fn numbers_of(text: &str) -> Vec<f64> {
    let spaced = text.replace('-', " -");
    let numbers = spaced.split([' ', ',']);
    numbers
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().expect("a number"))
        .collect()
}

#[test]
#[should_panic(expected = "overlaps")]
fn a_text_over_another_is_found() {
    assert_readable(
        "<svg viewBox=\"0 0 100 40\"><text x=\"10.0\" y=\"20.0\">one</text>\
         <text class=\"label middle\" x=\"30.0\" y=\"28.0\">two</text></svg>",
    );
}

#[test]
#[should_panic(expected = "is outside")]
fn a_text_that_is_cut_is_found() {
    assert_readable("<svg viewBox=\"0 0 100 40\"><text x=\"90.0\" y=\"20.0\">one</text></svg>");
}
