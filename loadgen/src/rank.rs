//! One of several that share something evenly: a thread of a process, or a process of a load.

/// Rank `index` of `count`. Of things in a row it takes those whose number, counted from zero, leaves the remainder
/// `index` when divided by `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    index: u64,
    count: u64,
}

impl Rank {
    /// The only one, which takes everything.
    pub const ONLY: Self = Self { index: 0, count: 1 };

    /// Rank `index` of `count`; `None` unless `index` is less than `count`.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        let (index, count) = (u64::from(index), u64::from(count));
        (index < count).then_some(Self { index, count })
    }

    /// Every rank of `count`.
    pub fn all(count: u32) -> impl Iterator<Item = Self> {
        (0..count).filter_map(move |index| Self::new(index, count))
    }

    /// Its number, from zero.
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many there are.
    pub fn count(self) -> u64 {
        self.count
    }

    /// How many of `total` things it takes. The first few ranks may take one more; the shares add up to `total`.
    pub fn share(self, total: u64) -> u64 {
        total.saturating_sub(self.index).div_ceil(self.count)
    }

    /// As [`Rank::share`], of fewer things.
    pub(crate) fn share_of(self, total: u32) -> u32 {
        // A share is no more than the total.
        u32::try_from(self.share(u64::from(total))).unwrap_or(u32::MAX)
    }

    /// The rank whose things are those that `part` takes of the things of this one.
    pub(crate) fn divided(self, part: Self) -> Self {
        Self {
            index: self.index + self.count * part.index,
            count: self.count * part.count,
        }
    }
}

impl Default for Rank {
    fn default() -> Self {
        Self::ONLY
    }
}
