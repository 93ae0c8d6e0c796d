//! A builder of the few SVG elements that charts need. Colours and fonts are the page's: elements carry classes only.

use std::fmt::Write;

use super::Frame;

/// Size of text, in pixels; the page's style sheet says the same.
pub(super) const TEXT_SIZE: f64 = 13.0;

/// Widest average letter of system fonts, in ems: no font is at hand to measure with.
const LETTER_EM: f64 = 0.56;

/// Width that text needs at most, in pixels.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * TEXT_SIZE * LETTER_EM
}

/// Text cut to a width, with an ellipsis where something is missing.
pub(super) fn fitted(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for letter in text.chars() {
        cut.push(letter);
        if text_width(&cut) > width - TEXT_SIZE {
            break;
        }
    }
    cut.pop();
    format!("{}…", cut.trim_end())
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing under construction.
#[derive(Debug)]
pub(super) struct Svg {
    text: String,
}

impl Svg {
    /// Begins a drawing that a screen reader announces by title and description; `id` must be unique in the page.
    pub(super) fn new(frame: Frame, height: f64, id: &str, title: &str, description: &str) -> Self {
        let Frame { name, width } = frame;
        let mut svg = Self {
            text: String::new(),
        };
        svg.put(format_args!(
            "<svg class=\"chart {name}\" role=\"img\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             aria-labelledby=\"{id}-{name}-title {id}-{name}-desc\">\n\
             <title id=\"{id}-{name}-title\">{}</title>\n<desc id=\"{id}-{name}-desc\">{}</desc>\n",
            escape(title),
            escape(description),
        ));
        svg
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.put(format_args!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>\n",
            from.0, from.1, to.0, to.1
        ));
    }

    pub(super) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64)) {
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\n",
            corner.0,
            corner.1,
            size.0.max(0.0),
            size.1.max(0.0)
        ));
    }

    pub(super) fn circle(&mut self, class: &str, centre: (f64, f64), radius: f64) {
        self.put(format_args!(
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\"/>\n",
            centre.0, centre.1
        ));
    }

    /// A path by its data, such as `M0,0L10,5`, with dashes such as `6 3` or none.
    pub(super) fn path(&mut self, class: &str, data: &str, dashes: &str) {
        let dashes = match dashes {
            "" => String::new(),
            _ => format!(" stroke-dasharray=\"{dashes}\""),
        };
        self.put(format_args!(
            "<path class=\"{class}\" d=\"{data}\"{dashes}/>\n"
        ));
    }

    pub(super) fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.put(format_args!(
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
            at.0,
            at.1,
            escape(text)
        ));
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(element);
    }
}

/// Places entries of a legend in lines that fit a width: the x of each and its line, from 0; and the number of lines.
pub(super) fn flow(widths: &[f64], available: f64) -> (Vec<(f64, f64)>, f64) {
    const GAP: f64 = 18.0;
    let (mut x, mut line) = (0.0, 0.0);
    let mut places = Vec::new();
    for width in widths {
        if x > 0.0 && x + width > available {
            (x, line) = (0.0, line + 1.0);
        }
        places.push((x, line));
        x += width + GAP;
    }
    (places, line + 1.0)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_to_its_width() {
        let cut = fitted("a very long title of a model", 90.0);
        assert!(cut.ends_with('…') && text_width(&cut) <= 90.0, "{cut}");
        assert_eq!(fitted("short", 90.0), "short");
    }

    #[test]
    fn a_legend_breaks_into_lines() {
        let (places, lines) = flow(&[50.0, 50.0, 50.0], 130.0);
        assert_eq!(places, [(0.0, 0.0), (68.0, 0.0), (0.0, 1.0)]);
        assert_eq!(lines, 2.0);
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            escape("<b a=\"1\">&'"),
            "&lt;b a=&quot;1&quot;&gt;&amp;&#39;"
        );
    }
}
