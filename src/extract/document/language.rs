//! A guess of the language that a text is written in, by the crate whatlang.

use whatlang::{Lang, detect};

/// Bytes that are looked at: more would not change the answer.
const SAMPLE: usize = 2048;
/// Characters that a text in an alphabet needs; below, a guess is a coin toss.
const LEAST: usize = 24;

/// The BCP 47 code of the language, where the guess is sure.
pub(super) fn guess(text: &str) -> Option<&'static str> {
    let sample = text.get(..text.floor_char_boundary(SAMPLE)).unwrap_or(text);
    let found = detect(sample)?;
    let long = sample.chars().filter(|c| c.is_alphabetic()).count() >= LEAST;
    // Scripts of one language need no long text.
    let own = matches!(found.lang(), Lang::Jpn | Lang::Kor | Lang::Tha | Lang::Ell | Lang::Kat | Lang::Hye);
    (found.is_reliable() && (long || own)).then(|| short(found.lang()))
}

/// ISO 639-1 where it has a code, as BCP 47 (RFC 5646, 2.2.1) demands; else ISO 639-3.
fn short(lang: Lang) -> &'static str {
    SHORT.iter().find(|(long, _)| *long == lang.code()).map_or(lang.code(), |(_, short)| short)
}

/// ISO 639-3 and ISO 639-1 of the languages that whatlang knows.
static SHORT: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sure_guesses_only() {
        let table = [
            ("The harbour lights were burning when the last ferry came home to the island.", Some("en")),
            ("Die Lichter im Hafen brannten noch, als die letzte F\u{e4}hre zur Insel zur\u{fc}ckkehrte.", Some("de")),
            (
                "\u{6e2f}\u{306e}\u{706f}\u{308a}\u{306f}\u{307e}\u{3060}\u{3064}\u{3044}\u{3066}\u{3044}\u{305f}",
                Some("ja"),
            ),
            ("ok", None),
            ("1234 5678 90", None),
            ("", None),
        ];
        for (text, want) in table {
            assert_eq!(guess(text), want, "{text}");
        }
    }

    #[test]
    fn every_language_has_its_short_code() {
        for lang in Lang::all() {
            assert!(short(*lang).len() == 2 || lang.code() == "aka", "{lang:?}");
        }
    }
}
