//! Numeric columns: integers, instants and floats, one value or none per unit, ordered as numbers.
//!
//! Integers are stored as the distance to the smallest in units of their greatest common divisor; floats that are
//! decimals of up to six places as integers, others by their order-preserving bits. 0 is "no value".
//! Layout: `docs/format.md`, "Numbers".

use super::packed::{self, Packed};
use super::varint;
use crate::error::{Error, Result};
use std::sync::OnceLock;

/// Values of a column, one per unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Numbers {
    /// Integers or nanoseconds; [`NO_INT`] is "no value".
    Int(Vec<i64>),
    /// Floats; NaN is "no value".
    Float(Vec<f64>),
}

impl Numbers {
    /// Appends units without a value until there are `units`.
    pub(crate) fn pad(&mut self, units: usize) {
        match self {
            Numbers::Int(values) => values.resize(units.max(values.len()), NO_INT),
            Numbers::Float(values) => values.resize(units.max(values.len()), f64::NAN),
        }
    }

    /// Appends "no value".
    pub(crate) fn push_none(&mut self) {
        match self {
            Numbers::Int(values) => values.push(NO_INT),
            Numbers::Float(values) => values.push(f64::NAN),
        }
    }
}

/// The integer that stands for "no value". Documents may not hold it.
pub(crate) const NO_INT: i64 = i64::MIN;

const INT: u8 = 0;
/// `DECIMAL + k`: integers that are the value times ten to the k.
const DECIMAL: u8 = 1;
const MAX_PLACES: u8 = 6;
const BITS: u8 = 16;

/// The section's bytes.
pub(crate) fn write(numbers: &Numbers) -> Vec<u8> {
    match numbers {
        Numbers::Int(values) => encode(INT, values),
        Numbers::Float(values) => match (0..=MAX_PLACES).find_map(|places| as_decimals(values, places)) {
            Some((places, values)) => encode(DECIMAL + places, &values),
            None => encode(
                BITS,
                &values.iter().map(|v| if v.is_nan() { NO_INT } else { order_bits(*v) }).collect::<Vec<_>>(),
            ),
        },
    }
}

fn as_decimals(values: &[f64], places: u8) -> Option<(u8, Vec<i64>)> {
    let scale = 10f64.powi(i32::from(places));
    let exact = |v: &f64| {
        if v.is_nan() {
            return Some(NO_INT);
        }
        let whole = (v * scale).round();
        // 2^53: integers beyond it are not all floats. Negative zero is not an integer.
        let fits = whole.abs() <= 9_007_199_254_740_992.0 && (whole as i64 as f64 / scale).to_bits() == v.to_bits();
        fits.then_some(whole as i64)
    };
    Some((places, values.iter().map(exact).collect::<Option<Vec<i64>>>()?))
}

