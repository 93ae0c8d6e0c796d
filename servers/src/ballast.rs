//! Memory that a server holds for nothing, so that a fork has more page tables to copy.

use std::io;

use crate::context::ErrorContext;

/// Touches that much memory and keeps it, as `hola serve --ballast` does: a fork has to copy its page tables.
///
/// # Errors
/// Returns `OutOfMemory`, with the name of the option, if there is not enough memory.
pub fn keep(bytes: u64) -> io::Result<()> {
    let mut ballast: Vec<u8> = Vec::new();
    let size = usize::try_from(bytes).ok();
    let Some(size) = size.filter(|&size| ballast.try_reserve_exact(size).is_ok()) else {
        return Err(io::Error::from(io::ErrorKind::OutOfMemory))
            .context(|| format!("--ballast {bytes}"));
    };
    ballast.resize(size, 1);
    ballast.leak();
    Ok(())
}
