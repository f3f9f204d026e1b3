//! MEE6's level curve, in integers.
//!
//! From level L to L + 1 a member needs 5L² + 50L + 100 XP, so level L is reached at 5L(2L² + 27L + 91) / 6: level 1 at 100,
//! level 10 at 4,675, level 50 at 268,375, level 100 at 1,899,250.

/// The highest level. Its XP is far below the limit of a `BIGINT`, and no member reaches it by writing messages.
pub const MAX_LEVEL: u32 = 100_000;

/// The maximum XP of a member, which is that of the highest level on MEE6's curve. Sums stay far below the limit of a `BIGINT`.
pub const MOST_XP: u64 = xp_at(MAX_LEVEL);

/// The XP from `level` to the next. Like the other free functions it is private, because each guild has its own curve.
#[cfg(test)]
const fn xp_to_next(level: u32) -> u64 {
    let l = level as u64;
    5 * l * l + 50 * l + 100
}

/// The total XP of `level`.
const fn xp_at(level: u32) -> u64 {
    let l = level as u64;
    // The product is divisible by 6 for every l, which a property test compares with the sum of the steps.
    5 * l * (2 * l * l + 27 * l + 91) / 6
}

/// The level of a member with `xp`.
const fn level_of(xp: u64) -> u32 {
    let (mut low, mut high) = (0, MAX_LEVEL);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if xp_at(middle) <= xp {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// How much XP each level needs in a guild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Curve {
    /// MEE6's curve.
    #[default]
    Mee6,
    /// Level L needs `(a·L³ + b·L² + c·L) / 100` XP in total, rounded down. The factors are in hundredths, so that they are integers.
    Cubic([u32; 3]),
}

/// The maximum of a cubic curve's factor: 10,000 XP.
pub const MAX_FACTOR: u32 = 1_000_000;

/// The minimum XP of a curve's first level, in hundredths.
const LEAST_STEP: u64 = 100;

impl Curve {
    /// Arcane's curve: 50·L² + 25·L.
    pub const ARCANE: Self = Self::Cubic([0, 5_000, 2_500]);

    /// A curve with the same XP for each level.
    pub const fn linear(step: u32) -> Self {
        Self::Cubic([0, 0, step.saturating_mul(100)])
    }

    /// A custom curve; `None` if a factor exceeds [`MAX_FACTOR`], or a level would need less than 1 XP.
    pub fn cubic(factors: [u32; 3]) -> Option<Self> {
        let first: u64 = factors.iter().copied().map(u64::from).sum();
        (first >= LEAST_STEP && factors.iter().all(|factor| *factor <= MAX_FACTOR))
            .then_some(Self::Cubic(factors))
    }

    /// The total XP of `level`.
    pub fn xp_at(self, level: u32) -> u64 {
        match self {
            Self::Mee6 => xp_at(level),
            Self::Cubic([a, b, c]) => {
                let l = u128::from(level);
                let hundredths = ((u128::from(a) * l + u128::from(b)) * l + u128::from(c)) * l;
                u64::try_from(hundredths / 100).unwrap_or(u64::MAX)
            }
        }
    }

    /// The level of a member with `xp`.
    pub fn level_of(self, xp: u64) -> u32 {
        if self == Self::Mee6 {
            return level_of(xp);
        }
        let (mut low, mut high) = (0, MAX_LEVEL);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.xp_at(middle) <= xp {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests;
