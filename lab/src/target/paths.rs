//! Where the files that targets need are.

use std::path::{Path, PathBuf};

/// The folder of `targets.toml`: that of the source tree that this program was built from. A program that is built to be
/// given away names another (`HOLA_SCRIPTS` in the environment of its build), since what it starts must not depend on
/// who may write to the builder's path on the user's machine.
const SCRIPTS: &str = match option_env!("HOLA_SCRIPTS") {
    Some(folder) => folder,
    None => concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts"),
};

/// Paths of the files that targets need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetPaths {
    /// The `hola` program, which supervises targets; an example of its build may be a target itself.
    pub hola: PathBuf,
    /// The folder of `targets.toml`.
    pub scripts: PathBuf,
}

impl TargetPaths {
    /// The paths in the source tree that this program was built from, or in the folder that its build named instead.
    pub fn with_source_tree(hola: &Path) -> Self {
        TargetPaths {
            hola: hola.to_owned(),
            scripts: SCRIPTS.into(),
        }
    }

    pub(super) fn reference(&self) -> PathBuf {
        self.scripts.join("reference")
    }

    /// The folder of what `scripts/reference/install` gets beside the system's packages.
    pub(super) fn installed(&self) -> PathBuf {
        self.reference().join(".installed")
    }

    /// The folder of the programs that cargo has built.
    pub(super) fn programs(&self) -> &Path {
        self.hola.parent().unwrap_or(Path::new("."))
    }
}