/// Maps floats to integers of the same order (IEEE 754 totalOrder for finite values).
pub(crate) fn order_bits(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The float of [`order_bits`].
pub(crate) fn from_order_bits(bits: i64) -> f64 {
    f64::from_bits((bits ^ (((bits >> 63) as u64) >> 1) as i64) as u64)
}

fn encode(encoding: u8, values: &[i64]) -> Vec<u8> {
    let present = || values.iter().copied().filter(|&v| v != NO_INT);
    let base = present().min().unwrap_or(0);
    let divisor = present().fold(0u64, |g, v| gcd(g, v.wrapping_sub(base) as u64)).max(1);
    let slots: Vec<u64> = values
        .iter()
        .map(|&v| if v == NO_INT { 0 } else { (v.wrapping_sub(base) as u64 / divisor).saturating_add(1) })
        .collect();
    let mut out = vec![encoding];
    out.extend_from_slice(&base.to_le_bytes());
    varint::put(&mut out, divisor);
    packed::write(&slots, &mut out);
    out
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Reads a numeric column in place.
#[derive(Clone, Copy)]
pub(crate) struct NumberColumn<'a> {
    encoding: u8,
    base: i64,
    divisor: u64,
    slots: Packed<'a>,
    largest: Option<&'a OnceLock<u64>>,
}

impl<'a> NumberColumn<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<NumberColumn<'a>> {
        let head = varint::take_bytes(&mut bytes, 9)?;
        let (encoding, base) = match head {
            [encoding, base @ ..] => (*encoding, i64::from_le_bytes(base.try_into().unwrap_or_default())),
            [] => (u8::MAX, 0),
        };
        if encoding > DECIMAL + MAX_PLACES && encoding != BITS {
            return Err(Error::corrupted(format!("numbers: expected an encoding of this version, got {encoding}")));
        }
        let divisor = varint::take(&mut bytes)?;
        Ok(NumberColumn { encoding, base, divisor, slots: Packed::new(bytes)?, largest: None })
    }

    /// Remembers the largest slot, which is looked for in all blocks, for the next that reads these bytes.
    pub(crate) fn remembering(self, largest: &'a OnceLock<u64>) -> NumberColumn<'a> {
        NumberColumn { largest: Some(largest), ..self }
    }

    /// The stored slot of a unit: 0 without a value, else ordered as the values are.
    #[inline]
    pub(crate) fn slot(&self, unit: usize) -> u64 {
        self.slots.get(unit)
    }

    fn int_of(&self, slot: u64) -> i64 {
        self.base.wrapping_add((slot - 1).wrapping_mul(self.divisor) as i64)
    }

    /// The value of a slot, which may not be 0.
    pub(crate) fn float_of(&self, slot: u64) -> f64 {
        let int = self.int_of(slot);
        match self.encoding {
            BITS => from_order_bits(int),
            INT => int as f64,
            decimal => int as f64 / 10f64.powi(i32::from(decimal - DECIMAL)),
        }
    }

    /// Whether values are evenly spaced numbers, so that sums of slots give sums of values.
    pub(crate) fn is_linear(&self) -> bool {
        self.encoding != BITS
    }

    /// The exact sum of `count` values whose slots add up to `slots`: a whole number, and by how many decimal places it
    /// is to be shifted. `None` where the column is not linear.
    pub(crate) fn sum_of(&self, count: u64, slots: u128) -> Option<(i128, u8)> {
        let steps = slots.saturating_sub(u128::from(count)).saturating_mul(u128::from(self.divisor));
        let whole = (i128::from(self.base) * i128::from(count)).saturating_add_unsigned(steps);
        let places = if self.encoding == INT { 0 } else { self.encoding.saturating_sub(DECIMAL) };
        self.is_linear().then_some((whole, places))
    }

    /// The value of a unit in a column of floats.
    pub(crate) fn float(&self, unit: usize) -> Option<f64> {
        let slot = self.slot(unit);
        (slot != 0).then(|| self.float_of(slot))
    }

    /// The value of a slot as an order-preserving integer that is comparable across segments.
    pub(crate) fn order_of(&self, slot: u64) -> Option<i64> {
        (slot != 0).then(|| if self.encoding == INT { self.int_of(slot) } else { order_bits(self.float_of(slot)) })
    }

    /// All slots.
    pub(crate) fn slots(&self) -> Packed<'a> {
        self.slots
    }

    /// The largest slot in use.
    pub(crate) fn max_slot(&self) -> u64 {
        let blocks = || (0..self.slots.len()).step_by(packed::BLOCK);
        let look = || blocks().map(|at| self.slots.block_bounds(at).1).max().unwrap_or(0);
        self.largest.map_or_else(look, |largest| *largest.get_or_init(look))
    }

    /// The last slot whose value is at most `order` (0 if none), and whether it is equal.
    pub(crate) fn slot_at_most(&self, order: i64) -> (u64, bool) {
        let (mut low, mut high) = (0, self.max_slot());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.order_of(middle).is_some_and(|o| o <= order) { low = middle } else { high = middle - 1 }
        }
        (low, self.order_of(low) == Some(order))
    }

    /// All values, for merging.
    pub(crate) fn append_to(&self, units: impl Iterator<Item = usize>, numbers: &mut Numbers) {
        match numbers {
            Numbers::Int(out) => out.extend(units.map(|u| match self.slot(u) {
                0 => NO_INT,
                slot => self.int_of(slot),
            })),
            Numbers::Float(out) => out.extend(units.map(|u| match self.slot(u) {
                0 => f64::NAN,
                slot => self.float_of(slot),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(numbers: &Numbers) -> Numbers {
        let bytes = write(numbers);
        let column = NumberColumn::new(&bytes).unwrap();
        let mut out = match numbers {
            Numbers::Int(_) => Numbers::Int(vec![]),
            Numbers::Float(_) => Numbers::Float(vec![]),
        };
        column.append_to(0..column.slots().len(), &mut out);
        out
    }

    proptest! {
        #[test]
        fn integers(values in proptest::collection::vec(any::<i64>().prop_filter("none", |v| *v != NO_INT), 0..40), scale in 1i64..2_000_000_000) {
            for values in [values.clone(), values.iter().map(|v| v / scale / 4 * scale).collect(), vec![NO_INT, 5]] {
                let numbers = Numbers::Int(values);
                prop_assert_eq!(&back(&numbers), &numbers);
            }
        }

        #[test]
        fn floats(values in proptest::collection::vec(prop_oneof![any::<f64>().prop_filter("finite", |v| v.is_finite()), (-9_000i32..9_000).prop_map(|v| f64::from(v) / 100.0), Just(-0.0)], 1..40)) {
            let Numbers::Float(got) = back(&Numbers::Float(values.clone())) else { panic!() };
            prop_assert_eq!(got.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), values.iter().map(|v| v.to_bits()).collect::<Vec<_>>());
            let bytes = write(&Numbers::Float(values.clone()));
            let column = NumberColumn::new(&bytes).unwrap();
            for a in 0..values.len() {
                for b in 0..values.len() {
                    prop_assert_eq!(column.slot(a).cmp(&column.slot(b)), values[a].total_cmp(&values[b]));
                }
            }
        }
    }
}
