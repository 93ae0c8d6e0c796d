//! The file formats of HdrHistogram: the interval log, and the percentiles that plotters read.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, LogIteratorError, Tag,
};

use crate::histograms::Histograms;
use crate::intervals::Interval;

/// Nanoseconds in a millisecond, the unit of the readable values in these files; the encoded histograms keep
/// nanoseconds.
const NS_PER_MS: f64 = 1e6;

/// Reporting levels for each halving of the distance to 100 %, the default of HdrHistogram's own tools.
const TICKS_PER_HALF: u32 = 5;

/// The part of an interval log (V2, compressed) for one interval: a line with tag `response` and one with tag `service`.
/// With the `url` of the load it begins with the header.
pub(crate) fn log(interval: &Interval, url: Option<&str>) -> Result<String, String> {
    let name = url.unwrap_or_default();
    let comment =
        format!("[hola load {name}, nanoseconds, intervals with tags response and service]");
    let opened_at = interval.started_at - interval.start;
    let [response, service, ..] = interval.histograms.named();
    let span = (interval.start, interval.length);
    let log = tagged_lines(&comment, opened_at, span, &[response, service])?;
    // The writer cannot leave out the lines of the header, which begin with `#`.
    let lines = log.split_inclusive('\n');
    Ok(lines
        .filter(|line| url.is_some() || !line.starts_with('#'))
        .collect())
}

/// All distributions of a window that opened at `opened_at`, as an interval log with one interval and a tag for each.
pub(crate) fn window(
    histograms: &Histograms,
    opened_at: SystemTime,
    length: Duration,
    url: &str,
) -> Result<String, String> {
    let comment = format!(
        "[hola load {url}, nanoseconds, the whole window with a tag for each distribution]"
    );
    let span = (Duration::ZERO, length);
    tagged_lines(&comment, opened_at, span, &histograms.named())
}

/// The distributions in the text of [`window`].
///
/// # Errors
/// Says what is missing or cannot be read.
pub(crate) fn read(log: &[u8]) -> Result<Histograms, String> {
    let mut histograms = Histograms::new();
    let mut expected: BTreeSet<&str> = histograms.named().map(|(name, _)| name).into();
    for entry in IntervalLogIterator::new(log) {
        let entry = entry.map_err(|LogIteratorError::ParseError { offset }| {
            format!("torn, or no log: byte {offset} cannot be read")
        })?;
        let LogEntry::Interval(interval) = entry else {
            continue;
        };
        let name = interval.tag().map_or("", |tag| tag.as_str());
        let mut named = histograms.named_mut().into_iter();
        let found = named.find(|(known, _)| *known == name && expected.remove(name));
        let (_, histogram) = found.ok_or_else(|| format!("unexpected distribution `{name}`"))?;
        let read = Histograms::decode(interval.encoded_histogram());
        histogram.auto(true);
        read.and_then(|read| histogram.add(read).ok())
            .ok_or_else(|| format!("torn: its distribution `{name}` cannot be read"))?;
    }
    match expected.first() {
        None => Ok(histograms),
        Some(name) => Err(format!("torn: it has no distribution `{name}`")),
    }
}

/// Histograms over one interval, a line for each, after the header of a log that begins at `opened_at`. The interval has
/// its start in the log, and its length.
fn tagged_lines(
    comment: &str,
    opened_at: SystemTime,
    (start, length): (Duration, Duration),
    histograms: &[(&str, &Histogram<u64>)],
) -> Result<String, String> {
    let (mut log, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment(comment)
        .with_start_time(opened_at)
        .with_base_time(opened_at)
        .with_max_value_divisor(NS_PER_MS)
        .begin_log_with(&mut log, &mut serializer)
        .map_err(|error| error.to_string())?;
    for (tag, histogram) in histograms {
        writer
            .write_histogram(histogram, start, length, Tag::new(tag))
            .map_err(|error| error.to_string())?;
    }
    Ok(String::from_utf8_lossy(&log).into_owned())
}

/// The percentiles of a histogram of nanoseconds, in milliseconds: four columns and a footer.
#[allow(clippy::cast_precision_loss)] // an hour of nanoseconds is exact in a double
pub(crate) fn percentiles(histogram: &Histogram<u64>) -> String {
    let ms = |ns: f64| ns / NS_PER_MS;
    let mut table = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut total = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        total += step.count_since_last_iteration();
        let value = ms(step.value_iterated_to().min(histogram.max()) as f64);
        let quantile = step.quantile_iterated_to();
        let inverse = if quantile < 1.0 {
            format!("{:.2}", 1.0 / (1.0 - quantile))
        } else {
            "inf".to_owned()
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{value:12.3} {quantile:14.12} {total:10} {inverse:>14}"
        );
    }
    let sub_buckets = 2 * histogram.distinct_values() / (usize::from(histogram.buckets()) + 1);
    let _ = write!(
        table,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n\
         #[Max     = {:12.3}, Total count    = {:12}]\n\
         #[Buckets = {:12}, SubBuckets     = {:12}]\n",
        ms(histogram.mean()),
        ms(histogram.stdev()),
        ms(histogram.max() as f64),
        histogram.len(),
        histogram.buckets(),
        sub_buckets
    );
    table
}
