//! The first id of a time, in some dozens of looks: ids grow with time.

/// Magento's ids are unsigned integers of 32 bits.
const HIGHEST: i64 = u32::MAX as i64;

/// Narrows down where the ids begin that are not older: doubles until one is not, then halves what lies between.
pub struct FirstId {
    /// Up to here all are older.
    older: i64,
    /// From here on none is, as far as is known.
    newer: i64,
    is_doubling: bool,
}

impl FirstId {
    /// Nothing is known yet.
    pub const fn new() -> Self {
        Self { older: 0, newer: 1, is_doubling: true }
    }

    /// The id to be looked at next; none when the first one is found.
    pub const fn next(&self) -> Option<i64> {
        match (self.is_doubling, self.newer - self.older) {
            (true, _) => Some(self.newer),
            (false, ..=1) => None,
            (false, between) => Some(self.older + between / 2),
        }
    }

    /// What the look at `id` has shown.
    pub const fn learn(&mut self, id: i64, is_older: bool) {
        if !is_older {
            self.newer = id;
            self.is_doubling = false;
            return;
        }
        self.older = id;
        if self.is_doubling {
            self.newer = id * 2;
            self.is_doubling = self.newer < HIGHEST;
        }
    }

    /// The first id, once there is nothing left to look at.
    pub const fn found(&self) -> i64 {
        self.newer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_of_a_time_is_found_in_few_looks() {
        for first in [1, 2, 3, 4, 5, 1_000, 1_023, 1_024, 1_025, 3_000_000_000, HIGHEST] {
            let (mut search, mut looks) = (FirstId::new(), 0);
            while let Some(id) = search.next() {
                search.learn(id, id < first);
                looks += 1;
            }
            assert_eq!(search.found(), first);
            assert!(looks <= 64, "{first}: {looks}");
        }
    }
}
