//! The time of day as HTTP writes it, formatted once a second.

use std::cell::Cell;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::conversation::http::Date;

thread_local! {
    static LAST: Cell<(u64, Date)> = const { Cell::new((u64::MAX, [b' '; 29])) };
}

/// The current IMF-fixdate. Each thread remembers its last one, so nothing is shared and nothing is locked.
pub(crate) fn http_date() -> Date {
    let now = SystemTime::now();
    let second = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (last_second, last) = LAST.get();
    if second == last_second {
        return last;
    }
    let mut date: Date = [b' '; 29];
    // An IMF-fixdate always fills its 29 octets; a clock set beyond the year 9999 leaves them blank.
    let _ = write!(date.as_mut_slice(), "{}", httpdate::fmt_http_date(now));
    LAST.set((second, date));
    date
}
