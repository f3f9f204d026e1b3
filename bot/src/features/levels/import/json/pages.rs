//! The leaderboard pages found in a file.

use std::collections::BTreeSet;

/// Page numbers that are stored: at 1,000 members per page, more than any guild has.
const MOST: usize = 100_000;
/// The maximum number of gaps listed.
const LISTED: usize = 5;

/// The set of page numbers.
#[derive(Debug, Default)]
pub(super) struct Pages(BTreeSet<u64>);

impl Pages {
    pub(super) fn see(&mut self, page: u64) {
        if self.0.len() < MOST {
            self.0.insert(page);
        }
    }

    /// Missing pages between and before the existing ones: MEE6 starts with 0, others with 1.
    pub(super) fn missing(&self) -> Option<String> {
        let mut gaps = Vec::new();
        let mut next = self.0.first().copied()?.min(1);
        for page in &self.0 {
            match page.saturating_sub(next) {
                0 => {}
                1 => gaps.push(next.to_string()),
                _ => gaps.push(format!("{next} to {}", page - 1)),
            }
            next = page.saturating_add(1);
        }
        let more = gaps.len().saturating_sub(LISTED);
        gaps.truncate(LISTED);
        if more > 0 {
            gaps.push(format!("and {more} more gaps"));
        }
        (!gaps.is_empty()).then(|| gaps.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::Pages;

    fn missing(pages: &[u64]) -> Option<String> {
        let mut seen = Pages::default();
        for page in pages {
            seen.see(*page);
        }
        seen.missing()
    }

    #[test]
    fn gaps_are_listed() {
        for pages in [&[][..], &[0], &[1], &[0, 1, 2], &[2, 1, 3], &[0, 0, 1]] {
            assert_eq!(missing(pages), None, "{pages:?}");
        }
        assert_eq!(missing(&[0, 2]).as_deref(), Some("1"));
        assert_eq!(missing(&[0, 5, 7]).as_deref(), Some("1 to 4, 6"));
        assert_eq!(missing(&[3]).as_deref(), Some("1 to 2"));
        assert_eq!(
            missing(&[0, u64::MAX]).as_deref(),
            Some("1 to 18446744073709551614")
        );
        let every_second: Vec<u64> = (0..20).map(|page| page * 2).collect();
        assert_eq!(
            missing(&every_second).as_deref(),
            Some("1, 3, 5, 7, 9, and 14 more gaps")
        );
    }
}
