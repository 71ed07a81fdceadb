//! Which database, project and dataset a command works on.

use super::args::Place;
use crate::engine::{Dataset, Engine, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{DatasetSpec, Name, ProjectSpec};
use std::path::PathBuf;
use std::time::Duration;

impl Place {
    /// The folder of the database.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.db {
            return Ok(folder.clone());
        }
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        let data = data.ok_or_else(|| Error::invalid("no database given: name one with --db DIR or MEDIALITH_DB"))?;
        Ok(data.join("medialith"))
    }

    fn options(&self) -> Options {
        let mut options = Options { create_if_missing: false, isolation: self.walls.isolation(), ..Options::default() };
        if let Some(bytes) = self.memory {
            options.memory_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        options
    }

    /// The database for reading only: others may read at the same time, and nothing in its folder changes.
    pub(crate) fn read(&self) -> Result<Engine> {
        self.exists()?;
        Engine::open(self.folder()?, Options { read_only: true, ..self.options() })
    }

    /// The database for changing what is there.
    pub(crate) fn write(&self) -> Result<Engine> {
        self.exists()?;
        Engine::open(self.folder()?, self.options())
    }

    /// The dataset for reading only.
    pub(crate) fn dataset(&self) -> Result<Dataset> {
        self.read()?.dataset(&self.project, &self.dataset)
    }

    /// The database for changing; it is created where it is missing.
    pub(crate) fn open_or_make(&self) -> Result<Engine> {
        Engine::open(self.folder()?, Options { create_if_missing: true, ..self.options() })
    }

    /// The same, with the time that a query may take and the `OwnerId` of its documents.
    pub(crate) fn open_to_serve(&self, query_deadline: Duration, owner_id: &str) -> Result<Engine> {
        let (query_deadline, owner_id) = (Some(query_deadline), owner_id.to_owned());
        let options = Options { create_if_missing: true, query_deadline, owner_id, ..self.options() };
        Engine::open(self.folder()?, options)
    }

    /// The dataset for filling: database, project and dataset are created where they are missing.
    pub(crate) fn create(&self) -> Result<Dataset> {
        Name::parse("--project", &self.project)?;
        Name::parse("--dataset", &self.dataset)?;
        let engine = self.open_or_make()?;
        unless_there(engine.create_project(&self.project, &ProjectSpec::default()).map(drop))?;
        unless_there(engine.create_dataset(&self.project, &self.dataset, &DatasetSpec::default()).map(drop))?;
        engine.dataset(&self.project, &self.dataset)
    }

    pub(crate) fn exists(&self) -> Result<()> {
        let folder = self.folder()?;
        if folder.exists() {
            return Ok(());
        }
        let shown = folder.display();
        let advice = "`medialith index FOLDER` makes one, --db DIR names another";
        Err(Error::new(ErrorKind::NotFound, format!("there is no database in {shown}; {advice}")))
    }
}

fn unless_there(made: Result<()>) -> Result<()> {
    match made {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
