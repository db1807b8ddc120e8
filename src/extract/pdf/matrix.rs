//! Where something stands (ISO 32000-1, section 8.3.3).

/// `[a b c d e f]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix(pub [f64; 6]);

impl Matrix {
    pub const ONE: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub fn moved(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// This one, then the other.
    pub fn then(self, other: Self) -> Self {
        let cell = |row: usize, column: usize| {
            let last = if row == 2 { other.0[4 + column] } else { 0.0 };
            self.0[2 * row] * other.0[column] + self.0[2 * row + 1] * other.0[2 + column] + last
        };
        Self([cell(0, 0), cell(0, 1), cell(1, 0), cell(1, 1), cell(2, 0), cell(2, 1)])
    }
}
