//! A database and its model, side by side: every operation is done to both, every answer compared.

use super::filters::{aggregate, same_number};
use super::naive::naive;
use super::ops::{Ask, Doc, Op, aggregations, relabelled, uri};
use medialith::engine::{Dataset, DatasetStats, Durability, Engine, Options};
use medialith::model::{DatasetSpec, FieldId, File, Page, ProjectSpec, Query, field};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Members that the engine adds to what was put.
const SYSTEM: [FieldId; 8] = [
    field::OWNER_ID,
    field::PROJECT_NAME,
    field::DATASET_NAME,
    field::OBJECT_TYPE,
    field::OBJECT_ID,
    field::OBJECT_STATUS,
    field::CREATE_TIME,
    field::UPDATE_TIME,
];

/// A database in a folder of its own, and what must be in it.
pub(crate) struct World {
    root: tempfile::TempDir,
    /// Number of the folder in use: a move goes to the next.
    home: u32,
    open: Option<(Engine, Dataset)>,
    model: BTreeMap<String, File>,
}

/// The document without what the engine added.
pub(crate) fn stripped(mut file: File) -> File {
    SYSTEM.iter().for_each(|id| drop(file.members_mut().remove(*id)));
    file
}

impl World {
    /// An empty database.
    pub(crate) fn new() -> World {
        let root = tempfile::tempdir().expect("a temporary folder");
        let mut world = World { root, home: 0, open: None, model: BTreeMap::new() };
        let engine = world.open_engine();
        engine.create_project("p", &ProjectSpec::default()).expect("a project");
        engine.create_dataset("p", "d", &DatasetSpec::default()).expect("a dataset");
        let dataset = engine.dataset("p", "d").expect("the dataset");
        world.open = Some((engine, dataset));
        world
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join(self.home.to_string())
    }

    fn open_engine(&self) -> Engine {
        // What a loss of power leaves is not asked here: syncs would only cost time.
        let options = Options { memory_bytes: 64 << 20, durability: Durability::Buffered, ..Options::default() };
        Engine::open(self.folder(), options).expect("the database opens")
    }

    fn dataset(&self) -> &Dataset {
        &self.open.as_ref().expect("open").1
    }

    /// Figures of the dataset.
    pub(crate) fn stats(&self) -> DatasetStats {
        self.dataset().stats().expect("figures")
    }

    /// Does one operation to both and compares what they say.
    pub(crate) fn apply(&mut self, op: &Op) {
        match op {
            Op::Put(docs) => self.put(docs),
            Op::Delete(keys) => self.delete(keys),
            Op::Update(labels) => self.update(labels),
            Op::Query(ask) => self.query(*ask),
            Op::Get(key) => self.get(*key),
            Op::GetMany(keys) => self.get_many(keys),
            Op::Scan(page) => self.scan(usize::from(*page % 30) + 1),
            Op::Settle => self.dataset().settle().expect("settles"),
            Op::Rebuild => self.dataset().rebuild().expect("rebuilds"),
            Op::Move => self.move_house(),
            Op::Reopen => self.reopen(),
            Op::Check => self.check(),
        }
    }

    fn put(&mut self, docs: &[Doc]) {
        let files: Vec<File> = docs.iter().map(|doc| doc.file()).collect();
        self.dataset().put(files.clone()).expect("puts");
        self.model.extend(files.into_iter().map(|file| (file.uri().to_owned(), file)));
    }

    fn delete(&mut self, keys: &[u8]) {
        let uris: Vec<String> = keys.iter().map(|key| uri(*key)).collect();
        let existed = self.dataset().delete(uris.clone()).expect("deletes");
        let expected: Vec<bool> = uris.iter().map(|uri| self.model.remove(uri).is_some()).collect();
        assert_eq!(existed, expected, "delete says what was there");
    }

    fn update(&mut self, labels: &[(u8, u8)]) {
        let changes: Vec<File> = labels.iter().map(|(key, label)| relabelled(*key, *label)).collect();
        let existed = self.dataset().update(changes.clone()).expect("updates");
        let mut expected = Vec::new();
        for change in changes {
            let stored = self.model.get_mut(change.uri());
            expected.push(stored.is_some());
            let Some(stored) = stored else { continue };
            for id in [field::CUSTOM_ID, field::CUSTOM_LABELS] {
                if let Some(value) = change.get(id) {
                    stored.set(id, value.clone());
                }
            }
        }
        assert_eq!(existed, expected, "update says what was there");
    }

    fn get(&self, key: u8) {
        let found = self.dataset().get(&uri(key), &[]).expect("gets").map(stripped);
        assert_eq!(found.as_ref(), self.model.get(&uri(key)));
    }

