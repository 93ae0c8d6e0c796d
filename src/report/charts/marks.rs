//! What several charts draw alike: lines and markers of a series, dots and whiskers.

use super::svg::{Svg, through};

/// Colours of the page's palette; told apart by people with any colour vision.
const COLOURS: usize = 8;

/// Dashes of the page's style sheet, the first of them none. With seven markers, colour, dash and marker repeat together only
/// after 280 models.
const DASHES: usize = 5;

const MARKERS: usize = 7;

/// Numbers of shapes that mean something by themselves.
pub(super) const DISC: usize = 0;
pub(super) const SQUARE: usize = 1;
pub(super) const DIAMOND: usize = 3;

/// Radius of a dot that stands for a trial, in pixels.
pub(super) const DOT: f64 = 3.2;

/// Width of a line that stands for a series in a legend, in pixels.
pub(super) const SAMPLE: f64 = 34.0;

/// Class of a series' colour.
pub(super) fn colour(number: usize) -> String {
    format!("c{}", number % COLOURS)
}

/// A series' line through places.
pub(super) fn line(svg: &mut Svg, number: usize, places: &[(f64, f64)]) {
    let class = match number % DASHES {
        0 => format!("series {}", colour(number)),
        dash => format!("series {} d{dash}", colour(number)),
    };
    svg.path(&class, &through(places));
}

/// The area inside places, in a series' colour.
pub(super) fn area(svg: &mut Svg, number: usize, places: &[(f64, f64)]) {
    let class = format!("band {}", colour(number));
    svg.path(&class, &(through(places) + "Z"));
}

/// A series' marker at a place.
pub(super) fn marker(svg: &mut Svg, number: usize, at: (f64, f64)) {
    shape(svg, &format!("marker {}", colour(number)), number, at);
}

/// A series in a legend: a piece of its line with its marker.
pub(super) fn sample(svg: &mut Svg, number: usize, (x, y): (f64, f64)) {
    line(svg, number, &[(x, y), (x + SAMPLE, y)]);
    marker(svg, number, (x + SAMPLE / 2.0, y));
}

/// One of the shapes that markers have, by number.
pub(super) fn shape(svg: &mut Svg, class: &str, number: usize, (x, y): (f64, f64)) {
    const SIZE: f64 = 4.5;
    let corners: &[(f64, f64)] = match number % MARKERS {
        DISC => return svg.circle(class, (x, y), SIZE),
        SQUARE => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        2 => &[(0.0, -1.2), (1.1, 0.9), (-1.1, 0.9)],
        DIAMOND => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        4 => &[(0.0, 1.2), (1.1, -0.9), (-1.1, -0.9)],
        5 => &[(-1.3, -0.5), (1.3, -0.5), (1.3, 0.5), (-1.3, 0.5)],
        _ => &[(-0.5, -1.3), (0.5, -1.3), (0.5, 1.3), (-0.5, 1.3)],
    };
    let corners: Vec<(f64, f64)> = corners
        .iter()
        .map(|(right, down)| (x + right * SIZE, y + down * SIZE))
        .collect();
    svg.path(class, &(through(&corners) + "Z"));
}

/// An interval that lies, with both its ends marked.
pub(super) fn whisker(svg: &mut Svg, from: f64, to: f64, y: f64) {
    open_whisker(svg, (from, false), (to, false), y);
}

/// An interval that lies; where an end is open, an arrow says that it goes on.
pub(super) fn open_whisker(svg: &mut Svg, from: (f64, bool), to: (f64, bool), y: f64) {
    let mut lines = vec![((from.0, y), (to.0, y))];
    for ((x, is_open), inwards) in [(from, 1.0), (to, -1.0)] {
        if is_open {
            let behind = x + 7.0 * inwards;
            lines.extend([((behind, y - 5.0), (x, y)), ((behind, y + 5.0), (x, y))]);
        } else {
            lines.push(((x, y - 5.0), (x, y + 5.0)));
        }
    }
    // A pale line below the dark one keeps it visible on every bar.
    for class in ["halo", "whisker"] {
        svg.lines(class, &lines);
    }
}

/// Where the dot of a trial lies across its row, 0…1: spread by the golden ratio, so that equal values stay apart and
/// every build draws the same.
pub(super) fn spread(number: u32) -> f64 {
    (f64::from(number) * 0.618_034 + 0.2).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOURS_OF_PAGE: &str = include_str!("../../../templates/colours.css");
    const STYLE: &str = include_str!("../../../templates/chart.css");

    type Colour = [f64; 3];

    /// A colour of the page in each of its modes, light and dark.
    fn colours(name: &str) -> [Colour; 2] {
        let start = format!("--{name}: #");
        let mut modes = COLOURS_OF_PAGE.split(&start).skip(1);
        [(); 2].map(|()| {
            let rest = modes
                .next()
                .unwrap_or_else(|| panic!("no {name} in a mode"));
            [0..2, 2..4, 4..6].map(|part| {
                let part = u8::from_str_radix(&rest[part], 16).expect("hexadecimal digits");
                f64::from(part) / 255.0
            })
        })
    }

    /// Contrast of two colours, as WCAG 2 defines it.
    fn contrast(one: Colour, other: Colour) -> f64 {
        let luminance = |colour: Colour| {
            let [red, green, blue] = colour.map(|part| match part {
                dark if dark <= 0.04045 => dark / 12.92,
                light => ((light + 0.055) / 1.055).powf(2.4),
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let ratio = luminance(one) / luminance(other);
        ratio.max(1.0 / ratio)
    }

    #[test]
    fn texts_on_every_colour_can_be_read() {
        let (_, tie) = STYLE
            .split_once(".cell.tie { fill-opacity: ")
            .expect("ties are pale");
        let (opacity, _) = tie.split_once(';').expect("an end");
        let opacity: f64 = opacity.parse().expect("a number");
        let (page, ink) = (colours("page"), colours("ink"));
        for number in 0..COLOURS {
            let own = colours(&format!("c{number}"));
            let on = colours(&format!("on{number}"));
            for mode in 0..2 {
                let full = contrast(own[mode], on[mode]);
                assert!(full >= 4.5, "c{number}: {full}");
                let pale: Colour = std::array::from_fn(|part| {
                    own[mode][part] * opacity + page[mode][part] * (1.0 - opacity)
                });
                let tied = contrast(pale, ink[mode]);
                assert!(tied >= 4.5, "c{number} in a tie: {tied}");
            }
        }
    }
}
