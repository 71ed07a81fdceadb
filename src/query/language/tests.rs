//! The language against the trees that its documentation promises.

use super::*;
use crate::model::query::MAX_CONDITIONS;
use crate::model::{Anchor, Condition, FieldId, field as fields};
use proptest::prelude::*;

fn filter(text: &str) -> Filter {
    let search = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(search.text, "", "{text}");
    search.filter.unwrap()
}

fn is(field: &str, operator: &str, value: &str) -> Filter {
    Filter::Is(Condition::parse(field, operator, value).unwrap())
}

fn occurs(text: &str, fields: &[FieldId], anchor: Anchor) -> Filter {
    Filter::Text(TextMatch { text: text.to_owned(), search_in: fields.to_vec(), anchor })
}

fn anywhere(text: &str) -> Filter {
    occurs(text, &[], Anchor::None)
}

#[test]
fn one_condition_is_one_leaf() {
    for (text, field, operator, value) in [
        ("mediatype:image", "MediaType", "eq", "image"),
        ("type:video", "MediaType", "eq", "video"),
        ("type:image/jpeg", "ContentType", "eq", "image/jpeg"),
        ("type:image/*", "ContentType", "prefix", "image/"),
        ("size>10MB", "Size", "gt", "10000000"),
        ("size >= 1KiB", "Size", "gte", "1024"),
        ("Size<5", "Size", "lt", "5"),
        ("size<=1.5e3", "Size", "lte", "1500.0"),
        ("size:0", "Size", "eq", "0"),
        ("size:10..", "Size", "gte", "10"),
        ("size:..10", "Size", "lte", "10"),
        ("duration>1h30m", "Duration", "gt", "5400"),
        ("label:beach", "Labels.LabelName", "eq", "beach"),
        ("label:\"north sea\"", "Labels.LabelName", "eq", "north sea"),
        ("label=a\"b", "Labels.LabelName", "eq", "a\"b"),
        ("etag:\"\"\"9a0364\"\"\"", "ETag", "eq", "\"9a0364\""),
        ("label:bea*", "Labels.LabelName", "prefix", "bea"),
        ("label:\"a b*\"*", "Labels.LabelName", "prefix", "a b*"),
        ("label>m", "Labels.LabelName", "gt", "m"),
        ("VideoStreams.Width>=3840", "VideoStreams.Width", "gte", "3840"),
        ("video.width>=3840", "VideoStreams.Width", "gte", "3840"),
        ("imagescore.overallqualityscore>0.5", "ImageScore.OverallQualityScore", "gt", "0.5"),
        ("CustomLabels.Album:trash", "CustomLabels.Album", "eq", "trash"),
        ("tag.k:v", "OSSTagging.k", "eq", "v"),
        ("tag.a.b!c:v", "OSSTagging.a.b!c", "eq", "v"),
        ("meta.x-oss-meta-place:v*", "OSSUserMeta.x-oss-meta-place", "prefix", "v"),
        ("title:\"North Sea\"", "Title", "match-phrase", "North Sea"),
        ("title=\"North Sea\"", "Title", "eq", "North Sea"),
        ("title=North*", "Title", "prefix", "North"),
        ("title=\"\"", "Title", "eq", ""),
        ("audiostreams.lyric:tide", "AudioStreams.Lyric", "match-phrase", "tide"),
        ("date>=2024-05", "ProduceTime", "gte", "2024-05-01T00:00:00Z"),
        ("taken>2024-05", "ProduceTime", "gte", "2024-06-01T00:00:00Z"),
        ("modified<2024", "FileModifiedTime", "lt", "2024-01-01T00:00:00Z"),
        ("modified<=2024", "FileModifiedTime", "lt", "2025-01-01T00:00:00Z"),
        ("date:2024-05-01T08:00:00+08:00", "ProduceTime", "eq", "2024-05-01T00:00:00Z"),
        ("date>2024-05-01T08:00:00.5Z", "ProduceTime", "gt", "2024-05-01T08:00:00.5Z"),
        ("date:..2024-05", "ProduceTime", "lt", "2024-06-01T00:00:00Z"),
        ("near:30.25,120.1,5km", "LatLong", "geo-distance", "30.25,120.1;5000"),
        ("within:31,120,30,121", "LatLong", "geo-bounding-box", "31,120;30,121"),
        ("within:\"0,0, 0,1, 1,1\"", "LatLong", "geo-polygon", "0,0;0,1;1,1"),
        ("has:latlong", "LatLong", "exist", ""),
        ("has:labels", "Labels", "exist", ""),
        ("has:custom.k", "CustomLabels.k", "exist", ""),
        ("has:type", "MediaType", "exist", ""),
        ("artist:*", "Artist", "exist", ""),
    ] {
        assert_eq!(filter(text), is(field, operator, value), "{text}");
    }
}

