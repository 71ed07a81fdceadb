//! ToUnicode maps (ISO 32000-1, 9.10.3): character codes to text.

use super::lexer::Lexer;
use super::object::Object;
use crate::extract::{Input, Parsed};
use std::collections::HashMap;

/// Characters that are mapped one by one, and ranges.
const MOST: usize = 1 << 16;
/// Characters of one code.
const TEXT: usize = 64;

/// A map from codes of one to four bytes.
#[derive(Debug, Default)]
pub(super) struct ToUnicode {
    single: HashMap<u32, String>,
    /// First and last code, text of the first.
    ranges: Vec<(u32, u32, String)>,
    /// Bytes of a code, by the code space; 0 where it says nothing.
    pub(super) width: usize,
}

impl ToUnicode {
    /// The text of a code.
    pub(super) fn get(&self, code: u32) -> Option<String> {
        if let Some(text) = self.single.get(&code) {
            return Some(text.clone());
        }
        let (first, _, text) = self.ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&code))?;
        // The last character counts on.
        let mut chars: Vec<char> = text.chars().collect();
        let last = chars.pop()?;
        let moved = u32::from(last).checked_add(code.checked_sub(*first)?)?;
        chars.push(char::from_u32(moved)?);
        Some(chars.into_iter().collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.single.is_empty() && self.ranges.is_empty()
    }
}

fn code(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |sum: u32, byte| sum.wrapping_mul(256).wrapping_add(u32::from(*byte)))
}

fn text(bytes: &[u8]) -> String {
    let (text, _) = encoding_rs::UTF_16BE.decode_without_bom_handling(bytes);
    text.chars().filter(|c| *c != '\0').take(TEXT).collect()
}

/// Reads the operators between `begin...` and `end...`.
pub(super) fn read(input: &mut Input<'_>, bytes: &[u8]) -> Parsed<ToUnicode> {
    let mut map = ToUnicode::default();
    let mut lexer = Lexer::new(bytes);
    let mut stack: Vec<Object> = Vec::new();
    while let Some(object) = lexer.token(0) {
        input.tick()?;
        let Object::Word(word) = object else {
            if stack.len() < MOST {
                stack.push(object);
            }
            continue;
        };
        match word.as_str() {
            "endcodespacerange" => {
                let widths = stack.iter().filter_map(Object::as_text).map(<[u8]>::len);
                map.width = widths.max().unwrap_or(0).min(4);
            }
            "endbfchar" => single(&mut map, &stack),
            "endbfrange" => range(&mut map, &stack),
            _ => {}
        }
        stack.clear();
    }
    Ok(map)
}

fn single(map: &mut ToUnicode, stack: &[Object]) {
    for pair in stack.chunks(2) {
        if let [from, to] = pair
            && let (Some(from), Some(to), true) = (from.as_text(), to.as_text(), map.single.len() < MOST)
        {
            map.single.insert(code(from), text(to));
        }
    }
}

fn range(map: &mut ToUnicode, stack: &[Object]) {
    for triple in stack.chunks(3) {
        let [first, last, to] = triple else { break };
        let (Some(first), Some(last)) = (first.as_text().map(code), last.as_text().map(code)) else { continue };
        if let Some(to) = to.as_text() {
            if map.ranges.len() < MOST {
                map.ranges.push((first, last, text(to)));
            }
            continue;
        }
        for (code, to) in (first..=last).zip(to.items()) {
            if let (Some(to), true) = (to.as_text(), map.single.len() < MOST) {
                map.single.insert(code, text(to));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn characters_and_ranges() {
        let source =
            b"1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0003> <0020> <0004> <00660069>\
            endbfchar 2 beginbfrange <0010> <0012> <0041> <0020> <0021> [<4E2D> <6587>] endbfrange";
        let data = Vec::new();
        let limits = Limits::default();
        let map = read(&mut Input::new(&data, &limits), source).unwrap();
        let texts = [3, 4, 0x11, 0x20, 0x21, 0x22].map(|code| map.get(code));
        let want = [Some(" "), Some("fi"), Some("B"), Some("\u{4e2d}"), Some("\u{6587}"), None];
        assert_eq!(texts, want.map(|text| text.map(str::to_owned)));
        assert_eq!(map.width, 2);
    }
}
