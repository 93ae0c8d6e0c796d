//! Settings of this process: its CPUs, its limit on open files, and the parent that it ends with.

use std::fmt;
use std::str::FromStr;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};
use thiserror::Error;

/// A list of CPUs, written `0,2-3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpus(Vec<usize>);

impl Cpus {
    /// Their numbers.
    pub fn numbers(&self) -> &[usize] {
        &self.0
    }

    /// Pins this thread, and the threads and processes that it starts, to these CPUs.
    ///
    /// # Errors
    /// Returns the list and the reason if sched_setaffinity(2) fails or this process may not use one of these CPUs.
    pub fn run_on(&self) -> Result<(), String> {
        let mut set = CpuSet::new();
        for &cpu in &self.0 {
            set.set(cpu)
                .map_err(|errno| format!("{self}: {}", errno.desc()))?;
        }
        let this_thread = Pid::from_raw(0);
        match sched_setaffinity(this_thread, &set) {
            Ok(()) => {}
            Err(Errno::EINVAL) => {
                return Err(format!("{self}: this process may use none of these CPUs"));
            }
            Err(errno) => return Err(format!("{self}: sched_setaffinity: {}", errno.desc())),
        }
        // The kernel ignores CPUs that do not exist if at least one CPU of the list exists.
        let Ok(granted) = sched_getaffinity(this_thread) else {
            return Ok(());
        };
        let is_missing = |cpu: &&usize| !granted.is_set(**cpu).unwrap_or(false);
        match self.0.iter().find(is_missing) {
            Some(missing) => Err(format!("{self}: this process may not use CPU {missing}")),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Cpus {
    /// As a list that can be parsed again.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(usize::to_string).collect();
        formatter.write_str(&numbers.join(","))
    }
}

impl From<&[usize]> for Cpus {
    fn from(cpus: &[usize]) -> Self {
        Cpus(cpus.to_vec())
    }
}

impl FromStr for Cpus {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse::<usize>()
                .ok()
                .filter(|&cpu| cpu < CpuSet::count())
                .ok_or_else(|| {
                    format!("`{text}` is not a CPU number; write a list such as 0 or 0,2-3")
                })
        };
        let mut cpus = Vec::new();
        for part in list.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(format!("`{part}` counts down; write {last}-{first}"));
            }
            cpus.extend(first..=last);
        }
        Ok(Cpus(cpus))
    }
}

/// Asks the kernel to kill this process when `parent`, which started it, ends.
///
/// # Errors
/// Returns the reason if prctl(2) fails or the parent has already ended.
pub fn end_with(parent: i32) -> Result<(), String> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)
        .map_err(|errno| format!("prctl: {}", errno.desc()))?;
    // The parent may have ended before that call.
    if getppid() != Pid::from_raw(parent) {
        return Err(format!("its starter, process {parent}, is gone"));
    }
    Ok(())
}

/// The limit on open files could not be raised.
#[derive(Debug, Error)]
#[error("cannot raise the limit on open files: {}; going on with {left}", errno.desc())]
pub struct LimitRefused {
    /// The limit that remains in force.
    pub left: u32,
    errno: Errno,
}

/// Raises this process's soft limit on open files to the hard limit, and returns the new limit.
///
/// # Errors
/// [`LimitRefused`]; the program can go on with the old limit.
pub fn raise_descriptor_limit() -> Result<u32, LimitRefused> {
    /// Linux's initial limit of a process (`INR_OPEN_CUR`), used if getrlimit(2) fails.
    const USUAL: rlim_t = 1024;
    let number = |limit: rlim_t| u32::try_from(limit).unwrap_or(u32::MAX);
    let refused = |limit, errno| LimitRefused {
        left: number(limit),
        errno,
    };
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|errno| refused(USUAL, errno))?;
    if soft != hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_err(|errno| refused(soft, errno))?;
    }
    Ok(number(hard))
}

/// As [`raise_descriptor_limit`], but returns the old limit if it cannot be raised.
pub fn descriptor_limit() -> u64 {
    raise_descriptor_limit()
        .unwrap_or_else(|refused| refused.left)
        .into()
}

#[cfg(test)]
mod tests {
    use super::Cpus;

    #[test]
    fn reads_lists_of_cpus() {
        assert_eq!("0".parse(), Ok(Cpus(vec![0])));
        assert_eq!("0,2-4".parse(), Ok(Cpus(vec![0, 2, 3, 4])));
        for bad in ["", "x", "1-", "3-1", "0,,1", "999999"] {
            assert!(bad.parse::<Cpus>().is_err(), "{bad:?}");
        }
    }
}