#[test]
fn names_in_any_case_and_keys_as_they_are() {
    assert_eq!(filter("CUSTOM.\"my key\"=x"), is("CustomLabels.my key", "eq", "x"));
    assert_eq!(filter("VIDEOSTREAMS.width=1"), is("VideoStreams.Width", "eq", "1"));
    let either = Filter::Or(vec![is("ImageWidth", "gt", "10"), is("VideoWidth", "gt", "10")]);
    assert_eq!(filter("width>10"), either);
}

#[test]
fn texts_of_fields_are_searched_as_free_text_is() {
    for (text, expected) in [
        ("name:img_20", occurs("img_20", &[fields::FILENAME], Anchor::None)),
        ("filename:*.jpg", occurs(".jpg", &[fields::FILENAME], Anchor::End)),
        ("name:img*", occurs("img", &[fields::FILENAME], Anchor::Start)),
        ("name:*img*", occurs("img", &[fields::FILENAME], Anchor::None)),
        ("title:beatls~", occurs("beatls~", &[fields::TITLE], Anchor::None)),
        ("title:\"a b\"*", occurs("\"a b\"", &[fields::TITLE], Anchor::Start)),
        ("path:2024/trip", occurs("2024/trip", &[fields::URI], Anchor::None)),
        ("path:\"my trip\"", occurs("\"my trip\"", &[fields::URI], Anchor::None)),
        ("label:*each", occurs("each", &[fields::LABEL_NAME], Anchor::End)),
        ("custom:trash", occurs("trash", &[fields::CUSTOM_LABELS], Anchor::None)),
        ("ext:JPG", occurs("\".JPG\"", &[fields::URI], Anchor::End)),
        ("name:a(1)b", occurs("a(1)b", &[fields::FILENAME], Anchor::None)),
    ] {
        assert_eq!(filter(text), expected, "{text}");
    }
}

#[test]
fn periods_and_ranges_are_two_conditions() {
    let month = Filter::And(vec![
        is("ProduceTime", "gte", "2024-05-01T00:00:00Z"),
        is("ProduceTime", "lt", "2024-06-01T00:00:00Z"),
    ]);
    assert_eq!(filter("date:2024-05"), month);
    assert_eq!(filter("date=2024-05"), month);
    assert_eq!(filter("-date:2024-05"), Filter::Not(vec![month.clone()]));
    assert_eq!(filter("date!=2024-05"), Filter::Not(vec![month]));
    let summer = Filter::And(vec![
        is("ProduceTime", "gte", "2024-05-01T00:00:00+08:00"),
        is("ProduceTime", "lt", "2024-09-01T00:00:00Z"),
    ]);
    assert_eq!(filter("date:2024-05+08:00..2024-08"), summer);
    let until = Filter::And(vec![
        is("ProduceTime", "gte", "2024-01-01T00:00:00Z"),
        is("ProduceTime", "lte", "2024-05-01T08:00:00Z"),
    ]);
    assert_eq!(filter("date:2024..2024-05-01T08:00:00Z"), until);
    assert_eq!(filter("size:1KB..2KB"), Filter::And(vec![is("Size", "gte", "1000"), is("Size", "lte", "2000")]));
    // On members of an array both ends are about one element.
    let range = vec![is("Labels.LabelConfidence", "gte", "0.5"), is("Labels.LabelConfidence", "lte", "0.8")];
    assert_eq!(filter("confidence:0.5..0.8"), Filter::Nested(fields::LABELS, range.clone()));
    assert_eq!(filter("label(confidence:0.5..0.8)"), Filter::Nested(fields::LABELS, range));
}

