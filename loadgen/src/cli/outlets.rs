//! The files a task writes, created before it starts.

use std::cell::{RefCell, RefMut};
use std::fs::{self, File};
use std::io::{self, LineWriter, Write};
use std::path::{Path, PathBuf};

use super::Output;

/// Where results go. Nothing that exists is ever overwritten.
pub(super) struct Outlets {
    result: RefCell<Outlet<Box<dyn Write>>>,
    hlog: Option<RefCell<LineWriter<File>>>,
    hgrm: Option<RefCell<Outlet<File>>>,
}

struct Outlet<W> {
    name: String,
    writer: W,
}

impl<W: Write> Outlet<W> {
    fn write(&mut self, text: &str) -> Result<(), String> {
        self.writer
            .write_all(text.as_bytes())
            .and_then(|()| self.writer.flush())
            .map_err(|error| format!("cannot write the result to {}: {error}", self.name))
    }
}

impl Outlets {
    /// Creates the files that `output` names; when one of them cannot be created, none stays behind.
    pub(super) fn create(output: &Output) -> Result<Self, String> {
        let mut created = Vec::new();
        let opened = Self::open(output, &mut created);
        if opened.is_err() {
            for path in created {
                // It is empty and ours; if it cannot be removed, the reason of the failure is still the other file.
                let _ = fs::remove_file(path);
            }
        }
        opened
    }

    fn open(output: &Output, created: &mut Vec<PathBuf>) -> Result<Self, String> {
        let mut create = |path: &Path| {
            let file = File::create_new(path)
                .map_err(|error| format!("cannot create {}: {error}", path.display()))?;
            created.push(path.to_owned());
            Ok::<_, String>((path.display().to_string(), file))
        };
        let result = match &output.file {
            None => Outlet {
                name: "standard output".to_owned(),
                writer: Box::new(io::stdout()) as Box<dyn Write>,
            },
            Some(path) => {
                let (name, file) = create(path)?;
                Outlet {
                    name,
                    writer: Box::new(file) as Box<dyn Write>,
                }
            }
        };
        let hlog = output.hlog.as_deref().map(&mut create).transpose()?;
        let hgrm = output.hgrm.as_deref().map(&mut create).transpose()?;
        Ok(Self {
            result: RefCell::new(result),
            hlog: hlog.map(|(_, file)| RefCell::new(LineWriter::new(file))),
            hgrm: hgrm.map(|(name, writer)| RefCell::new(Outlet { name, writer })),
        })
    }

    /// Writes part of the result, and sees to it that it arrives.
    pub(super) fn write(&self, text: &str) -> Result<(), String> {
        self.result.borrow_mut().write(text)
    }

    /// The interval log, if there is one.
    pub(super) fn hlog(&self) -> Option<RefMut<'_, LineWriter<File>>> {
        self.hlog.as_ref().map(RefCell::borrow_mut)
    }

    /// Writes the percentile file, if there is one.
    pub(super) fn write_hgrm(&self, text: &str) -> Result<(), String> {
        self.hgrm
            .as_ref()
            .map_or(Ok(()), |outlet| outlet.borrow_mut().write(text))
    }
}
