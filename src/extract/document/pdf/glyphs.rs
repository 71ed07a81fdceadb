//! Names of glyphs to characters (Adobe Glyph List Specification 1.7), as far as texts in Latin letters need them.

/// Names that do not say their character themselves.
static NAMES: &[(&str, &str)] = &[
    ("space", " "),
    ("nbspace", " "),
    ("exclam", "!"),
    ("quotedbl", "\""),
    ("numbersign", "#"),
    ("dollar", "$"),
    ("percent", "%"),
    ("ampersand", "&"),
    ("quotesingle", "'"),
    ("quoteright", "\u{2019}"),
    ("quoteleft", "\u{2018}"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("asterisk", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("hyphen", "-"),
    ("minus", "\u{2212}"),
    ("period", "."),
    ("slash", "/"),
    ("zero", "0"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("colon", ":"),
    ("semicolon", ";"),
    ("less", "<"),
    ("equal", "="),
    ("greater", ">"),
    ("question", "?"),
    ("at", "@"),
    ("bracketleft", "["),
    ("backslash", "\\"),
    ("bracketright", "]"),
    ("asciicircum", "^"),
    ("underscore", "_"),
    ("grave", "`"),
    ("braceleft", "{"),
    ("bar", "|"),
    ("braceright", "}"),
    ("asciitilde", "~"),
    ("ff", "ff"),
    ("fi", "fi"),
    ("fl", "fl"),
    ("ffi", "ffi"),
    ("ffl", "ffl"),
    ("f_f", "ff"),
    ("f_i", "fi"),
    ("f_l", "fl"),
    ("f_f_i", "ffi"),
    ("f_f_l", "ffl"),
    ("endash", "\u{2013}"),
    ("emdash", "\u{2014}"),
    ("bullet", "\u{2022}"),
    ("ellipsis", "\u{2026}"),
    ("quotedblleft", "\u{201c}"),
    ("quotedblright", "\u{201d}"),
    ("quotedblbase", "\u{201e}"),
    ("quotesinglbase", "\u{201a}"),
    ("guillemotleft", "\u{ab}"),
    ("guillemotright", "\u{bb}"),
    ("guilsinglleft", "\u{2039}"),
    ("guilsinglright", "\u{203a}"),
    ("dagger", "\u{2020}"),
    ("daggerdbl", "\u{2021}"),
    ("section", "\u{a7}"),
    ("paragraph", "\u{b6}"),
    ("periodcentered", "\u{b7}"),
    ("copyright", "\u{a9}"),
    ("registered", "\u{ae}"),
    ("trademark", "\u{2122}"),
    ("degree", "\u{b0}"),
    ("plusminus", "\u{b1}"),
    ("multiply", "\u{d7}"),
    ("divide", "\u{f7}"),
    ("Euro", "\u{20ac}"),
    ("sterling", "\u{a3}"),
    ("yen", "\u{a5}"),
    ("cent", "\u{a2}"),
    ("germandbls", "\u{df}"),
    ("ae", "\u{e6}"),
    ("AE", "\u{c6}"),
    ("oe", "\u{153}"),
    ("OE", "\u{152}"),
    ("oslash", "\u{f8}"),
    ("Oslash", "\u{d8}"),
    ("lslash", "\u{142}"),
    ("Lslash", "\u{141}"),
    ("dotlessi", "\u{131}"),
    ("eth", "\u{f0}"),
    ("thorn", "\u{fe}"),
];

/// Accents as they end a name, and the combining characters that they are.
static ACCENTS: &[(&str, char)] = &[
    ("grave", '\u{300}'),
    ("acute", '\u{301}'),
    ("circumflex", '\u{302}'),
    ("tilde", '\u{303}'),
    ("dieresis", '\u{308}'),
    ("ring", '\u{30a}'),
    ("caron", '\u{30c}'),
    ("cedilla", '\u{327}'),
    ("ogonek", '\u{328}'),
    ("macron", '\u{304}'),
    ("breve", '\u{306}'),
    ("dotaccent", '\u{307}'),
    ("hungarumlaut", '\u{30b}'),
];

/// The text of a glyph of that name.
pub(super) fn text(name: &str) -> Option<String> {
    // What stands behind a full stop names a variant.
    let name = name.split('.').next().filter(|name| !name.is_empty())?;
    if let Some((_, text)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some((*text).to_owned());
    }
    let mut chars = name.chars();
    match (chars.next(), chars.next()) {
        (Some(letter), None) => return Some(letter.to_string()),
        (Some(letter), Some(_)) if letter.is_ascii_alphabetic() => {
            let rest = name.get(1..)?;
            if let Some((_, accent)) = ACCENTS.iter().find(|(known, _)| *known == rest) {
                return unicode_normalization::char::compose(letter, *accent).map(String::from);
            }
        }
        _ => {}
    }
    let hex = name.strip_prefix("uni").filter(|hex| hex.len() >= 4).and_then(|hex| hex.get(..4));
    let hex = hex.or_else(|| name.strip_prefix('u').filter(|hex| (4..=6).contains(&hex.len())));
    hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_kind() {
        let table = [
            ("A", Some("A")),
            ("a.sc", Some("a")),
            ("eacute", Some("\u{e9}")),
            ("Scaron", Some("\u{160}")),
            ("fi", Some("fi")),
            ("uni4E2D", Some("\u{4e2d}")),
            ("u1F600", Some("\u{1f600}")),
            (".notdef", None),
            ("g123", None),
            ("", None),
        ];
        for (name, want) in table {
            assert_eq!(text(name).as_deref(), want, "{name}");
        }
    }
}
