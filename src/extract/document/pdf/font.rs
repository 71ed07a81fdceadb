//! Fonts, as far as reading needs them (ISO 32000-1, 9.5 to 9.10): codes to text, and how far the pen moves.

use super::cmap::{self, ToUnicode};
use super::file::File;
use super::glyphs;
use super::info::name_of;
use super::object::{Dict, Object};
use crate::extract::{Input, Parsed};
use encoding_rs::Encoding;
use std::collections::HashMap;

/// Bytes of codes whose widths are kept.
const WIDTHS: usize = 1 << 16;
/// Width of a character where the font does not say, in thousandths of the font's size.
const USUAL: f64 = 500.0;

/// How codes become text where no ToUnicode map says.
#[derive(Debug)]
enum Codes {
    /// One byte each; named glyphs first, then Windows' Latin encoding.
    Simple(HashMap<u32, String>),
    /// The bytes of a known encoding.
    Encoded(&'static Encoding),
    /// Glyph numbers of an embedded font: nobody knows.
    Unknown,
}

/// A font of a page.
#[derive(Debug)]
pub(super) struct Font {
    to_unicode: ToUnicode,
    codes: Codes,
    /// Bytes of a code.
    width: usize,
    widths: HashMap<u32, f64>,
    usual: f64,
}

/// A piece of a string: its text, how wide it is in thousandths, and whether it is a space of one byte.
pub(super) struct Glyph {
    pub(super) text: String,
    pub(super) width: f64,
    pub(super) space: bool,
}

impl Font {
    /// Reads what the font's dictionary says.
    pub(super) fn read(input: &mut Input<'_>, file: &mut File, dict: &Dict) -> Parsed<Font> {
        let map = match file.stream(input, dict.get("ToUnicode"))? {
            Some((_, bytes, _)) => cmap::read(input, &bytes)?,
            None => ToUnicode::default(),
        };
        let composite = name_of(dict.get("Subtype")) == "Type0";
        let mut font = Font { to_unicode: map, codes: Codes::Unknown, width: 1, widths: HashMap::new(), usual: USUAL };
        if composite {
            font.composite(input, file, dict)?;
        } else {
            font.simple(input, file, dict)?;
        }
        Ok(font)
    }

    /// 9.6: one byte a code.
    fn simple(&mut self, input: &mut Input<'_>, file: &mut File, dict: &Dict) -> Parsed<()> {
        let encoding = file.value(input, dict, "Encoding")?;
        let mut names = HashMap::new();
        if let Some(encoding) = encoding.as_dict() {
            let differences = file.value(input, encoding, "Differences")?;
            let mut code = 0_u32;
            for item in differences.items().iter().take(WIDTHS) {
                match item {
                    Object::Int(next) => code = u32::try_from(*next).unwrap_or(0),
                    Object::Name(name) => {
                        names.extend(glyphs::text(name).map(|text| (code, text)));
                        code = code.saturating_add(1);
                    }
                    _ => {}
                }
            }
        }
        self.codes = Codes::Simple(names);
        let first = file.value(input, dict, "FirstChar")?.as_u32().unwrap_or(0);
        let widths = file.value(input, dict, "Widths")?;
        for (code, width) in (first..).zip(widths.items()).take(256) {
            self.widths.extend(width.as_float().map(|width| (code, width)));
        }
        // Type 3 fonts count in a space of their own (9.6.5).
        if name_of(dict.get("Subtype")) == "Type3" {
            let scale = dict.get("FontMatrix").items().first().and_then(Object::as_float).unwrap_or(0.001);
            self.widths.values_mut().for_each(|width| *width = *width * scale.abs() * 1000.0);
        }
        Ok(())
    }

    /// 9.7: codes of several bytes, usually two.
    fn composite(&mut self, input: &mut Input<'_>, file: &mut File, dict: &Dict) -> Parsed<()> {
        let name = name_of(dict.get("Encoding"));
        self.width = if self.to_unicode.width > 0 { self.to_unicode.width } else { 2 };
        if let Some(encoding) = predefined(name) {
            self.codes = Codes::Encoded(encoding);
        }
        let below = file.value(input, dict, "DescendantFonts")?;
        let below = below.items().first().cloned().unwrap_or_default();
        let Object::Dict(below) = file.resolve(input, &below)? else { return Ok(()) };
        self.usual = file.value(input, &below, "DW")?.as_float().unwrap_or(1000.0);
        let widths = file.value(input, &below, "W")?;
        self.wide(input, file, widths.items())
    }

    /// 9.7.4.3: `c [w1 w2 ...]` or `first last w`.
    fn wide(&mut self, input: &mut Input<'_>, file: &mut File, items: &[Object]) -> Parsed<()> {
        let mut rest = items;
        while let [first, second, after @ ..] = rest {
            input.tick()?;
            let Some(first) = first.as_u32() else { break };
            let second = file.resolve(input, second)?;
            if let Object::Array(widths) = &second {
                for (code, width) in (first..).zip(widths) {
                    self.note(code, width.as_float());
                }
                rest = after;
            } else {
                let (Some(last), [width, after @ ..]) = (second.as_u32(), after) else { break };
                for code in (first..=last).take(WIDTHS) {
                    self.note(code, width.as_float());
                    if self.widths.len() >= WIDTHS {
                        break;
                    }
                }
                rest = after;
            }
        }
        Ok(())
    }

    fn note(&mut self, code: u32, width: Option<f64>) {
        if self.widths.len() < WIDTHS {
            self.widths.extend(width.map(|width| (code, width)));
        }
    }

    /// Takes a string apart.
    pub(super) fn glyphs(&self, bytes: &[u8]) -> Vec<Glyph> {
        if let (Codes::Encoded(encoding), true) = (&self.codes, self.to_unicode.is_empty()) {
            let (text, _) = encoding.decode_without_bom_handling(bytes);
            return text.chars().map(|c| Glyph { text: c.to_string(), width: self.usual, space: false }).collect();
        }
        let codes = bytes.chunks(self.width.max(1));
        codes
            .map(|bytes| {
                let code = bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(256).wrapping_add(u32::from(*byte)));
                let text = self.to_unicode.get(code).or_else(|| self.by_code(code)).unwrap_or_default();
                let width = self.widths.get(&code).copied().unwrap_or(self.usual);
                Glyph { text, width, space: bytes == b" " }
            })
            .collect()
    }

    fn by_code(&self, code: u32) -> Option<String> {
        let Codes::Simple(names) = &self.codes else { return None };
        if let Some(text) = names.get(&code) {
            return Some(text.clone());
        }
        let byte = u8::try_from(code).ok().filter(|byte| *byte >= 0x20)?;
        let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(std::slice::from_ref(&byte));
        Some(text.into_owned())
    }
}

/// The encodings that CMaps of these names take apart (9.7.5.2, table 118).
fn predefined(name: &str) -> Option<&'static Encoding> {
    let has = |part: &str| name.contains(part);
    Some(match () {
        () if has("UCS2") || has("UTF16") => encoding_rs::UTF_16BE,
        () if has("RKSJ") => encoding_rs::SHIFT_JIS,
        () if has("GBK") || has("GB-EUC") || has("GBpc") => encoding_rs::GBK,
        () if has("B5") => encoding_rs::BIG5,
        () if has("KSC") => encoding_rs::EUC_KR,
        () if name == "EUC-H" || name == "EUC-V" => encoding_rs::EUC_JP,
        () => return None,
    })
}
