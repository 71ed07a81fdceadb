//! Embeddings: what a network says of a picture, a face or a sentence, as a point of which the neighbours are alike.
//!
//! A point is kept as a vector of length 1 in fixed point: each number is that of the vector times 32,767, rounded, so that cosines are the
//! same on every machine. Points of one space can be compared, those of two cannot. Layout in documents: `docs/format.md`, "Embeddings".

use crate::error::{Error, Result};
use data_encoding::BASE64;

/// Fewest numbers of an embedding.
pub const MIN_NUMBERS: usize = 2;
/// Most numbers of an embedding.
pub const MAX_NUMBERS: usize = 4096;
/// Longest name of a space, in bytes.
pub const MAX_SPACE: usize = 128;
/// What stands for 1.
const ONE: f32 = 32_767.0;

/// A vector of length 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vector(Vec<i16>);

impl Vector {
    /// The direction of these numbers; fails where they have none.
    pub fn of(numbers: &[f32]) -> Result<Vector> {
        if !(MIN_NUMBERS..=MAX_NUMBERS).contains(&numbers.len()) {
            let got = numbers.len();
            return Err(Error::invalid(format!(
                "embedding: expected {MIN_NUMBERS} to {MAX_NUMBERS} numbers, got {got}"
            )));
        }
        let length = numbers.iter().map(|n| f64::from(*n) * f64::from(*n)).sum::<f64>().sqrt();
        if !length.is_finite() || length < 1e-12 {
            return Err(Error::invalid(format!("embedding: expected a direction, got numbers of length {length}")));
        }
        let fixed = |n: &f32| (f64::from(*n) / length * f64::from(ONE)).round() as i16;
        Ok(Vector(numbers.iter().map(fixed).collect()))
    }

    /// The numbers in fixed point.
    pub fn numbers(&self) -> &[i16] {
        &self.0
    }

    /// How alike two points of one space are: -1 to 1, 1 for the same.
    pub fn cosine(&self, other: &Vector) -> f32 {
        cosine(product(&self.0, &other.0))
    }

    /// Reads what [`Vector::write`] wrote; `None` for anything else.
    pub fn read(text: &str) -> Option<Vector> {
        let bytes = BASE64.decode(text.as_bytes()).ok()?;
        let (pairs, []) = bytes.as_chunks::<2>() else { return None };
        let numbers: Vec<i16> = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
        let length: i64 = numbers.iter().map(|n| i64::from(*n) * i64::from(*n)).sum();
        // Rounding moves the length a little. Beyond that, sums of products would no longer fit.
        let off = (length as f32).sqrt() / ONE - 1.0;
        ((MIN_NUMBERS..=MAX_NUMBERS).contains(&numbers.len()) && off.abs() < 0.01).then_some(Vector(numbers))
    }

    /// The numbers in little endian, in base64.
    pub fn write(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().flat_map(|n| n.to_le_bytes()).collect();
        BASE64.encode(&bytes)
    }
}

/// The product of two vectors of one space in fixed point: their cosine times the square of 32,767. By Cauchy and Schwarz neither it nor a part of
/// it is beyond what 32 bits hold.
pub fn product(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).fold(0, i32::wrapping_add)
}

/// A product as a cosine, -1 to 1.
pub fn cosine(product: i32) -> f32 {
    (product as f32 / (ONE * ONE)).clamp(-1.0, 1.0)
}

/// The least product of which the cosine is at least that.
pub fn least_product(cosine: f32) -> i32 {
    (f64::from(cosine.clamp(-1.0, 1.0)) * f64::from(ONE) * f64::from(ONE)).ceil() as i32
}

/// A point of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedding {
    /// The space: points of packs that name the same one can be compared.
    pub space: String,
    /// Where.
    pub vector: Vector,
}

impl Embedding {
    /// The value of `ImageEmbedding`.
    pub fn write(&self) -> String {
        format!("{}:{}", self.space, self.vector.write())
    }

