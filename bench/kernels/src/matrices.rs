//! A small multiplication of matrices: what a program of the bench `wakeup` does once it is awake, as those of schbench do.

use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;

/// Rows and columns of each matrix: 24 KiB for all three, which stay in a first-level cache, and 32,768 multiplications, some ten microseconds natively.
const SIDE: usize = 32;

/// Two matrices, and room for their product.
pub struct Matrices {
    left: Vec<u64>,
    right: Vec<u64>,
    product: Vec<u64>,
}

impl Matrices {
    /// The same each time.
    #[must_use]
    pub fn new() -> Self {
        let numbers = |factor: u64| (0..SIDE * SIDE).map(|place| place as u64 * factor + 1).collect();
        Self { left: numbers(3), right: numbers(7), product: vec![0; SIDE * SIDE] }
    }

    /// Multiplies them, row by column and without any art; the sum of the product's diagonal, by which it can be checked.
    pub fn multiply(&mut self) -> u64 {
        // Opaque: what is the same each time would be computed once.
        let (left, right) = (black_box(&self.left[..]), black_box(&self.right[..]));
        for row in 0..SIDE {
            for column in 0..SIDE {
                let sum = (0..SIDE).fold(0, |sum: u64, place| {
                    sum.wrapping_add(left[row * SIDE + place].wrapping_mul(right[place * SIDE + column]))
                });
                self.product[row * SIDE + column] = sum;
            }
        }
        let product = black_box(&self.product[..]);
        (0..SIDE).fold(0, |sum: u64, place| sum.wrapping_add(product[place * SIDE + place]))
    }
}

impl Default for Matrices {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_the_right_one() {
        let mut matrices = Matrices::new();
        let diagonal = matrices.multiply();
        // The diagonal of a product sums up to all products of a place and its mirror image.
        let mirrored: u64 = (0..SIDE)
            .flat_map(|row| (0..SIDE).map(move |column| (row, column)))
            .map(|(row, column)| matrices.left[row * SIDE + column] * matrices.right[column * SIDE + row])
            .sum();
        assert_eq!(diagonal, mirrored);
        // Row 1 by column 2, by the formula of the numbers.
        let place: u64 = (0..SIDE as u64).map(|k| ((32 + k) * 3 + 1) * ((k * 32 + 2) * 7 + 1)).sum();
        assert_eq!(matrices.product[SIDE + 2], place);
        assert_eq!(matrices.multiply(), diagonal);
    }
}
