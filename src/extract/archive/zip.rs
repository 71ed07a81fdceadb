//! ZIP: its central directory, or what local headers are left of it.

use super::Listing;
use crate::extract::container::zip::{self, Entry};
use crate::extract::{Facts, Input, Parsed};

/// Lists the archive.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let most = input.limits().entries;
    let found = zip::directory(input, most);
    let mut listing = Listing::default();
    let result = match found {
        Ok(found) => {
            count(&mut listing, &found.entries, facts.content_room());
            // Entries beyond what may be looked at are known by their number only.
            listing.entries = listing.entries.max(found.total.min(u64::from(u32::MAX)));
            Ok(())
        }
        Err(stop) => {
            let left = zip::locals(input, most).unwrap_or_default();
            count(&mut listing, &left, facts.content_room());
            Err(stop)
        }
    };
    if listing.entries > 0 || result.is_ok() {
        listing.publish(input, facts);
    }
    result
}

/// Lists what is a ZIP archive under another name; of other formats nothing is known.
pub fn package(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.peek_up_to(4)? == b"PK\x03\x04" { parse(input, facts) } else { Ok(()) }
}

fn count(listing: &mut Listing, entries: &[Entry], most: usize) {
    for entry in entries {
        listing.add(&entry.text(), entry.is_folder(), entry.unpacked, most);
        listing.encrypted |= entry.encrypted();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, listed, survives};
    use super::*;
    use crate::extract::container::zip::tests::archive;

    #[test]
    fn entries_are_counted_also_without_a_directory() {
        let data = archive(&[("a/", b""), ("a/x", b"12345"), ("y", b"678")]);
        assert_eq!(listed(parse, &data), (3, 1, 8, "false".into()));
        assert_eq!(facts(parse, &data).content, "a/\na/x\ny");
        let cut = data.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        assert_eq!(listed(parse, &data[..cut]).0, 3);
        survives(parse, &data);
    }

    #[test]
    fn a_bomb_is_only_a_number() {
        let mut data = archive(&[("bomb", b"0")]);
        let at = data.windows(4).position(|w| w == b"PK\x01\x02").unwrap() + 24;
        data[at..at + 4].copy_from_slice(&0xFFFF_FFF0_u32.to_le_bytes());
        assert_eq!(listed(parse, &data).2, 0xFFFF_FFF0);
    }
}
