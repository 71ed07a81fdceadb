//! What people look for and the document has no member for: one fact each, under one name, whatever vocabulary says it.

use super::facts::{Fact, Facts, Group};

/// The names, all of the vocabulary `Tag`, and the facts that can give each, the first present one wins.
pub static CREDITS: &[(&str, &[(Group, &str)])] = &[
    (
        "Description",
        &[
            (Group::Xmp, "dc:description"),
            (Group::Iptc, "Caption-Abstract"),
            (Group::Exif, "ImageDescription"),
            (Group::Header, "Description"),
            (Group::Exif, "UserComment"),
            (Group::Exif, "XPComment"),
        ],
    ),
    (
        "Copyright",
        &[
            (Group::Xmp, "dc:rights"),
            (Group::Iptc, "CopyrightNotice"),
            (Group::Exif, "Copyright"),
            (Group::Header, "Copyright"),
        ],
    ),
    ("Rating", &[(Group::Xmp, "xmp:Rating"), (Group::Exif, "Rating")]),
    ("Lens", &[(Group::Exif, "LensModel"), (Group::Xmp, "exifEX:LensModel"), (Group::Xmp, "aux:Lens")]),
];

/// Adds those that the facts support and no parser has added itself. Each keeps where it was found.
pub(super) fn add(facts: &mut Facts) {
    for (name, sources) in CREDITS {
        if facts.find(Group::Tag, name).is_some() {
            continue;
        }
        let found = sources.iter().find_map(|(group, tag)| facts.first(*group, tag).cloned());
        if let Some(Fact { format, offset, value, .. }) = found {
            facts.add(format, Group::Tag, *name, offset, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    #[test]
    fn the_best_source_gives_the_name_and_keeps_its_place() {
        let mut facts = Facts::new(&Limits::default());
        facts.add("exif", Group::Exif, "Copyright", 3, "old");
        facts.add("xmp", Group::Xmp, "dc:rights", 9, "new");
        facts.add("exif", Group::Exif, "Rating", 5, "4");
        facts.add("flac", Group::Tag, "Description", 7, "own");
        facts.add("exif", Group::Exif, "ImageDescription", 8, "other");
        add(&mut facts);
        let of = |name| facts.first(Group::Tag, name).map(|fact| (fact.format, fact.offset, fact.value.clone()));
        assert_eq!(of("Copyright"), Some(("xmp", 9, Datum::from("new"))));
        assert_eq!(of("Rating"), Some(("exif", 5, Datum::from("4"))));
        assert_eq!(of("Description"), Some(("flac", 7, Datum::from("own"))));
        assert_eq!(of("Lens"), None);
    }
}
