//! Which operators run on the files of a dataset: its template, or its project's, and what they need.
//!
//! Without a template files keep all that extraction finds and nothing more runs. Users name templates of their own in
//! `templates.toml` in the folder of the database, and put model packs into `packs` there.

use super::catalog::{find_dataset, find_project};
use super::dataset::Dataset;
use super::open::{Engine, Inner};
use crate::analyze::{Analyzer, Decode, MAX_TEMPLATES_BYTES, Operator, Templates};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{DatasetSpec, File, Members, Value, field};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Name of the users' file of templates in the folder of a database.
pub(super) const TEMPLATES: &str = "templates.toml";

/// Name of the folder of model packs in the folder of a database.
pub(super) const PACKS: &str = "packs";

/// All templates, and what operators need.
#[derive(Debug)]
pub(super) struct Workflow {
    pub(super) templates: Templates,
    pub(super) analyzer: Analyzer,
}

impl Workflow {
    /// Reads the users' templates, if there are any.
    pub(super) fn open(folder: &Path) -> Result<Workflow> {
        let path = folder.join(TEMPLATES);
        let failed = |e| Error::io(format_args!("read {}", path.display()), e);
        let mut text = String::new();
        match std::fs::File::open(&path) {
            // One byte more than is allowed tells a longer file.
            Ok(file) => file.take(MAX_TEMPLATES_BYTES as u64 + 1).read_to_string(&mut text).map_err(failed)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
            Err(e) => return Err(failed(e)),
        };
        let named = |e: Error| Error::new(e.kind(), format!("{}: {}", path.display(), e.message()));
        let templates = Templates::parse(&text).map_err(named)?;
        Ok(Workflow { templates, analyzer: Analyzer::with_packs(folder.join(PACKS)) })
    }

    /// Fails where a template is named that does not exist; none at all is allowed.
    pub(super) fn check(&self, id: Option<&str>) -> Result<()> {
        id.filter(|id| !id.is_empty()).map_or(Ok(()), |id| self.templates.find(id).map(drop))
    }

    /// What runs for a template.
    pub(super) fn plan(&self, id: &str) -> Result<Plan> {
        let operators = if id.is_empty() { None } else { Some(Arc::new(self.templates.find(id)?.operators.clone())) };
        Ok(Plan { operators, analyzer: self.analyzer.clone() })
    }
}

/// What runs on one file.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The operators of the template; `None` without one.
    operators: Option<Arc<BTreeSet<Operator>>>,
    analyzer: Analyzer,
}

impl Plan {
    /// The members of a document: of what extraction `found` in the file those that the template stands for, and what operators
    /// add. `said` is what the caller knows of the place, `decode` gives the picture in the file.
    pub(super) fn apply(&self, decode: &Decode<'_>, said: Option<&Value>, mut found: Members) -> Members {
        let Some(operators) = &self.operators else { return found };
        if let Some(place) = said {
            found.set(field::LAT_LONG, place.clone());
        }
        self.analyzer.run(operators, decode, &found)
    }

    /// Takes away what is known of the stored object where the template leaves it out.
    pub(super) fn trim(&self, file: &mut File) {
        if self.operators.as_ref().is_some_and(|operators| !operators.contains(&Operator::OssMeta)) {
            [field::FILENAME, field::SIZE, field::FILE_MODIFIED_TIME].into_iter().for_each(|id| file.set(id, ""));
        }
    }
}

impl Engine {
    /// Every template that can be named.
    pub fn templates(&self) -> &Templates {
        &self.handle.inner.workflow.templates
    }

    /// What operators need beside a file, as this database has it.
    pub fn analyzer(&self) -> &Analyzer {
        &self.handle.inner.workflow.analyzer
    }
}

impl Dataset {
    /// The template that governs indexing: the dataset's, where it has none its project's; empty without any.
    pub fn template(&self) -> Result<String> {
        template(self.inner(), self.project(), self.name()).map_err(|e| e.during("GetDataset"))
    }

    /// Names the template of the dataset; documents that are there stay as they are. An empty one takes the project's.
    pub fn set_template(&self, id: &str) -> Result<()> {
        let spec = DatasetSpec { template_id: Some(id.to_owned()), ..DatasetSpec::default() };
        self.engine.update_dataset(self.project(), self.name(), &spec).map(drop)
    }

    /// What runs on the dataset's files now.
    pub(super) fn plan(&self) -> Result<Plan> {
        let inner = self.inner();
        inner.workflow.plan(&template(inner, self.project(), self.name())?)
    }
}

fn template(inner: &Inner, project: &str, dataset: &str) -> Result<String> {
    let reader = inner.store.reader();
    let owner = find_project(&reader, project)?;
    let row = find_dataset(&reader, owner.id(), dataset)?;
    Ok(if row.template_id.is_empty() { owner.template_id } else { row.template_id })
}

/// Copies the users' templates with a database.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    match std::fs::copy(from.join(TEMPLATES), to.join(TEMPLATES)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(format_args!("copy {TEMPLATES}"), e)),
        _ => Ok(()),
    }
}

/// The error of a template that was named once and is gone.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::InvalidArgument
}
