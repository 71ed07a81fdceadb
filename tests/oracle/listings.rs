//! What pdfinfo says of PDF files, and 7z of archives.

use crate::ask::{Want, Wants, time};
use serde_json::Value as Json;

pub(crate) fn pdfinfo(answer: &Json, _: &Json, wants: &mut Wants) {
    let text = |key: &str| answer[key].as_str().map(str::to_owned).filter(|text| !text.trim().is_empty());
    text("Pages").filter(|n| n != "0").into_iter().for_each(|n| wants.add("pages", "", Want::Same(n)));
    wants.text("title", text("Title"));
    wants.text("author", text("Author"));
    wants.text("keywords", text("Keywords"));
    text("PDF version").into_iter().for_each(|version| wants.add("version", "", Want::Same(version)));
    if let Some(encrypted) = text("Encrypted") {
        wants.add("encrypted", "", Want::Same(encrypted.starts_with("yes").to_string()));
    }
    text("CreationDate").and_then(|at| time(&at)).into_iter().for_each(|at| wants.add("time", "", at));
    if let Some(words) = text("_text_first_3_pages") {
        wants.add("text", "", Want::Words(words));
    }
}

pub(crate) fn archive(answer: &Json, manifest: &Json, wants: &mut Wants) {
    let kind = answer["type"].as_str().unwrap_or_default().to_ascii_lowercase();
    let read = matches!(kind.as_str(), "zip" | "7z" | "rar" | "rar5" | "tar" | "gzip");
    // Documents are ZIP files too; a broken archive is what each program makes of it.
    if !read || manifest["kind"] != "archive" || answer["rc"] != 0 {
        return;
    }
    let entries = answer["entries"].as_array().map_or(&[][..], Vec::as_slice);
    // The recorded list of a long archive is cut.
    if answer["n"].as_u64() != u64::try_from(entries.len()).ok() {
        return;
    }
    let sum = |key: &str| entries.iter().filter_map(|e| e[key].as_str()?.parse::<u64>().ok()).sum::<u64>();
    if kind != "gzip" {
        wants.add("entries", "", Want::Same(entries.len().to_string()));
        let encrypted = entries.iter().any(|e| e["Encrypted"] == "+");
        wants.add("encrypted", "", Want::Same(encrypted.to_string()));
    }
    wants.add("unpacked", "", Want::Same(sum("Size").to_string()));
}
