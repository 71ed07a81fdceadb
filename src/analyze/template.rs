//! Workflow templates: names of sets of operators. The official ones are those of "Workflow templates and operators" in the IMM
//! documentation; users add theirs in a file.

use super::Operator;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Most templates in one file.
pub const MAX_TEMPLATES: usize = 100;
/// Longest file of templates, in bytes.
pub const MAX_TEMPLATES_BYTES: usize = 64 << 10;
/// Longest `TemplateId`, in characters.
const MAX_ID_CHARS: usize = 128;

/// A set of operators under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// `TemplateId`.
    pub id: String,
    /// What runs.
    pub operators: BTreeSet<Operator>,
}

use Operator::{
    Exif, ExtractDocumentText, ExtractImageEmbeddings, FaceDetection, ImageHash, ImagePlaceholder, ImageScoring,
    ImageTexts, LabelClassification, MediaMeta, Mime, OssMeta, ReGeo,
};

/// The official templates, and medialith's own: all that can be told without a model.
static BUILT_IN: &[(&str, &[Operator])] = &[
    ("Official:DefaultEmptyId", &[]),
    ("Official:OSSBasicMeta", &[OssMeta]),
    (
        "Official:AllFunction",
        &[OssMeta, Mime, FaceDetection, LabelClassification, ImageScoring, ReGeo, MediaMeta, Exif, ExtractDocumentText],
    ),
    ("Official:FaceManagement", &[OssMeta, FaceDetection]),
    ("Official:ImageManagement", &[OssMeta, Mime, FaceDetection, LabelClassification, ImageScoring, ReGeo, Exif]),
    (
        "Official:CognitionImageManagement",
        &[OssMeta, Mime, FaceDetection, LabelClassification, ImageScoring, ExtractImageEmbeddings, ReGeo, Exif],
    ),
    ("Official:DocumentManagement", &[OssMeta, Mime, ExtractDocumentText]),
    ("Official:MediaMeta", &[OssMeta, Mime, ReGeo, MediaMeta, Exif]),
    ("Official:CognitionDocumentManagement", &[OssMeta, Mime]),
    (
        "medialith:Visual",
        &[
            OssMeta,
            Mime,
            Exif,
            MediaMeta,
            ExtractDocumentText,
            ReGeo,
            LabelClassification,
            ImageScoring,
            ImageHash,
            ImagePlaceholder,
        ],
    ),
    (
        "medialith:Everything",
        &[
            OssMeta,
            Mime,
            Exif,
            MediaMeta,
            ExtractDocumentText,
            ReGeo,
            FaceDetection,
            LabelClassification,
            ImageScoring,
            ExtractImageEmbeddings,
            ImageHash,
            ImagePlaceholder,
            ImageTexts,
        ],
    ),
];

/// All templates that can be named: the built-in ones and those of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    all: Vec<Template>,
}

impl Default for Templates {
    fn default() -> Templates {
        let template = |(id, operators): &(&str, &[Operator])| Template {
            id: (*id).to_owned(),
            operators: operators.iter().copied().collect(),
        };
        Templates { all: BUILT_IN.iter().map(template).collect() }
    }
}

/// A file of templates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    template: Vec<Written>,
}

/// One template of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    operators: Vec<String>,
}

impl Templates {
    /// The built-in templates and those of a TOML text: `[[template]]` tables with `id` and `operators`. Errors name the
    /// template and what is wrong with it.
    pub fn parse(text: &str) -> Result<Templates> {
        if text.len() > MAX_TEMPLATES_BYTES {
            let got = text.len();
            return Err(Error::invalid(format!("templates: expected at most {MAX_TEMPLATES_BYTES} bytes, got {got}")));
        }
        let document: Document = toml::from_str(text).map_err(|e| Error::invalid(format!("templates: {e}")))?;
        if document.template.len() > MAX_TEMPLATES {
            let got = document.template.len();
            return Err(Error::invalid(format!("templates: expected at most {MAX_TEMPLATES}, got {got}")));
        }
        let mut templates = Templates::default();
        for written in document.template {
            let template = check(written)?;
            if templates.all.iter().any(|t| t.id == template.id) {
                return Err(Error::invalid(format!("template {:?}: expected one of that id, got two", template.id)));
            }
            templates.all.push(template);
        }
        Ok(templates)
    }