#[test]
fn structure() {
    let (a, b, c) = (|| is("Title", "eq", "a"), || is("Title", "eq", "b"), || is("Title", "eq", "c"));
    let nested = |of| Filter::Nested(fields::LABELS, of);
    for (text, expected) in [
        ("title=a title=b", Filter::And(vec![a(), b()])),
        ("title=a and (title=b AND title=c)", Filter::And(vec![a(), b(), c()])),
        ("title=a or title=b OR title=c", Filter::Or(vec![a(), b(), c()])),
        ("title=a or (title=b or (title=c))", Filter::Or(vec![a(), b(), c()])),
        ("title=a title=b or title=c", Filter::Or(vec![Filter::And(vec![a(), b()]), c()])),
        ("title=a (title=b or title=c)", Filter::And(vec![a(), Filter::Or(vec![b(), c()])])),
        ("-title=a", Filter::Not(vec![a()])),
        ("not title=a NOT title=b", Filter::And(vec![Filter::Not(vec![a()]), Filter::Not(vec![b()])])),
        ("title!=a", Filter::Not(vec![a()])),
        ("-(title=a or title=b)", Filter::Not(vec![a(), b()])),
        ("-(title=a title=b)", Filter::Not(vec![Filter::And(vec![a(), b()])])),
        ("not not title=a", a()),
        ("not -(title=a or title=b)", Filter::Or(vec![a(), b()])),
        ("((((((((title=a))))))))", a()),
        ("one or \"two three\"~", Filter::Or(vec![anywhere("one"), anywhere("\"two three\"~")])),
        ("-trash", Filter::Not(vec![anywhere("trash")])),
        ("one two or title=a", Filter::Or(vec![anywhere("one two"), a()])),
        (
            "label(name:beach confidence>0.8)",
            nested(vec![is("Labels.LabelName", "eq", "beach"), is("Labels.LabelConfidence", "gt", "0.8")]),
        ),
        (
            "Labels(labelname:a or labels.language=b)",
            nested(vec![Filter::Or(vec![is("Labels.LabelName", "eq", "a"), is("Labels.Language", "eq", "b")])]),
        ),
        (
            "-face(age>36 gender:male)",
            Filter::Not(vec![Filter::Nested(
                fields::FIGURES,
                vec![is("Figures.Age", "gt", "36"), is("Figures.Gender", "eq", "male")],
            )]),
        ),
        ("face(-has:mask)", Filter::Nested(fields::FIGURES, vec![Filter::Not(vec![is("Figures.Mask", "exist", "")])])),
        (
            "subtitle(text:tide)",
            Filter::Nested(fields::SUBTITLES, vec![is("Subtitles.Content", "match-phrase", "tide")]),
        ),
    ] {
        assert_eq!(filter(text), expected, "{text}");
        expected.check().unwrap();
    }
}

#[test]
fn words_that_everything_depends_on_stay_fuzzy_text() {
    for (text, words) in [
        ("", ""),
        ("  ", ""),
        ("rock  and  roll", "rock roll"),
        ("a (b \"c  d\") e~2", "a b \"c  d\" e~2"),
        ("(IMG(1))", "IMG(1)"),
        ("5\" 10:30 a - b --x _ C++ #1", "5\" 10:30 a - b --x _ C++ #1"),
        ("oss://bucket/key https://x.y/z", "oss://bucket/key https://x.y/z"),
        ("a > b x . y size : 5 sized > 5", "a > b x . y size : 5 sized > 5"),
        ("\"a:b\" \"or\" \"(\"", "\"a:b\" \"or\" \"(\""),
        ("\u{65e5}:\u{843d} (\u{897f}\u{6e56})", "\u{65e5}:\u{843d} \u{897f}\u{6e56}"),
        ("\"say \"x\" now\"", "\"say \"x\" now\""),
        ("And Or nOt", "And Or nOt"),
    ] {
        assert_eq!(parse(text).unwrap(), Search { text: words.to_owned(), filter: None }, "{text}");
    }
    let both = parse("mediatype:image size>10MB label:beach near:30.25,120.1,5km -custom.album:trash \"north sea\" x")
        .unwrap();
    assert_eq!(both.text, "\"north sea\" x");
    let Some(Filter::And(of)) = both.filter else { panic!("{both:?}") };
    assert_eq!(of.len(), 5);
}

#[test]
fn filters_join_without_a_level() {
    let whole = |text: &str| parse(text).unwrap().into_filter();
    let (a, b) = (is("Title", "eq", "a"), is("Title", "eq", "b"));
    assert_eq!(whole("x title=a title=b"), Some(Filter::And(vec![anywhere("x"), a.clone(), b.clone()])));
    assert_eq!((whole("x"), whole("")), (Some(anywhere("x")), None));
    assert_eq!(both(Some(a.clone()), None), Some(a.clone()));
    assert_eq!(both(Some(a.clone()), Some(b.clone())), Some(Filter::And(vec![a, b])));
}

