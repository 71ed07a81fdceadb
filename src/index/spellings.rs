//! How texts are spelled whose folded form is stored elsewhere: mostly the same, or with some capital letters.
//!
//! Layout: `docs/format.md`, "Spellings".

use super::packed::{self, Packed};
use super::varint;
use crate::error::{Error, Result};

/// Texts per group; only where groups begin is stored.
const GROUP: usize = 16;
/// First byte of a spelling that is the text itself.
const WHOLE: u8 = 0;
/// Lengths of stretches of capitals that need no number of their own: 1 to this.
const SHORT: u64 = 3;

/// Collects spellings in order.
#[derive(Default)]
pub(crate) struct SpellingsWriter {
    starts: Vec<u64>,
    body: Vec<u8>,
    /// The group being filled, left out in the end if no text of it is spelled otherwise.
    group: Vec<u8>,
    has_any: bool,
    count: usize,
    spelling: Vec<u8>,
}

impl SpellingsWriter {
    /// Appends a text with its folded form.
    pub(crate) fn push(&mut self, text: &[u8], folded: &[u8]) {
        if self.count.is_multiple_of(GROUP) {
            self.end_group();
            self.starts.push(self.body.len() as u64);
        }
        self.spelling.clear();
        spell(text, folded, &mut self.spelling);
        self.has_any |= !self.spelling.is_empty();
        varint::put(&mut self.group, self.spelling.len() as u64);
        self.group.extend_from_slice(&self.spelling);
        self.count += 1;
    }

    fn end_group(&mut self) {
        if self.has_any {
            self.body.extend_from_slice(&self.group);
        }
        self.group.clear();
        self.has_any = false;
    }

    /// The section's bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end_group();
        self.starts.push(self.body.len() as u64);
        let mut packed = Vec::new();
        packed::write(&self.starts, &mut packed);
        let mut out = Vec::with_capacity(packed.len() + self.body.len() + 20);
        varint::put(&mut out, self.count as u64);
        varint::put(&mut out, packed.len() as u64);
        out.extend_from_slice(&packed);
        out.extend_from_slice(&self.body);
        out
    }
}

/// Appends how `text` differs from `folded`; nothing if it does not.
fn spell(text: &[u8], folded: &[u8], out: &mut Vec<u8>) {
    if text == folded {
        return;
    }
    let is_capital = |(text, folded): (&u8, &u8)| text.is_ascii_uppercase() && text.to_ascii_lowercase() == *folded;
    let mut pairs = text.iter().zip(folded);
    if text.len() != folded.len() || !pairs.clone().all(|pair| pair.0 == pair.1 || is_capital(pair)) {
        out.push(WHOLE);
        out.extend_from_slice(text);
        return;
    }
    let mut passed = 0;
    while let Some(pair) = pairs.next() {
        if !is_capital(pair) {
            passed += 1;
            continue;
        }
        let more = pairs.clone().take_while(|pair| is_capital(*pair)).count() as u64;
        pairs.by_ref().take(more as usize).for_each(drop);
        varint::put(out, 1 + (passed << 2 | more.min(SHORT)));
        if more >= SHORT {
            varint::put(out, more - SHORT);
        }
        passed = 0;
    }
}

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct Spellings<'a> {
    count: usize,
    starts: Packed<'a>,
    body: &'a [u8],
}

impl<'a> Spellings<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Spellings<'a>> {
        let count = varint::take(&mut bytes)? as usize;
        let len = varint::take(&mut bytes)? as usize;
        let starts = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        if starts.len() != count.div_ceil(GROUP) + 1 {
            return Err(Error::corrupted(format!("spellings: {count} in groups that begin at {}", starts.len())));
        }
        Ok(Spellings { count, starts, body: bytes })
    }

    /// Number of texts.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Spellings from text `at` on.
    pub(crate) fn from(&self, at: usize) -> Result<SpellingCursor<'a>> {
        let mut cursor = SpellingCursor { spellings: *self, next: at / GROUP * GROUP, group: &[] };
        while cursor.next < at {
            cursor.advance()?;
        }
        Ok(cursor)
    }
}

