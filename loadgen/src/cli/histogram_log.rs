//! The file formats of HdrHistogram: the interval log, and the percentiles that plotters read.

use std::error::Error;
use std::fmt::Write as _;
use std::io::LineWriter;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriter, IntervalLogWriterBuilder, Tag};

use super::sink::Sink;
use crate::intervals::Interval;

/// Nanoseconds in a millisecond, the unit of the readable values in these files; the encoded histograms keep
/// nanoseconds.
const NS_PER_MS: f64 = 1e6;

/// Reporting levels for each halving of the distance to 100 %, the default of HdrHistogram's own tools.
const TICKS_PER_HALF: u32 = 5;

type Log<'file> = IntervalLogWriter<'file, 'file, LineWriter<Sink>, V2DeflateSerializer>;

/// An interval log (V2, compressed): a line with tag `response` and one with tag `service` for each interval.
pub(super) struct HistogramLog<'file> {
    comment: String,
    /// File and encoder, until the first interval tells when the window opened.
    unopened: Option<(&'file mut LineWriter<Sink>, &'file mut V2DeflateSerializer)>,
    log: Option<Log<'file>>,
}

impl<'file> HistogramLog<'file> {
    /// A log of a load on `url`; its file is created with the first interval.
    pub(super) fn new(
        file: &'file mut LineWriter<Sink>,
        serializer: &'file mut V2DeflateSerializer,
        url: &str,
    ) -> Self {
        Self {
            comment: format!(
                "[hola load {url}, nanoseconds, intervals with tags response and service]"
            ),
            unopened: Some((file, serializer)),
            log: None,
        }
    }

    /// Writes one interval.
    ///
    /// # Errors
    /// The error if it could not be written; an error of the file names the file.
    pub(super) fn write(&mut self, interval: &Interval) -> Result<(), String> {
        if let Some((file, serializer)) = self.unopened.take() {
            let opened_at = interval.started_at - interval.start;
            let log = IntervalLogWriterBuilder::new()
                .add_comment(&self.comment)
                .with_start_time(opened_at)
                .with_base_time(opened_at)
                .with_max_value_divisor(NS_PER_MS)
                .begin_log_with(file, serializer)
                .map_err(|error| error.to_string())?;
            self.log = Some(log);
        }
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        let histograms = &interval.histograms;
        for (tag, histogram) in [
            ("response", &histograms.response),
            ("service", &histograms.service),
        ] {
            log.write_histogram(histogram, interval.start, interval.length, Tag::new(tag))
                .map_err(|error| innermost(&error))?;
        }
        Ok(())
    }
}

/// The innermost source of an error, which is the error of the file.
fn innermost(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

/// The percentiles of a histogram of nanoseconds, in milliseconds: four columns and a footer.
#[allow(clippy::cast_precision_loss)] // an hour of nanoseconds is exact in a double
pub(super) fn percentiles(histogram: &Histogram<u64>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_four_columns_in_milliseconds_that_end_with_the_maximum() {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for ms in 1..=100_u64 {
            histogram.record(ms * 1_000_000).unwrap();
        }
        let text = percentiles(&histogram);
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                line.split_whitespace()
                    .map(|cell| cell.parse().unwrap())
                    .collect()
            })
            .collect();
        assert!(rows.iter().all(|row| row.len() == 4), "{text}");
        assert!(rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] < b[1] && a[2] <= b[2]));
        for row in &rows {
            // The value is that of the sample counted last, which is the first at or next to the percentile's rank.
            assert!((row[0] / row[2] - 1.0).abs() < 0.002, "{row:?}");
            assert!(
                (0.0..=1.0).contains(&(row[2] - (row[1] * 100.0).floor())),
                "{row:?}"
            );
        }
        assert_eq!(rows.last().unwrap()[1..], [1.0, 100.0, f64::INFINITY]);
        assert!(text.contains("Total count    =          100]"), "{text}");
        assert!(text.contains("SubBuckets     =         2048]"), "{text}");
    }
}
