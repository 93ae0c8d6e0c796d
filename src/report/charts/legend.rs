//! Signs of a drawing and what they mean, in as many lines as its width asks for.

use super::svg::{Anchor, Svg, TEXT_SIZE, fitted, text_width};

/// From one line of a legend to the next, in pixels.
const LINE: f64 = 22.0;

/// Between a sign and its text, in pixels.
const GAP: f64 = 8.0;

/// A legend with all its entries placed.
#[derive(Debug)]
pub(super) struct Legend {
    entries: Vec<Entry>,
    lines: f64,
    sign_width: f64,
}

#[derive(Debug)]
struct Entry {
    series: Option<usize>,
    text: String,
    x: f64,
    line: f64,
}

impl Legend {
    /// Places entries, each with the series it stands for, if for any; a sign and a line are so many pixels wide.
    pub(super) fn new<'a>(
        entries: impl IntoIterator<Item = (Option<usize>, &'a str)>,
        sign_width: f64,
        available: f64,
    ) -> Self {
        let entries: Vec<(Option<usize>, String)> = entries
            .into_iter()
            .map(|(series, text)| (series, fitted(text, available - sign_width - GAP)))
            .collect();
        let widths: Vec<f64> = entries
            .iter()
            .map(|(_, text)| sign_width + GAP + text_width(text))
            .collect();
        let (places, lines) = flow(&widths, available);
        let placed = entries
            .into_iter()
            .zip(places)
            .map(|((series, text), (x, line))| Entry {
                series,
                text,
                x,
                line,
            });
        Self {
            entries: placed.collect(),
            lines,
            sign_width,
        }
    }

    pub(super) fn height(&self) -> f64 {
        self.lines * LINE
    }

    /// Draws it; `sign` draws that of each entry, by place, from a point in the middle of its left side.
    pub(super) fn draw(
        &self,
        svg: &mut Svg,
        corner: (f64, f64),
        mut sign: impl FnMut(&mut Svg, usize, (f64, f64)),
    ) {
        for (place, entry) in self.entries.iter().enumerate() {
            let x = corner.0 + entry.x;
            let y = corner.1 + (entry.line + 0.5) * LINE;
            let mut both = |svg: &mut Svg| {
                sign(svg, place, (x, y));
                let at = (x + self.sign_width + GAP, y + TEXT_SIZE / 3.0);
                svg.text("label", at, Anchor::Start, &entry.text);
            };
            match entry.series {
                Some(series) => svg.entry(series, both),
                None => both(svg),
            }
        }
    }
}

/// Places entries in lines that fit a width: the x of each and its line, from 0; and the number of lines.
fn flow(widths: &[f64], available: f64) -> (Vec<(f64, f64)>, f64) {
    const BETWEEN: f64 = 18.0;
    let (mut x, mut line) = (0.0, 0.0);
    let mut places = Vec::new();
    for width in widths {
        if x > 0.0 && x + width > available {
            (x, line) = (0.0, line + 1.0);
        }
        places.push((x, line));
        x += width + BETWEEN;
    }
    (places, line + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_breaks_into_lines() {
        let (places, lines) = flow(&[50.0, 50.0, 50.0], 130.0);
        assert_eq!(places, [(0.0, 0.0), (68.0, 0.0), (0.0, 1.0)]);
        assert_eq!(lines, 2.0);
    }
}
