//! `medialith model`: what a model pack is, whether it can be used, and what it says of pictures.

use super::exit::Exit;
use super::output::{Output, complain, counted, printable};
use super::table::{self, Cell};
use crate::engine::models::{Budget, Labeler, Pack, PackKind, picture};
use crate::error::Result;
use crate::model::field;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "\
A pack is a folder with model.onnx, labels.csv and pack.toml (docs/operators.md, \"Model packs\"). Put it into the folder packs of
the database to use it. Nothing is ever downloaded.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Load a pack as indexing would, say what it is, and what it tells of pictures
    Check {
        /// Folder of the pack; scenes is the one that comes with medialith
        #[arg(value_name = "PACK")]
        pack: PathBuf,
        /// Pictures to ask it about
        #[arg(value_name = "IMAGE")]
        images: Vec<PathBuf>,
    },
}

pub(crate) fn run(args: &Args) -> Result<Exit> {
    let What::Check { pack, images } = &args.what;
    let built_in = pack == Path::new("scenes") && !pack.exists();
    let pack = if built_in { Pack::scenes()? } else { Pack::load(pack)?.into() };
    let mut out = Output::new();
    describe(&pack, &mut out)?;
    let mut exit = Exit::Done;
    for image in images {
        match ask(&pack, image) {
            Ok(rows) => {
                out.line(printable(&image.display().to_string()))?;
                table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
            }
            Err(e) => {
                complain(&e);
                exit = Exit::Partial;
            }
        }
    }
    out.flush()?;
    Ok(exit)
}

fn describe(pack: &Pack, out: &mut Output) -> Result<()> {
    let manifest = pack.manifest();
    let kind = match manifest.kind {
        PackKind::ImageClassification => "image classification",
        PackKind::FaceDetection => "face detection",
    };
    out.line(format_args!(
        "{} {}: {kind}, licence {}",
        manifest.name,
        printable(&manifest.version),
        printable(&manifest.license)
    ))?;
    for line in manifest.about.lines().filter(|line| !line.is_empty()) {
        out.line(format_args!("  {}", printable(line)))?;
    }
    let (width, height) = (manifest.input.width, manifest.input.height);
    let micros = pack.cost().as_micros();
    out.line(format_args!(
        "  input {width} x {height}, {}, {}.{:01} ms for a picture here",
        counted(pack.label_count() as u64, "label"),
        micros / 1000,
        micros % 1000 / 100
    ))
}

/// What it tells of a picture, as rows of a table.
fn ask(pack: &Pack, image: &Path) -> Result<Vec<Vec<Cell>>> {
    let budget = Budget::default();
    let picture = picture(image, &budget)?;
    let row =
        |score: f64, what: &str| vec![Cell::right(format!("  {score:.3}")), Cell::from(printable(what).to_string())];
    let mut rows: Vec<Vec<Cell>> = match pack.manifest().kind {
        PackKind::ImageClassification => {
            let labels = pack.labels(&picture.pixels, &budget)?;
            let named = |l: &crate::engine::models::Label| match l.parent.as_str() {
                "" => l.name.clone(),
                parent => format!("{} ({parent})", l.name),
            };
            labels.iter().map(|l| row(f64::from(l.confidence), &named(l))).collect()
        }
        PackKind::FaceDetection => {
            let faces = pack.faces(&picture.pixels, (picture.width, picture.height), &budget)?;
            let shown = |face: &crate::model::Members| {
                let sure = face.get(field::FIGURE_CONFIDENCE).and_then(|v| v.as_float()).unwrap_or(0.0);
                row(sure, &format!("face {}", face.text(field::FIGURE_ID).unwrap_or("")))
            };
            faces.iter().map(shown).collect()
        }
    };
    if rows.is_empty() {
        rows.push(vec![Cell::from("  nothing".to_owned())]);
    }
    Ok(rows)
}
