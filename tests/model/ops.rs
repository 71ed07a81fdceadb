//! The operations: small numbers that stand for documents and queries of a small world, so that updates, tombstones and
//! merges meet each other, and failures shrink well.

use medialith::model::{
    Aggregation, Anchor, FieldPath, File, Filter, Order, Page, Query, SortKey, Typos, Value, field,
};

/// Documents of the world.
const KEYS: u8 = 48;
/// Words of titles, labels and names: neighbours by typo, by folding, by script; long and short.
const WORDS: [&str; 14] = [
    "beach",
    "bench",
    "photograph",
    "photogroph",
    "a",
    "ab",
    "AbA",
    "\u{6771}\u{4eac}",
    "\u{6771}",
    "STRA\u{df}E",
    "\u{c9}t\u{e9}",
    "\u{30ab}\u{3099}",
    "IMG_2024-01-02",
    "x.y_z",
];
/// What queries ask for beside the words: parts of words, phrases, asked-for and accidental typos, nothing there is.
const TEXTS: [&str; 14] = [
    "oss://bucket",
    "ea",
    "2024 img",
    "\"ab photograph\"",
    "phtograph",
    "bech~",
    "bench~2",
    "strasse",
    "ete",
    "\u{4eac}",
    ".jpg",
    "a ab",
    "nowhere",
    "x.y",
];
/// Filters over the members of the world.
const FILTERS: [&str; 14] = [
    r#"{"Operation":"gte","Field":"Size","Value":"5000"}"#,
    r#"{"Operation":"not","SubQueries":[{"Operation":"exist","Field":"Size"}]}"#,
    r#"{"Operation":"match-phrase","Field":"Title","Value":"BEACH photograph"}"#,
    r#"{"Operation":"prefix","Field":"Title","Value":"photogr"}"#,
    r#"{"Operation":"eq","Field":"CustomLabels.K","Value":"BEACH"}"#,
    r#"{"Operation":"prefix","Field":"CustomLabels.k","Value":"aB"}"#,
    r#"{"Operation":"lt","Field":"ProduceTime","Value":"2024-01-10T08:00:00+08:00"}"#,
    r#"{"Operation":"prefix","Field":"URI","Value":"oss://bucket/1/"}"#,
    r#"{"Operation":"prefix","Field":"Filename","Value":"b"}"#,
    r#"{"Operation":"match-phrase","Field":"Filename","Value":"jpg"}"#,
    r#"{"Operation":"or","SubQueries":[{"Operation":"eq","Field":"Size","Value":"3000"},{"Operation":"gt","Field":"Title","Value":"c"}]}"#,
    r#"{"Operation":"and","SubQueries":[{"Operation":"gt","Field":"Size","Value":"1000"},{"Operation":"lte","Field":"Size","Value":"9000"},{"Operation":"exist","Field":"CustomLabels.k"}]}"#,
    r#"{"Operation":"eq","Field":"CustomId","Value":"id 3"}"#,
    r#"{"Operation":"not","SubQueries":[{"Operation":"eq","Field":"Filename","Value":"bench-2.jpg"},{"Operation":"exist","Field":"CustomLabels"}]}"#,
];
/// What is computed over what is found.
const AGGREGATIONS: [(&str, &str); 8] = [
    ("Size", "sum"),
    ("Size", "average"),
    ("Size", "group"),
    ("Title", "group"),
    ("CustomLabels.k", "distinct"),
    ("ProduceTime", "histogram-day"),
    ("Size", "ranges:1000,5000"),
    ("Filename", "count"),
];
const SORTS: [&str; 8] = ["", "Size", "Title", "ProduceTime", "CustomLabels.k", "Filename", "URI", "Size,Title"];

/// One document, in small numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doc {
    pub(crate) key: u8,
    pub(crate) size: u8,
    pub(crate) title: u8,
    pub(crate) label: u8,
    pub(crate) day: u8,
}

/// One query, in small numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) text: u8,
    pub(crate) second: u8,
    pub(crate) sort: u8,
    pub(crate) how: u8,
    pub(crate) page: u8,
    pub(crate) filter: u8,
    /// Between two pages a document is put again as it is: nothing may change for the asker.
    pub(crate) disturbed: bool,
}

/// What is done to the engine and the model alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    Put(Vec<Doc>),
    Delete(Vec<u8>),
    /// Sets the label of stored documents.
    Update(Vec<(u8, u8)>),
    Query(Ask),
    Get(u8),
    GetMany(Vec<u8>),
    /// Reads everything in pages of this many.
    Scan(u8),
    /// Seals the tail and merges what is due.
    Settle,
    Rebuild,
    /// Goes on in a checkpoint of the database.
    Move,
    Reopen,
    Check,
}

fn word(number: u8) -> Option<&'static str> {
    let count = WORDS.len() + 1;
    (usize::from(number) % count).checked_sub(1).and_then(|at| WORDS.get(at).copied())
}

