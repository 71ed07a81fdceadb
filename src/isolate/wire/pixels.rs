//! A decoded picture on the wire, or why there is none.

use super::finished;
use crate::analyze::{LONGEST_FOR_TEXT, Picture, Pixels};
use crate::codec::Take;
use crate::codec::take::{put_counted, put_varint};
use crate::error::{Error, ErrorKind, Result};

/// Kinds of errors that decoding gives, by their number on the wire; all others are the last one.
const KINDS: [ErrorKind; 4] =
    [ErrorKind::InvalidArgument, ErrorKind::BudgetExceeded, ErrorKind::DeadlineExceeded, ErrorKind::Internal];

/// Appends a picture or the error: how that went, then sides as the file has them, sides of what follows, its RGB bytes.
pub(super) fn put(out: &mut Vec<u8>, picture: &Result<Picture>) {
    match picture {
        Ok(picture) => {
            out.push(0);
            let Picture { width, height, pixels } = picture;
            [*width, *height, pixels.width(), pixels.height()].into_iter().for_each(|n| put_varint(out, u64::from(n)));
            out.extend_from_slice(pixels.rgb());
        }
        Err(error) => {
            let kind = KINDS.iter().position(|kind| *kind == error.kind()).unwrap_or(KINDS.len() - 1);
            out.push(1 + kind as u8);
            put_counted(out, error.message().as_bytes());
        }
    }
}

/// Reads a picture or the error: its bytes must be as many as its sides say, which are no longer than any that is asked for.
pub(super) fn take(mut from: Take<'_>) -> Result<Result<Picture>> {
    match from.u8("state of a picture")?.checked_sub(1) {
        None => {
            let (width, height) = (side(&mut from, u32::MAX)?, side(&mut from, u32::MAX)?);
            let (columns, rows) = (side(&mut from, LONGEST_FOR_TEXT)?, side(&mut from, LONGEST_FOR_TEXT)?);
            let pixels = Pixels::new(columns, rows, from.rest().to_vec())
                .map_err(|e| Error::corrupted(format!("expected the pixels of a picture: {}", e.message())))?;
            Ok(Ok(Picture { width, height, pixels }))
        }
        Some(number) => {
            let kind = KINDS.get(usize::from(number)).copied();
            let kind = kind.ok_or_else(|| Error::corrupted(format!("expected a kind of error, got {number}")))?;
            let message = from.text("message")?.to_owned();
            finished(from)?;
            Ok(Err(Error::new(kind, message)))
        }
    }
}

fn side(from: &mut Take<'_>, most: u32) -> Result<u32> {
    let side = from.varint("side of a picture")?;
    let fits = u32::try_from(side).ok().filter(|side| (1..=most).contains(side));
    fits.ok_or_else(|| Error::corrupted(format!("side of a picture: expected 1 to {most}, got {side}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(picture: &Result<Picture>) -> Result<Result<Picture>> {
        let mut out = Vec::new();
        put(&mut out, picture);
        take(Take::new(&out))
    }

    #[test]
    fn pictures_and_errors_come_through_unchanged() {
        let pixels = Pixels::new(3, 2, (0..18).collect()).unwrap();
        let picture = Picture { width: 30_000, height: 20_000, pixels };
        let came = there_and_back(&Ok(picture.clone())).unwrap().unwrap();
        assert_eq!((came.width, came.height, came.pixels), (30_000, 20_000, picture.pixels));
        for kind in KINDS {
            let came = there_and_back(&Err(Error::new(kind, "why"))).unwrap().unwrap_err();
            assert_eq!((came.kind(), came.message()), (kind, "why"));
        }
        let other = there_and_back(&Err(Error::new(ErrorKind::Io, "why"))).unwrap().unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Internal);
    }

    #[test]
    fn claims_are_checked() {
        let bytes = |sides: &[u64], pixels: usize| {
            let mut out = vec![0];
            sides.iter().for_each(|side| put_varint(&mut out, *side));
            out.resize(out.len() + pixels, 7);
            out
        };
        assert!(take(Take::new(&bytes(&[9, 9, 2, 2], 12))).is_ok());
        for (sides, pixels) in [
            ([9, 9, 2, 2], 11),
            ([9, 9, 2, 2], 13),
            ([9, 9, 0, 2], 0),
            ([0, 9, 2, 2], 12),
            ([1 << 32, 9, 2, 2], 12),
            ([9, 9, 2401, 1], 7203),
        ] {
            assert!(take(Take::new(&bytes(&sides, pixels))).is_err(), "{sides:?}");
        }
        assert!(take(Take::new(&[5, 0])).is_err());
        assert!(take(Take::new(&[1, 1, b'a', 0])).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes: Vec<u8>) {
            let _any = take(Take::new(&bytes));
        }
    }
}