/// Walks spellings in order.
pub(crate) struct SpellingCursor<'a> {
    spellings: Spellings<'a>,
    next: usize,
    /// What is left of the group of `next`, if `next` is not its first.
    group: &'a [u8],
}

impl<'a> SpellingCursor<'a> {
    /// The next spelling.
    fn advance(&mut self) -> Result<&'a [u8]> {
        if self.next.is_multiple_of(GROUP) {
            let Spellings { starts, body, .. } = &self.spellings;
            let group = self.next / GROUP;
            let (from, to) = (starts.get(group) as usize, starts.get(group + 1) as usize);
            let outside = || Error::corrupted(format!("spellings: group {group} at {from}..{to} of {}", body.len()));
            self.group = body.get(from..to).ok_or_else(outside)?;
        }
        self.next += 1;
        if self.group.is_empty() {
            return Ok(&[]);
        }
        let len = varint::take(&mut self.group)? as usize;
        varint::take_bytes(&mut self.group, len)
    }

    /// Appends the next text, whose folded form is `folded`.
    #[inline]
    pub(crate) fn restore(&mut self, folded: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let mut spelling = self.advance()?;
        if let Some((&WHOLE, text)) = spelling.split_first() {
            out.extend_from_slice(text);
            return Ok(());
        }
        let start = out.len();
        out.extend_from_slice(folded);
        let mut rest = out.get_mut(start..).unwrap_or(&mut []);
        while !spelling.is_empty() {
            let code = varint::take(&mut spelling)?.wrapping_sub(1);
            let mut capitals = 1 + (code & SHORT);
            if capitals > SHORT {
                capitals = capitals.wrapping_add(varint::take(&mut spelling)?);
            }
            let tail = rest.split_at_mut_checked((code >> 2) as usize);
            let split = tail.and_then(|(_, tail)| tail.split_at_mut_checked(capitals as usize));
            let outside = || Error::corrupted(format!("spellings: capitals past the {} bytes of a text", folded.len()));
            let (these, tail) = split.ok_or_else(outside)?;
            these.make_ascii_uppercase();
            rest = tail;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::fold;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_come_back(texts in proptest::collection::vec("[a-cA-C/\u{e9}\u{c9}\u{6771}\u{fb01}]{0,9}|[A-Z]{1,300}|[a-z]{200}Z", 0..70), from in 0usize..70) {
            let mut writer = SpellingsWriter::default();
            texts.iter().for_each(|text| writer.push(text.as_bytes(), fold(text).as_bytes()));
            let bytes = writer.finish();
            let spellings = Spellings::new(&bytes).unwrap();
            prop_assert_eq!(spellings.len(), texts.len());
            let mut cursor = spellings.from(from.min(texts.len())).unwrap();
            for text in texts.iter().skip(from) {
                let mut out = b"before ".to_vec();
                cursor.restore(fold(text).as_bytes(), &mut out).unwrap();
                prop_assert_eq!(out.strip_prefix(b"before ").unwrap(), text.as_bytes());
            }
        }

        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..40) {
            if let Ok(spellings) = Spellings::new(&bytes) && let Ok(mut cursor) = spellings.from(at) {
                let _ = cursor.restore(b"some text", &mut Vec::new());
            }
        }
    }

    #[test]
    fn what_folding_did_not_change_takes_no_room() {
        let mut writer = SpellingsWriter::default();
        (0..160).for_each(|_| writer.push(b"oss://b/photos/a.jpg", b"oss://b/photos/a.jpg"));
        let mut capitals = Vec::new();
        spell(b"IMG_2024.JPG", b"img_2024.jpg", &mut capitals);
        assert_eq!((writer.finish().len(), capitals), (44, vec![1 + 2, 1 + (6 << 2 | 2)]));
    }
}