    fn get_many(&self, keys: &[u8]) {
        let uris: Vec<String> = keys.iter().map(|key| uri(*key)).collect();
        let wanted = [field::URI, field::TITLE, field::SIZE];
        let found = self.dataset().get_many(&uris, &wanted).expect("gets");
        let expected: Vec<File> = uris.iter().filter_map(|uri| self.model.get(uri)).map(|f| only(f, &wanted)).collect();
        assert_eq!(found, expected);
    }

    fn scan(&self, page: usize) {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let files = self.dataset().scan(&after, page).expect("scans");
            let Some(last) = files.last() else { break };
            after = last.uri().to_owned();
            found.extend(files.into_iter().map(stripped));
        }
        assert!(found.iter().eq(self.model.values()), "scan: expected {:?}, got {found:?}", self.model);
    }

    /// Follows the pages of a query to their end.
    fn query(&self, ask: Ask) {
        let mut query = ask.query();
        let expected = naive(&self.model, &query);
        let (mut uris, mut pages) = (Vec::new(), 0);
        loop {
            let answer = self.dataset().search(&query).expect("answers");
            let total = (!query.without_total).then_some(expected.len() as u64);
            assert_eq!(answer.total, total, "exact on every page: {query:?}");
            assert!(answer.files.len() <= query.page.max_results);
            for file in answer.files {
                uris.push(file.uri().to_owned());
                self.compare_row(file, &query.with_fields);
            }
            if answer.next_token.is_empty() {
                break;
            }
            query.page.token = answer.next_token;
            pages += 1;
            assert!(pages <= 1000, "the pages end");
            if ask.disturbed {
                self.disturb(pages);
            }
        }
        assert_eq!(uris, expected, "{query:?}");
        self.aggregates(query, &expected);
    }

    fn aggregates(&self, mut query: Query, found: &[String]) {
        query.page = Page::default();
        query.aggregations = aggregations();
        let answer = self.dataset().search(&query).expect("computes");
        let files: Vec<&File> = found.iter().filter_map(|uri| self.model.get(uri)).collect();
        for (aggregation, result) in query.aggregations.iter().zip(&answer.aggregates) {
            let (value, groups) = aggregate(&files, aggregation, 100);
            let found: Vec<(String, u64)> = result.groups.iter().map(|g| (g.value.clone(), g.count)).collect();
            assert!(same_number(result.value, value), "{aggregation:?}: expected {value:?}, got {result:?}");
            assert_eq!(found, groups, "{aggregation:?} of {query:?}");
        }
    }

    fn compare_row(&self, file: File, with_fields: &[FieldId]) {
        let stored = self.model.get(file.uri()).expect("a row is a document");
        let (found, expected) =
            if with_fields.is_empty() { (stripped(file), stored.clone()) } else { (file, only(stored, with_fields)) };
        assert_eq!(found, expected);
    }

    /// Puts a document again as it is, and seals now and then: it moves inside the index, and nobody may notice.
    fn disturb(&self, pages: usize) {
        let again: Vec<File> = self.model.values().skip(pages * 7 % self.model.len()).take(3).cloned().collect();
        self.dataset().put(again).expect("puts");
        if pages.is_multiple_of(2) {
            self.dataset().settle().expect("settles");
        }
    }

    fn move_house(&mut self) {
        let old = self.folder();
        self.home += 1;
        let (engine, dataset) = self.open.take().expect("open");
        engine.checkpoint(self.folder()).expect("a checkpoint");
        drop((dataset, engine));
        std::fs::remove_dir_all(old).expect("the old house goes");
        self.enter();
    }

    fn reopen(&mut self) {
        self.open = None;
        self.enter();
    }

    fn enter(&mut self) {
        let engine = self.open_engine();
        let dataset = engine.dataset("p", "d").expect("the dataset");
        self.open = Some((engine, dataset));
    }

    /// Everything agrees with everything: counters, records, index, model.
    pub(crate) fn check(&self) {
        let (engine, dataset) = self.open.as_ref().expect("open");
        let report = engine.check(true).expect("checks");
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(dataset.len().expect("counts"), self.model.len() as u64);
        let bytes: i64 = self.model.values().filter_map(|f| f.int(field::SIZE)).sum();
        let stats = self.stats();
        assert_eq!((stats.total_file_size, stats.last_failure.as_str()), (bytes as u64, ""));
        self.scan(17);
    }
}

/// The document with the wanted members alone.
fn only(file: &File, wanted: &[FieldId]) -> File {
    let mut file = file.clone();
    file.members_mut().retain(|id| wanted.contains(&id));
    file
}
