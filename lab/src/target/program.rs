//! Where a target's program is.

use std::path::PathBuf;

/// Folders of server programs that only root has in its `PATH`.
const PATHS_OF_ROOT: &[&str] = &["/usr/local/sbin", "/usr/sbin"];

/// Finds a program's file in `PATH`, as a shell does, then in root's folders.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(PATHS_OF_ROOT.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