/// The address of a key: few folders, so that neighbours share most of their bytes.
pub(crate) fn uri(key: u8) -> String {
    let key = key % KEYS;
    let name = word(key % 15).unwrap_or("plain");
    format!("oss://bucket/{}/{}/{name}-{key}.jpg", key % 3, WORDS[usize::from(key % 5)])
}

impl Doc {
    pub(crate) fn file(self) -> File {
        let uri = uri(self.key);
        let mut file = File::new(uri.as_str()).with(field::FILENAME, uri.rsplit('/').next().unwrap_or(""));
        if self.size > 0 {
            file.set(field::SIZE, i64::from(self.size % 12) * 1000);
        }
        if let Some(title) = word(self.title) {
            file.set(field::TITLE, format!("{title} photograph {}", self.title % 4));
        }
        if let Some(label) = word(self.label) {
            file.set(field::CUSTOM_LABELS, Value::map([("k".to_owned(), label.to_owned())]));
        }
        if self.day > 0 {
            file.set(field::PRODUCE_TIME, format!("2024-01-{:02}T00:00:00Z", self.day % 28 + 1));
        }
        file
    }
}

/// The change that gives a document a label.
pub(crate) fn relabelled(key: u8, label: u8) -> File {
    let labels = word(label).map(|word| ("k".to_owned(), word.to_owned()));
    File::new(uri(key)).with(field::CUSTOM_ID, format!("id {label}")).with(field::CUSTOM_LABELS, Value::map(labels))
}

impl Ask {
    pub(crate) fn query(self) -> Query {
        let text = |number: u8| match usize::from(number) % (WORDS.len() + TEXTS.len()) {
            at if at < WORDS.len() => WORDS[at],
            at => TEXTS[at - WORDS.len()],
        };
        let second = if self.second < 128 { String::new() } else { format!(" {}", text(self.second)) };
        let order = if self.how & 1 == 0 { Order::Asc } else { Order::Desc };
        let path = |path: &str| SortKey { field: FieldPath::parse(path).expect("a field"), order };
        let sort = SORTS[usize::from(self.sort) % SORTS.len()];
        let filter = FILTERS.get(usize::from(self.filter) % (FILTERS.len() * 2));
        // With a filter the text may be left out.
        let text = match (filter, self.text & 1) {
            (Some(_), 1) => String::new(),
            _ => format!("{}{second}", text(self.text)),
        };
        Query {
            text,
            filter: filter.map(|tree| Filter::parse(tree).expect("a filter")),
            aggregations: Vec::new(),
            search_in: if self.how & 2 == 0 { vec![] } else { vec![field::FILENAME, field::TITLE] },
            anchor: if self.how & 28 == 28 { Anchor::Start } else { Anchor::None },
            typos: [Typos::Off, Typos::Fallback, Typos::Always][usize::from(self.how >> 5) % 3],
            sort: sort.split(',').filter(|s| !s.is_empty()).map(path).collect(),
            page: Page { max_results: usize::from(self.page % 20) + 1, token: String::new() },
            with_fields: if self.how & 16 == 0 { vec![] } else { vec![field::URI, field::TITLE] },
            without_total: self.how & 8 != 0,
        }
    }
}

/// What is computed over every query's files.
pub(crate) fn aggregations() -> Vec<Aggregation> {
    AGGREGATIONS.iter().map(|(field, operation)| Aggregation::parse(field, operation).expect("fits")).collect()
}

/// Reads operations from bytes: any bytes are some history.
pub(crate) fn from_bytes(bytes: &[u8]) -> Vec<Op> {
    let mut bytes = bytes.iter().copied();
    let mut ops = Vec::new();
    while let Some(kind) = bytes.next() {
        let mut byte = || bytes.next().unwrap_or(0);
        let count = usize::from(kind >> 4);
        ops.push(match kind & 15 {
            0..=4 => Op::Put((0..=count * 2).map(|_| doc([byte(), byte(), byte(), byte(), byte()])).collect()),
            5 => Op::Delete((0..=count * 2).map(|_| byte()).collect()),
            6 => Op::Update((0..=count).map(|_| (byte(), byte())).collect()),
            7..=9 => Op::Query(ask([byte(), byte(), byte(), byte(), byte(), byte()], count & 1 == 1)),
            10 if count & 1 == 0 => Op::Get(byte()),
            10 => Op::GetMany((0..count).map(|_| byte()).collect()),
            11 => Op::Scan(byte()),
            12 | 13 => Op::Settle,
            14 if count < 8 => Op::Rebuild,
            14 => Op::Move,
            _ if count < 8 => Op::Reopen,
            _ => Op::Check,
        });
    }
    ops
}

/// The document of five numbers.
pub(crate) fn doc([key, size, title, label, day]: [u8; 5]) -> Doc {
    Doc { key: key % KEYS, size, title, label, day }
}

/// The query of six numbers.
pub(crate) fn ask([text, second, sort, how, page, filter]: [u8; 6], disturbed: bool) -> Ask {
    Ask { text, second, sort, how, page, filter, disturbed }
}
