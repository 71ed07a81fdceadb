//! `medialith model`: what a model pack is, whether it can be used, and what it says of pictures.

use super::exit::Exit;
use super::output::{Output, complain, counted, printable};
use super::table::{self, Cell};
use crate::engine::models::{Budget, Face, Labeler, Pack, PackKind, picture};
use crate::error::Result;
use crate::model::field;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "\
A pack is a folder with model.onnx and pack.toml, and labels.csv or vocab.txt where its kind needs one (docs/operators.md, \"Model packs\"). Put it into the folder packs of
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
        /// Pictures to ask it about; of a pack for text embedding sentences. Packs for points tell how near (1 is the same) each is to the first
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
    if pack.manifest().kind.embeds() {
        return near(&pack, images, &mut out);
    }
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
    let kind = manifest.kind.name().replace('-', " ");
    out.line(format_args!(
        "{} {}: {kind}, licence {}",
        manifest.name,
        printable(&manifest.version),
        printable(&manifest.license)
    ))?;
    for line in manifest.about.lines().filter(|line| !line.is_empty()) {
        out.line(format_args!("  {}", printable(line)))?;
    }
    let input = match (&manifest.input, &manifest.text) {
        (Some(input), _) => format!("{} x {}", input.width, input.height),
        (None, text) => format!("of {} pieces", text.as_ref().map_or(0, |text| text.length)),
    };
    let gives = match manifest.kind {
        PackKind::TextEmbedding => format!("{} known, {}", counted(pack.vocabulary() as u64, "piece"), points(pack)),
        kind if kind.embeds() => points(pack),
        _ => counted(pack.label_count() as u64, "label"),
    };
    let (micros, what) = (pack.cost().as_micros(), if manifest.text.is_some() { "sentence" } else { "picture" });
    out.line(format_args!(
        "  input {input}, {gives}, {}.{:01} ms for a {what} here",
        micros / 1000,
        micros % 1000 / 100
    ))
}

fn points(pack: &Pack) -> String {
    format!("points of {} in the space {}", counted(pack.numbers() as u64, "number"), pack.manifest().space())
}

/// What a pack for points says of pictures or sentences: how near each is to the first one.
fn near(pack: &Pack, subjects: &[PathBuf], out: &mut Output) -> Result<Exit> {
    let (mut first, mut exit) = (None, Exit::Done);
    for subject in subjects {
        let shown = subject.display().to_string();
        let found = if pack.manifest().text.is_some() {
            pack.text_point(&shown, &Budget::default())
        } else {
            // The whole picture is the face where faces are asked for.
            picture(subject, &Budget::default())
                .and_then(|picture| pack.picture_point(&picture.pixels, &Budget::default()))
        };
        match found {
            Ok(point) => {
                let to = first.get_or_insert_with(|| point.clone());
                out.line(format_args!("{:>7.3}  {}", point.vector.cosine(&to.vector), printable(&shown)))?;
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
            let shown = |face: &Face| {
                let face = &face.figure;
                let sure = face.get(field::FIGURE_CONFIDENCE).and_then(|v| v.as_float()).unwrap_or(0.0);
                row(sure, &format!("face {}", face.text(field::FIGURE_ID).unwrap_or("")))
            };
            faces.iter().map(shown).collect()
        }
        _ => Vec::new(),
    };
    if rows.is_empty() {
        rows.push(vec![Cell::from("  nothing".to_owned())]);
    }
    Ok(rows)
}
