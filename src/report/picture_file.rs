//! A chart as a file of its own, for pages that show pictures and no markup of ours.

use crate::visible;

/// What follows here belongs to an SVG file but to no SVG inside HTML.
const NAMESPACE: &str = "xmlns=\"http://www.w3.org/2000/svg\" ";

const COLOURS: &str = include_str!("../../templates/colours.css");
const STYLE: &str = include_str!("../../templates/chart.css");
const FONT: &str =
    "text { font-family: system-ui, sans-serif; font-variant-numeric: tabular-nums; }";

/// The drawing of a chart with the style sheet that the page gives it; dark where the reader's system is.
pub(super) fn of(svg: &str) -> String {
    let (tag, rest) = svg.split_once('>').unwrap_or((svg, ""));
    let tag = tag.replacen("<svg ", &format!("<svg {NAMESPACE}"), 1);
    let file = format!("{tag}>\n<style>\n{COLOURS}{STYLE}{FONT}\n</style>{rest}\n");
    visible::lines(&file).into_owned()
}