#[test]
fn names_of_single_fields() {
    for (name, path) in
        [("label", "Labels.LabelName"), ("type", "MediaType"), ("custom.K", "CustomLabels.K"), ("SIZE", "Size")]
    {
        assert_eq!(field(name).unwrap().to_string(), path);
    }
    for (name, expected) in
        [("width", "one of ImageWidth, VideoWidth"), ("nope", "unknown field"), ("has", "unknown field")]
    {
        assert!(field(name).unwrap_err().message().contains(expected), "{name}");
    }
    assert_eq!(number(&field("size").unwrap(), "1.5KB").unwrap(), 1500.0);
    assert!(number(&field("size").unwrap(), "x").is_err());
}

/// Every refusal, with the character it points at and how its sentence begins.
#[test]
fn refusals_point_at_the_character() {
    for (text, character, sentence) in [
        ("size>ten", 6, "Size: expected a number, alone or in kib, "),
        ("x width>4k", 9, "ImageWidth: expected a number, got \"4k\""),
        ("colour:red", 1, "unknown field \"colour\"; a text that looks like a condition"),
        ("\u{e9}t\u{e9} labels.nope=1", 5, "unknown field \"labels.nope\""),
        ("has:nope", 5, "unknown field \"nope\""),
        ("has:near", 5, "expected the name of a field, got \"near\""),
        ("has>size", 1, "expected has:FIELD"),
        ("date:yesterday", 6, "ProduceTime: expected a time such as 2024"),
        ("date:2024-13..2025", 6, "ProduceTime: expected a time such as 2024"),
        ("date:2025..2024", 6, "expected a range whose first end"),
        ("size:5..4", 6, "expected a range whose first end"),
        ("size:..", 6, "expected a range with at least one end"),
        ("size>1..2", 6, "expected one value after this operator, got a range"),
        ("near:1,2", 6, "near: expected latitude,longitude,radius"),
        ("near>1,2,3", 1, "expected near:..., got another operator"),
        ("within:1,2,3", 8, "within: expected latitude,longitude of two"),
        ("exif:canon", 1, "EXIF is only stored"),
        ("has:exif", 1, "EXIF is only stored"),
        ("labels:beach", 1, "Labels has members"),
        ("tag:x", 1, "OSSTagging has entries"),
        ("latlong:1,2", 1, "LatLong is a place"),
        ("title:a*b", 7, "expected stars only at the ends"),
        ("type:*jpg", 6, "MediaType: expected no star at the start"),
        ("title:\"\"", 7, "Title: expected words"),
        ("ext:", 5, "expected a value, got none"),
        ("ext:*", 5, "expected ext:jpg"),
        ("title: x", 7, "expected a value, got none"),
        ("(title:)", 8, "expected a value, got none"),
        ("label:(a or b)", 7, "expected a value, got a bracket"),
        ("title:\"a", 7, "expected a second quote"),
        ("title:\"a\"b", 10, "expected a space after the quoted value"),
        ("x \"a b", 3, "expected a text and a second quote"),
        ("\"\"", 1, "expected a text and a second quote"),
        ("\"a\"b", 1, "expected a text and a second quote"),
        ("a \u{301}", 3, "expected a text with characters"),
        ("a or", 5, "expected a text or a condition, got the end"),
        ("a or )", 6, "expected a text or a condition, got a bracket"),
        ("or a", 1, "expected a text or a condition, got \"or\"; in quotes"),
        ("a and and b", 7, "expected a text or a condition, got \"and\"; in quotes"),
        ("not", 4, "expected a text or a condition, got the end"),
        ("()", 2, "expected a text or a condition, got a bracket"),
        ("a)", 2, "expected no closing bracket"),
        ("a (b", 3, "expected a closing bracket for this one"),
        ("label(name:a", 1, "expected a closing bracket for this one"),
        ("label(beach)", 7, "expected conditions like name:value in the group of Labels"),
        ("label(size>1)", 7, "size is not a member of Labels"),
        ("label(near:1,2,3)", 7, "near is not a member of Labels"),
        ("label(name:a face(age>1))", 14, "expected no group inside the group of Labels"),
        ("label(name:*a)", 12, "Labels.LabelName: expected no star at the start"),
        ("-(a -(b -(c -(d -(e f)))))", 11, "expected at most 5 levels"),
    ] {
        let error = parse(text).unwrap_err();
        let expected = format!("at character {character}: {sentence}");
        assert!(error.message().starts_with(&expected), "{text}\n{expected}\n{error}");
    }
}

