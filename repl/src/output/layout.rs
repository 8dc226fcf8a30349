//! The widths of the columns of a table. Pure arithmetic, in columns of a terminal.

/// What a column asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// Shows all of the header and of the values.
    pub(super) natural: usize,
    /// Below this the column is of little use: for numbers the width of the values, which lose
    /// their meaning when they are cut.
    pub(super) least: usize,
}

/// Chooses widths with a sum of at most `available` by cutting the widest columns first. Where
/// even the least widths are too much, they are cut as well, down to 1; with more columns than
/// that the sum exceeds `available`.
pub(super) fn fit(wishes: &[Wish], available: usize) -> Vec<usize> {
    let total: usize = wishes.iter().map(|wish| wish.natural).sum();
    if total <= available {
        return wishes.iter().map(|wish| wish.natural).collect();
    }
    let least: usize = wishes.iter().map(|wish| wish.least).sum();
    if least <= available {
        return level(wishes, available);
    }
    let cut: Vec<Wish> =
        wishes.iter().map(|wish| Wish { natural: wish.natural, least: 1 }).collect();
    level(&cut, available)
}

/// Finds the highest level at which all columns that reach above it are cut, and gives what is
/// left over to the first of them.
fn level(wishes: &[Wish], available: usize) -> Vec<usize> {
    let widths_at = |level: usize| -> Vec<usize> {
        wishes.iter().map(|wish| level.clamp(wish.least, wish.natural.max(wish.least))).collect()
    };
    let (mut low, mut high) = (0, available + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let fits = widths_at(middle).iter().sum::<usize>() <= available;
        (low, high) = if fits { (middle, high) } else { (low, middle) };
    }
    let mut widths = widths_at(low);
    let mut left_over = available.saturating_sub(widths.iter().sum());
    for (width, wish) in widths.iter_mut().zip(wishes) {
        if left_over > 0 && *width == low && *width < wish.natural {
            *width += 1;
            left_over -= 1;
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wishes: &[(usize, usize)], available: usize, expected: &[usize]) {
        let wishes: Vec<Wish> =
            wishes.iter().map(|&(natural, least)| Wish { natural, least }).collect();
        assert_eq!(fit(&wishes, available), expected, "{wishes:?} in {available}");
    }

    #[test]
    fn wide_columns_are_cut_first() {
        check(&[(3, 3), (4, 4)], 10, &[3, 4]);
        check(&[(3, 3), (100, 4)], 20, &[3, 17]);
        check(&[(100, 4), (3, 3), (50, 4)], 23, &[10, 3, 10]);
        check(&[(100, 4), (3, 3), (50, 4)], 24, &[11, 3, 10]);
        check(&[(12, 4), (100, 4), (50, 4)], 60, &[12, 24, 24]);
    }

    #[test]
    fn numbers_keep_their_width() {
        check(&[(20, 20), (100, 4), (100, 4)], 40, &[20, 10, 10]);
        check(&[(20, 20), (20, 20), (100, 4)], 44, &[20, 20, 4]);
    }

    #[test]
    fn little_room_cuts_everything() {
        check(&[(20, 20), (20, 20), (100, 4)], 30, &[10, 10, 10]);
        check(&[(20, 20), (3, 3)], 2, &[1, 1]);
        check(&[(20, 20), (3, 3), (9, 4)], 2, &[1, 1, 1]);
        check(&[(0, 0), (5, 4)], 3, &[1, 2]);
        check(&[], 3, &[]);
    }
}
