//! Where a task writes: its destinations, checked before the load starts.

use std::cell::{Cell, RefCell, RefMut};
use std::io::LineWriter;

use hola_base::output::{Reader, say};

use super::sink::Sink;
use super::{Format, Output};

/// The destinations of a task. If one of them fails, the measurement is not lost: the result then goes to standard
/// output, and the load continues without the log.
pub(super) struct Outputs {
    result: RefCell<Sink>,
    /// Whether the result is written in parts, as they come.
    in_parts: bool,
    hlog: Option<RefCell<LineWriter<Sink>>>,
    hgrm: Option<RefCell<Sink>>,
    /// Whether standard output still has a reader.
    reader: Cell<Reader>,
    /// Whether a write to a requested destination failed.
    failed: Cell<bool>,
}

impl Outputs {
    /// The destinations that `output` names.
    ///
    /// # Errors
    /// The error of the first destination that cannot be written: a measurement that cannot be kept is not worth
    /// making.
    pub(super) fn new(output: &Output) -> Result<Self, String> {
        let named = |path: &Option<_>| path.as_deref().map(Sink::at).transpose();
        let [file, hlog, hgrm] = [&output.file, &output.hlog, &output.hgrm].map(named);
        let (file, hlog, hgrm) = (file?, hlog?, hgrm?);
        all_differ([&file, &hlog, &hgrm])?;
        Ok(Self {
            result: RefCell::new(file.unwrap_or_else(Sink::stdout)),
            in_parts: output.format == Format::Ndjson,
            hlog: hlog.map(LineWriter::new).map(RefCell::new),
            hgrm: hgrm.map(RefCell::new),
            reader: Cell::new(Reader::Present),
            failed: Cell::new(false),
        })
    }

    /// Writes a part of the result if it comes in parts, or else the whole of it.
    ///
    /// # Errors
    /// The error of standard output.
    pub(super) fn write(&self, text: &str) -> Result<(), String> {
        let mut sink = self.result.borrow_mut();
        let written = if self.in_parts {
            sink.append(text.as_bytes())
        } else {
            sink.write_whole(text)
        };
        let reader = match written {
            Err(message) if !sink.is_stdout() => {
                self.report(&format!("{message}; the result goes to standard output"));
                *sink = Sink::stdout();
                sink.append(text.as_bytes())?
            }
            written => written?,
        };
        self.reader.set(reader);
        Ok(())
    }

    /// The interval log, if there is one.
    pub(super) fn hlog(&self) -> Option<RefMut<'_, LineWriter<Sink>>> {
        self.hlog.as_ref().map(RefCell::borrow_mut)
    }

    /// Writes the percentile file, if there is one.
    pub(super) fn write_hgrm(&self, text: &str) {
        if let Some(sink) = &self.hgrm
            && let Err(message) = sink.borrow_mut().write_whole(text)
        {
            self.report(&message);
        }
    }

    /// Reports at once that something could not be written, and remembers it for the exit code.
    pub(super) fn report(&self, message: &str) {
        say(format_args!("error: {message}"));
        self.failed.set(true);
    }

    /// Whether a write to a requested destination failed.
    pub(super) fn failed(&self) -> bool {
        self.failed.get()
    }

    /// Whether the program that read the result has closed its end of the pipe.
    pub(super) fn reader_has_gone(&self) -> bool {
        self.reader.get() == Reader::Gone
    }
}

/// Refuses two results in one new file.
fn all_differ(sinks: [&Option<Sink>; 3]) -> Result<(), String> {
    let mut files = Vec::new();
    for sink in sinks.into_iter().flatten() {
        if let Some(file) = sink.new_file() {
            if files.contains(&file) {
                return Err(format!("{} is named twice", sink.name()));
            }
            files.push(file);
        }
    }
    Ok(())
}