#[test]
fn limits_are_those_of_the_tree() {
    let many = |n: usize| vec!["size:1"; n].join(" or ");
    assert!(parse(&many(MAX_CONDITIONS)).is_ok());
    let error = parse(&many(MAX_CONDITIONS + 1)).unwrap_err();
    let at = (MAX_CONDITIONS) * "size:1 or ".len() + 1;
    assert!(error.message().starts_with(&format!("at character {at}: expected at most 100 conditions")), "{error}");
    assert!(parse(&"x".repeat(MAX_QUERY_BYTES + 1)).is_err());
}

#[test]
fn the_longest_texts_are_read_or_refused_at_once() {
    let began = cpu_time::ThreadTime::now();
    for piece in [
        "(", ")", "\"", "-", "not ", "a ", "a or ", "\"a ", "\"a\"b ", "size:1 ", "label(", "-(a ", "a\" ", "(a) ",
        "*", "a.", "..", "\u{301}", "x:", "~ ",
    ] {
        let text = piece.repeat(MAX_QUERY_BYTES / 4 / piece.len());
        if let Err(error) = parse(&text) {
            assert!(error.message().len() < 600, "{piece}");
        }
    }
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

/// The examples and the names of the documentation are real.
#[test]
fn documentation_is_right() {
    let text = include_str!("../../../docs/queries.md");
    let blocks: Vec<&str> = text.split("```query\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let examples: Vec<&str> = blocks.iter().flat_map(|block| block.lines()).collect();
    assert!(examples.len() >= 10, "{examples:?}");
    for example in examples {
        let query = example.split("  ").next().unwrap();
        parse(query).unwrap_or_else(|e| panic!("{query}: {e}"));
    }
    for (name, fields) in names::SHORT {
        let paths: Vec<String> = fields.iter().map(|f| format!("`{f}`")).collect();
        let row = format!("| `{name}` | {} |", paths.join(", "));
        assert!(text.contains(&row), "docs/queries.md lacks {row}");
    }
    for names::Element { name, array, members } in names::ELEMENTS {
        let shorts: Vec<String> =
            members.iter().map(|(short, id)| format!("`{short}` {}", id.field().name())).collect();
        let row = format!("| `{name}(...)` | `{array}` | {} |", shorts.join(", "));
        assert!(text.contains(&row), "docs/queries.md lacks {row}");
    }
}

/// Pieces that mean something, so that random texts reach every rule.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        " ", "(", ")", "\"", "\"\"", "-", "~", "~2", "*", "..", ":", "=", "!=", ">", "<=", "and", "or", "not", "size",
        "date", "label", "label(", "face(", "name", "custom.", "tag.k", "near:", "1,2,3km", "within:", "has:", "ext:",
        "2024-05", "10MB", "beach", "x", "\u{301}", "\u{65e5}", "://", "\n",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn parses_or_says_why(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(search) => {
            if let Some(filter) = &search.filter {
                prop_assert!(filter.check().is_ok(), "{text:?} {filter:?}");
            }
            if !search.text.is_empty() {
                prop_assert!(crate::query::text::parse(&search.text).is_ok(), "{text:?}");
                // The text of a query reads as itself.
                let again = parse(&search.text).unwrap();
                prop_assert_eq!(again, Search { filter: None, ..search });
            }
        }
        Err(error) => {
            let rest = error.message().strip_prefix("at character ").unwrap();
            let number: usize = rest.split(':').next().unwrap().parse().unwrap();
            prop_assert!((1..=text.chars().count() + 1).contains(&number), "{text:?} {error}");
        }
    }
    Ok(())
}

#[test]
fn words_that_were_apart_do_not_become_a_comparison() {
    for (text, left) in [("size -~\n=", "= size"), ("x date -y <=~2 >z", "<=~2 >z x date"), ("a -b = c", "a = c")] {
        assert_eq!(parse(text).unwrap().text, left, "{text:?}");
        parses_or_says_why(text).unwrap();
    }
}

proptest! {
    #[test]
    fn any_text_parses_or_says_why(text in "\\PC{0,40}") {
        parses_or_says_why(&text)?;
    }

    #[test]
    fn any_pieces_parse_or_say_why(text in pieces()) {
        parses_or_says_why(&text)?;
    }

    /// Free text without any sign of the language is fuzzy text, part by part.
    #[test]
    fn plain_words_stay_as_they_are(words in prop::collection::vec("[a-z0-9_.\u{e9}\u{65e5}]{1,6}", 1..6)) {
        prop_assume!(!words.iter().any(|word| ["and", "or", "not"].contains(&word.as_str())));
        let text = words.join(" ");
        prop_assert_eq!(parse(&text).unwrap(), Search { text, filter: None });
    }
}
