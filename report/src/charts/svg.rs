//! A builder of the few SVG elements that charts need. Elements have only classes; the page sets colours and fonts.

use crate::COLOURS;
use crate::escape::html;

/// Smallest scale of a drawing in a page: the smallest letters, of 13 pixels, are still readable at 11.
const SHRINK_MAX: f64 = 0.85;

/// Width of an average letter, in pixels: there is no font to measure with.
const LETTER: f64 = 7.0;

/// Estimated width of a text, in pixels.
pub(crate) fn text_width(text: &str) -> f64 {
    text.chars().map(|_| LETTER).sum()
}

/// Text cut to a width, with an ellipsis if it was cut.
pub(super) fn fitted(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let ends = text
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8());
    let fitting = ends.take_while(|end| text_width(&text[..*end]) + LETTER <= width);
    let end = fitting.last().unwrap_or(0);
    format!("{}…", text[..end].trim_end())
}

/// A finished drawing, or one under construction.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Description for readers who cannot see the drawing.
    label: String,
    body: String,
}

impl Drawing {
    pub(super) fn new(width: f64, height: f64, label: &str) -> Self {
        Drawing {
            width,
            height,
            label: label.into(),
            body: String::new(),
        }
    }

    /// The drawing as an element of a page; the page's style sheet sets its colours.
    pub(crate) fn inline(&self) -> String {
        format!(
            "<svg class=\"chart\" role=\"img\" style=\"min-width: {:.0}px\" viewBox=\"0 0 {:.0} {:.0}\" aria-label=\"{}\">{}</svg>",
            self.width * SHRINK_MAX,
            self.width,
            self.height.ceil(),
            html(&self.label),
            self.body
        )
    }

    /// Drawings side by side as a separate file, with the colours of the page.
    pub(crate) fn file(title: &str, drawings: &[Drawing]) -> String {
        const GAP: f64 = 40.0;
        const TITLE: f64 = 34.0;
        let height = drawings.iter().map(|one| one.height).fold(0.0, f64::max) + TITLE;
        let mut left = 0.0;
        let mut body = String::new();
        for one in drawings {
            let (label, drawing) = (html(&one.label), &one.body);
            body += &format!(
                r#"<g transform="translate({left:.0} {TITLE})"><title>{label}</title>{drawing}</g>"#
            );
            left += one.width + GAP;
        }
        let width = (left - GAP).max(0.0);
        let title = html(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" viewBox=\"0 0 {width:.0} {:.0}\" \
             aria-label=\"{title}\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif\">\
             <style>{}{}</style><rect width=\"100%\" height=\"100%\" fill=\"var(--page)\"/>\
             <text class=\"h\" x=\"8\" y=\"22\">{title}</text>{body}</svg>\n",
            height.ceil(),
            COLOURS,
            include_str!("../../templates/chart.css"),
        )
    }

    pub(super) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64)) {
        let [x, y, width, height] = [corner.0, corner.1, size.0, size.1].map(short);
        self.body += &format!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>"#
        );
    }

    pub(super) fn dot(&mut self, class: &str, centre: (f64, f64), radius: f64) {
        let (x, y) = (short(centre.0), short(centre.1));
        self.body += &format!(r#"<circle class="{class}" cx="{x}" cy="{y}" r="{radius}"/>"#);
    }

    /// A path through points; `closed` makes it an area.
    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)], closed: bool) {
        let points = points.iter();
        let points = points.map(|(x, y)| format!("{} {}", short(*x), short(*y)));
        let points = points.collect::<Vec<_>>().join("L");
        let end = if closed { "z" } else { "" };
        self.body += &format!(r#"<path class="{class}" d="M{points}{end}"/>"#);
    }

    /// Text that starts, ends or is centred at a point, depending on its class.
    pub(super) fn text(&mut self, class: &str, at: (f64, f64), text: &str) {
        let (x, y, text) = (short(at.0), short(at.1), html(text));
        self.body += &format!(r#"<text class="{class}" x="{x}" y="{y}">{text}</text>"#);
    }
}

/// A length, rounded to a tenth of a pixel.
fn short(length: f64) -> String {
    let written = format!("{length:.1}");
    written.strip_suffix(".0").unwrap_or(&written).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_to_its_width() {
        let cut = fitted("a very long title of a model", 90.0);
        assert!(cut.ends_with('…') && text_width(&cut) <= 90.0, "{cut}");
        assert_eq!(fitted("short", 90.0), "short");
        assert_eq!(fitted("ñandú ñandú", 24.0), "ña…");
    }
}
