//! Numbers of media files: ratios, ticks and seconds, without a conversion that could wrap.

use std::fmt;

/// A fraction in lowest terms, with a denominator above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// Upper number.
    pub numer: u64,
    /// Lower number.
    pub denom: u64,
}

impl Ratio {
    /// The fraction in lowest terms; `None` where a part is zero.
    pub fn new(numer: u64, denom: u64) -> Option<Ratio> {
        let (mut a, mut b) = (numer, denom);
        while b > 0 {
            (a, b) = (b, a.checked_rem(b)?);
        }
        let ratio = Ratio { numer: numer.checked_div(a)?, denom: denom.checked_div(a)? };
        (ratio.numer > 0 && ratio.denom > 0).then_some(ratio)
    }

    /// The rate that a rounded float stands for: a whole one or a thousand-and-first of one where it is near, else to
    /// three digits.
    pub fn near(rate: f64) -> Option<Ratio> {
        if !(rate.is_finite() && rate > 0.0 && rate < 1e6) {
            return None;
        }
        let close = |other: f64| (rate - other).abs() < rate * 2e-5 + 5e-4;
        if close(rate.round()) {
            return Ratio::new(whole(rate), 1);
        }
        let up = rate.ceil();
        if close(up * 1000.0 / 1001.0) {
            return Ratio::new(whole(up).checked_mul(1000)?, 1001);
        }
        Ratio::new(whole(rate * 1000.0), 1000)
    }

    /// The usual rate at which `steps` frames take `milliseconds`, both ends rounded to one of them.
    pub fn measured(steps: u64, milliseconds: u64) -> Option<Ratio> {
        if steps == 0 || milliseconds == 0 {
            return None;
        }
        let rate = float(steps) * 1000.0 / float(milliseconds);
        let slack = rate * 1.5 / float(milliseconds);
        let usual =
            [rate.round(), rate.ceil() * 1000.0 / 1001.0].into_iter().find(|usual| (rate - usual).abs() <= slack);
        Ratio::near(usual.filter(|usual| *usual > 0.0).unwrap_or(rate))
    }

    /// The product, where it can be said.
    pub fn times(self, other: Ratio) -> Option<Ratio> {
        Ratio::new(self.numer.checked_mul(other.numer)?, self.denom.checked_mul(other.denom)?)
    }

    /// As a float.
    pub fn value(self) -> f64 {
        float(self.numer) / float(self.denom)
    }

    /// With a colon, as aspect ratios are written.
    pub fn with_colon(self) -> String {
        format!("{}:{}", self.numer, self.denom)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numer, self.denom)
    }
}

/// The nearest float.
pub fn float(number: u64) -> f64 {
    let high = u32::try_from(number >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(number & 0xFFFF_FFFF).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// The nearest whole number; zero for what is below zero or no number.
#[expect(clippy::as_conversions, reason = "a cast from a float saturates, which is what is wanted")]
pub fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// Seconds of `ticks` at `scale` ticks per second; `None` for a scale of zero.
pub fn seconds(ticks: u64, scale: u32) -> Option<f64> {
    (scale > 0).then(|| float(ticks) / f64::from(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_reduced_and_never_divide_by_zero() {
        assert_eq!(Ratio::new(30_000, 1000).unwrap().to_string(), "30/1");
        assert_eq!(Ratio::new(1920, 1080).unwrap().with_colon(), "16:9");
        assert_eq!(Ratio::new(u64::MAX, 3).unwrap(), Ratio { numer: u64::MAX / 3, denom: 1 });
        assert!(Ratio::new(0, 5).is_none() && Ratio::new(5, 0).is_none() && Ratio::new(0, 0).is_none());
        let big = Ratio::new(u64::MAX, 2).unwrap();
        assert_eq!(big.times(big), None);
    }

    #[test]
    fn rounded_rates_find_their_fraction() {
        let near = |rate| Ratio::near(rate).map(|ratio| ratio.to_string());
        assert_eq!([near(25.0), near(29.97), near(23.976)].map(Option::unwrap), ["25/1", "30000/1001", "24000/1001"]);
        assert_eq!((near(12.345).as_deref(), near(f64::NAN), near(0.0)), (Some("2469/200"), None, None));
    }

    #[test]
    fn conversions_saturate() {
        assert_eq!(float(u64::from(u32::MAX) + 6), 4_294_967_301.0);
        assert_eq!((whole(-3.0), whole(f64::NAN), whole(2.5), whole(1e300)), (0, 0, 3, u64::MAX));
        assert_eq!((seconds(5, 0), seconds(5, 2)), (None, Some(2.5)));
    }
}
