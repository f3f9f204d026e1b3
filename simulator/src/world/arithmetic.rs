//! Sizes of guilds, and the numbers behind the walk over all people.

/// How many members each guild has: in proportion to its traffic, at least 3, and in total the given number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of a u32, never negative"
)]
pub(super) fn sizes(weights: &[f64], members: u32) -> Vec<u32> {
    let total: f64 = weights.iter().sum();
    let mut sizes: Vec<u32> = weights
        .iter()
        .map(|weight| ((weight / total * f64::from(members)) as u32).max(3))
        .collect();
    let sum: u32 = sizes.iter().sum();
    sizes[0] += members.saturating_sub(sum);
    sizes
}

pub(super) fn prime_from(least: u64) -> u64 {
    let mut candidate = least.max(3) | 1;
    while !(3..)
        .step_by(2)
        .take_while(|divisor| divisor * divisor <= candidate)
        .all(|divisor| !candidate.is_multiple_of(divisor))
    {
        candidate += 2;
    }
    candidate
}

/// The inverse modulo a prime, by Fermat's little theorem.
pub(super) fn inverse(value: u64, prime: u64) -> u64 {
    let (mut base, mut exponent, mut result) = (value % prime, prime - 2, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % prime;
        }
        base = base * base % prime;
        exponent >>= 1;
    }
    result
}