    /// All of them.
    pub fn all(&self) -> &[Template] {
        &self.all
    }

    /// The template of an id.
    pub fn find(&self, id: &str) -> Result<&Template> {
        self.all.iter().find(|template| template.id == id).ok_or_else(|| {
            let known: Vec<&str> = self.all.iter().map(|t| t.id.as_str()).collect();
            let shown: String = id.chars().take(MAX_ID_CHARS).collect();
            Error::invalid(format!("TemplateId: expected one of {}, got {shown:?}", known.join(", ")))
        })
    }
}

fn check(written: Written) -> Result<Template> {
    let id = written.id;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let reserved = ["official:", "medialith:"].iter().any(|prefix| id.to_ascii_lowercase().starts_with(prefix));
    if id.is_empty() || id.chars().count() > MAX_ID_CHARS || !id.chars().all(allowed) || reserved {
        let rule = "1 to 128 of A-Z, a-z, 0-9, -, _, . and :, not beginning with Official: or medialith:";
        return Err(Error::invalid(format!("template id: expected {rule}, got {id:?}")));
    }
    let operators = written.operators.iter().map(|name| Operator::parse(name)).collect::<Result<_>>();
    let operators = operators.map_err(|e| Error::invalid(format!("template {id:?}: {}", e.message())))?;
    Ok(Template { id, operators })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of workflow.md 2, as printed: one letter for each of its ten columns.
    #[test]
    fn official_templates_are_those_of_the_documentation() {
        let columns = [
            OssMeta,
            Mime,
            FaceDetection,
            LabelClassification,
            ImageScoring,
            ExtractImageEmbeddings,
            ReGeo,
            MediaMeta,
            Exif,
            ExtractDocumentText,
        ];
        let printed = [
            ("DefaultEmptyId", "----------"),
            ("OSSBasicMeta", "y---------"),
            ("AllFunction", "yyyyy-yyyy"),
            ("FaceManagement", "y-y-------"),
            ("ImageManagement", "yyyyy-y-y-"),
            ("CognitionImageManagement", "yyyyyyy-y-"),
            ("DocumentManagement", "yy-------y"),
            ("MediaMeta", "yy----yyy-"),
            ("CognitionDocumentManagement", "yy--------"),
        ];
        let templates = Templates::default();
        for (name, row) in printed {
            let template = templates.find(&format!("Official:{name}")).unwrap();
            let ours: String = columns.iter().map(|o| if template.operators.contains(o) { 'y' } else { '-' }).collect();
            assert_eq!(ours, row, "{name}");
        }
        assert_eq!(templates.all().iter().filter(|t| t.id.starts_with("Official:")).count(), printed.len());
    }

    #[test]
    fn users_add_theirs() {
        let text = "[[template]]\nid = \"Family\"\noperators = [\"MIME\", \"exif\", \"ImageHash\"]\n";
        let templates = Templates::parse(text).unwrap();
        assert_eq!(templates.find("Family").unwrap().operators, [Mime, Exif, ImageHash].into());
        assert_eq!(Templates::parse("").unwrap(), Templates::default());
        for (bad, why) in [
            ("[[template]]\nid = \"Official:Mine\"\noperators = []", "not beginning with"),
            ("[[template]]\nid = \"a b\"\noperators = []", "template id"),
            ("[[template]]\nid = \"x\"\noperators = [\"Magic\"]", "got \"Magic\""),
            ("[[template]]\nid = \"x\"\noperators = []\ncolour = 1", "unknown field"),
            ("[[template]]\nid = \"x\"", "operators"),
            ("[[template", "templates:"),
        ] {
            let error = Templates::parse(bad).unwrap_err();
            assert!(error.message().contains(why), "{bad}: {error}");
        }
        let twice = format!("{text}{text}");
        assert!(Templates::parse(&twice).unwrap_err().message().contains("got two"));
        assert!(Templates::parse(&"#".repeat(MAX_TEMPLATES_BYTES + 1)).is_err());
        assert!(templates.find("Official:Nope").unwrap_err().message().contains("Official:AllFunction"));
    }
}