    /// Reads `ImageEmbedding`; `None` where it is none, as callers may have put it.
    pub fn read(text: &str) -> Option<Embedding> {
        let (space, vector) = text.split_once(':')?;
        let space = Some(space).filter(|space| is_space(space))?;
        Some(Embedding { space: space.to_owned(), vector: Vector::read(vector)? })
    }
}

/// The points of the faces of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faces {
    /// The space of all.
    pub space: String,
    /// `FigureId` and point of each.
    pub points: Vec<(String, Vector)>,
}

impl Faces {
    /// The value of `FaceEmbeddings`.
    pub fn write(&self) -> String {
        let points = self.points.iter().map(|(id, vector)| format!("{id}={}", vector.write()));
        format!("{}:{}", self.space, points.collect::<Vec<_>>().join(" "))
    }

    /// Reads `FaceEmbeddings`; `None` where it is none. A face that is none is left out.
    pub fn read(text: &str) -> Option<Faces> {
        let (space, points) = text.split_once(':')?;
        let space = Some(space).filter(|space| is_space(space))?;
        let point = |text: &str| {
            let (id, vector) = text.split_once('=')?;
            Some((id.to_owned(), Vector::read(vector)?))
        };
        Some(Faces { space: space.to_owned(), points: points.split(' ').filter_map(point).collect() })
    }
}

/// Whether a name can be that of a space: 1 to [`MAX_SPACE`] of A-Z, a-z, 0-9 and `-_.@`.
pub fn is_space(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    (1..=MAX_SPACE).contains(&name.len()) && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn products_are_cosines(pair in proptest::collection::vec((-9f32..9.0, -9f32..9.0), 2..600)) {
            let (a, b): (Vec<f32>, Vec<f32>) = pair.into_iter().unzip();
            let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            prop_assume!(sum(&a, &a) > 1e-3 && sum(&b, &b) > 1e-3);
            let exact = sum(&a, &b) / (sum(&a, &a) * sum(&b, &b)).sqrt();
            let (va, vb) = (Vector::of(&a).unwrap(), Vector::of(&b).unwrap());
            let found = product(va.numbers(), vb.numbers());
            prop_assert!((f64::from(cosine(found)) - exact).abs() < 1e-3, "{found} {exact}");
            prop_assert_eq!(Vector::read(&va.write()), Some(va.clone()));
            let whole = Embedding { space: "a@1".into(), vector: va };
            prop_assert_eq!(Embedding::read(&whole.write()), Some(whole));
            prop_assert!(found >= least_product(cosine(found) - 1e-4) && found < least_product(cosine(found) + 1e-3));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = (Embedding::read(&text), Faces::read(&text));
            let _ = Faces::read(&format!("s:a={text} b={text}"));
        }
    }

    #[test]
    fn what_is_no_direction_is_refused() {
        for bad in [&[0.0, 0.0][..], &[f32::NAN, 1.0], &[1.0], &[f32::INFINITY, 1.0]] {
            assert!(Vector::of(bad).is_err(), "{bad:?}");
        }
        // Not of length 1: the sums of a product might not fit.
        assert_eq!(Vector::read(&BASE64.encode(&[0xFF, 0x7F, 0xFF, 0x7F])), None);
        assert_eq!(Vector::read(&BASE64.encode(&[0xFF, 0x7F, 0])), None);
        assert!(Vector::read(&BASE64.encode(&[0xFF, 0x7F, 0, 0])).is_some());
    }

    #[test]
    fn faces_are_read_back() {
        let vector = |x: f32| Vector::of(&[x, 1.0, -2.0]).unwrap();
        let faces = Faces { space: "f@2".into(), points: vec![("a-b".into(), vector(1.0)), ("c".into(), vector(9.0))] };
        assert_eq!(Faces::read(&faces.write()), Some(faces.clone()));
        assert_eq!(Faces::read(&faces.write().replace("a-b=", "a-b")).unwrap().points.len(), 1);
        assert_eq!(Faces::read("no space:a=b"), None);
    }
}
