//! Drawing from a Zipf distribution in constant time.

/// Walker's alias table over ranks: the rank `k` is drawn with a weight of `1 / (k + 1)^exponent`.
pub(crate) struct Skew {
    cells: Vec<Cell>,
}

struct Cell {
    keep_below: u32,
    other: u32,
}

impl Skew {
    /// A table over `count` ranks.
    pub(crate) fn zipf(count: u32, exponent: f64) -> Self {
        Self::of_weights(
            &(0..count)
                .map(|rank| zipf_weight(rank, exponent))
                .collect::<Vec<_>>(),
        )
    }

    /// A table over given weights.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "counts are far below 2^32 and probabilities are scaled to 32 bits on purpose"
    )]
    pub(crate) fn of_weights(weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let count = weights.len();
        let mut scaled: Vec<f64> = weights
            .iter()
            .map(|weight| weight * count as f64 / total)
            .collect();
        let mut cells: Vec<Cell> = (0..count)
            .map(|at| Cell {
                keep_below: u32::MAX,
                other: at as u32,
            })
            .collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..count).partition(|&at| scaled[at] < 1.0);
        while let (Some(low), Some(&high)) = (small.pop(), large.last()) {
            cells[low] = Cell {
                keep_below: (scaled[low] * f64::from(u32::MAX)) as u32,
                other: high as u32,
            };
            scaled[high] -= 1.0 - scaled[low];
            if scaled[high] < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        Self { cells }
    }

    /// A rank, 0 being the most frequent one. An empty table gives 0.
    pub(crate) fn draw(&self, rng: &mut fastrand::Rng) -> u32 {
        let count = self.cells.len();
        if count == 0 {
            return 0;
        }
        let at = rng.usize(..count);
        let cell = &self.cells[at];
        if rng.u32(..) <= cell.keep_below {
            u32::try_from(at).unwrap_or(0)
        } else {
            cell.other
        }
    }
}

/// The weight of a rank in a Zipf distribution.
pub(crate) fn zipf_weight(rank: u32, exponent: f64) -> f64 {
    f64::from(rank + 1).powf(-exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_weights() {
        let skew = Skew::zipf(10, 1.0);
        let mut rng = fastrand::Rng::with_seed(7);
        let mut drawn = [0_f64; 10];
        for _ in 0..200_000 {
            drawn[skew.draw(&mut rng) as usize] += 1.0 / 200_000.0;
        }
        let total: f64 = (0..10).map(|rank| zipf_weight(rank, 1.0)).sum();
        for rank in 0..10_u32 {
            let expected = zipf_weight(rank, 1.0) / total;
            let found = drawn[rank as usize];
            assert!(
                (found - expected).abs() < 0.01,
                "rank {rank}: {found} instead of {expected}"
            );
        }
    }
}
