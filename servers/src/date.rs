//! The time of day as HTTP writes it, formatted once a second.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::conversation::http::Date;
use crate::sys;

thread_local! {
    static ASKS_KERNEL: Cell<bool> = const { Cell::new(false) };
    static LAST: Cell<(u64, Date)> = const { Cell::new((u64::MAX, [b' '; 29])) };
}

/// From now on, this thread takes the time from a system call instead of the vdso(7), whose pages a process that was
/// forked for one client would have to map first.
pub(crate) fn ask_kernel_from_here_on() {
    ASKS_KERNEL.set(true);
}

/// The current IMF-fixdate. Each thread remembers its last one, so nothing is shared and nothing is locked.
pub(crate) fn http_date() -> Date {
    let second = if ASKS_KERNEL.get() {
        sys::seconds_from_kernel()
    } else {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    };
    let (last_second, last) = LAST.get();
    if second == last_second {
        return last;
    }
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
    // An IMF-fixdate has 29 bytes, up to the year 9999.
    let date = text.as_bytes().try_into().unwrap_or([b' '; 29]);
    LAST.set((second, date));
    date
}
