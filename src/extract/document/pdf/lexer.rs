//! Bytes to objects (ISO 32000-1, 7.2 and 7.3). Never fails: what is no object ends the text.

use super::object::{Dict, Object};

/// Arrays and dictionaries inside each other.
const DEPTH: u32 = 32;
/// Elements of one array or dictionary.
const ITEMS: usize = 1 << 16;

/// A walk over bytes.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Lexer<'a> {
        Lexer { bytes, at: 0 }
    }

    /// Where the walk stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Moves on by that many bytes.
    pub(super) fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.bytes.len());
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    /// White space and comments (7.2.3).
    pub(super) fn space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while self.peek().is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                    self.skip(1);
                }
            } else if is_space(byte) {
                self.skip(1);
            } else {
                return;
            }
        }
    }

    /// The next object, with references taken together; `None` at the end or where nothing makes sense.
    pub(super) fn object(&mut self) -> Option<Object> {
        self.nested(0)
    }

    fn nested(&mut self, depth: u32) -> Option<Object> {
        let first = self.token(depth)?;
        let Object::Int(number) = first else { return Some(first) };
        let (Ok(number), true) = (u32::try_from(number), self.peek().is_some_and(is_space)) else { return Some(first) };
        // `12 0 R`: look ahead, and go back if it is two numbers.
        let back = self.at;
        if self.small_number().is_some() && self.keyword(b"R") {
            return Some(Object::Ref(number));
        }
        self.at = back;
        Some(first)
    }

    /// A generation number.
    fn small_number(&mut self) -> Option<u32> {
        self.space();
        let digits = self.rest().iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(self.rest().get(..digits)?).ok()?;
        let number = text.parse().ok()?;
        self.skip(digits);
        Some(number)
    }

    /// Passes over a keyword if it stands here.
    pub(super) fn keyword(&mut self, word: &[u8]) -> bool {
        self.space();
        let Some(after) = self.rest().strip_prefix(word) else { return false };
        if after.first().is_some_and(|byte| !is_space(*byte) && !is_delimiter(*byte)) {
            return false;
        }
        self.skip(word.len());
        true
    }

    /// One object without looking for references.
    pub(super) fn token(&mut self, depth: u32) -> Option<Object> {
        self.space();
        match self.peek()? {
            b'/' => Some(Object::Name(self.name())),
            b'(' => Some(Object::Text(self.literal())),
            b'<' if self.rest().starts_with(b"<<") => {
                self.skip(2);
                self.dict(depth)
            }
            b'<' => Some(Object::Text(self.hexadecimal())),
            b'[' => {
                self.skip(1);
                self.array(depth)
            }
            b'+' | b'-' | b'.' | b'0'..=b'9' => Some(self.number()),
            b')' | b']' | b'>' | b'{' | b'}' => None,
            _ => Some(self.word()),
        }
    }

    fn array(&mut self, depth: u32) -> Option<Object> {
        let mut items = Vec::new();
        while depth < DEPTH && items.len() < ITEMS {
            self.space();
            if self.peek()? == b']' {
                self.skip(1);
                return Some(Object::Array(items));
            }
            items.push(self.nested(depth.saturating_add(1))?);
        }
        None
    }

    fn dict(&mut self, depth: u32) -> Option<Object> {
        let mut dict = Dict::default();
        while depth < DEPTH && dict.0.len() < ITEMS {
            self.space();
            if self.rest().starts_with(b">>") {
                self.skip(2);
                return Some(Object::Dict(dict));
            }
            let Object::Name(key) = self.token(depth)? else { return None };
            let value = self.nested(depth.saturating_add(1))?;
            dict.0.push((key, value));
        }
        None
    }

    fn plain(&mut self) -> &'a [u8] {
        let len = self.rest().iter().take_while(|byte| !is_space(**byte) && !is_delimiter(**byte)).count();
        let found = self.rest().get(..len).unwrap_or(&[]);
        self.skip(len);
        found
    }

    fn name(&mut self) -> String {
        self.skip(1);
        let raw = self.plain();
        if !raw.contains(&b'#') {
            return String::from_utf8_lossy(raw).into_owned();
        }
        let mut bytes = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((&byte, after)) = rest.split_first() {
            let code = after.get(..2).filter(|_| byte == b'#').and_then(|hex| std::str::from_utf8(hex).ok());
            match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                Some(code) => {
                    bytes.push(code);
                    rest = after.get(2..).unwrap_or(&[]);
                }
                None => {
                    bytes.push(byte);
                    rest = after;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A keyword; a single odd byte where none begins, so that the walk goes on.
    fn word(&mut self) -> Object {
        let word = self.plain();
        if word.is_empty() {
            self.skip(1);
        }
        match word {
            b"true" => Object::Bool(true),
            b"false" => Object::Bool(false),
            b"null" => Object::Null,
            other => Object::Word(String::from_utf8_lossy(other).into_owned()),
        }
    }

    fn number(&mut self) -> Object {
        let text = std::str::from_utf8(self.plain()).unwrap_or("");
        // Writers put two signs, or a sign in the middle.
        let text = text.trim_start_matches('+');
        let text = text.strip_prefix('-').map_or(text, |rest| if rest.starts_with('-') { rest } else { text });
        if let Ok(number) = text.parse::<i64>() {
            return Object::Int(number);
        }
        let end = text
            .char_indices()
            .skip(1)
            .find(|(_, c)| !c.is_ascii_digit() && *c != '.')
            .map_or(text.len(), |(at, _)| at);
        let number = text.get(..end).and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
        Object::Real(number.unwrap_or(0.0))
    }

    /// `(...)` with escapes and balanced brackets (7.3.4.2).
    fn literal(&mut self) -> Vec<u8> {
        self.skip(1);
        let (mut bytes, mut open) = (Vec::new(), 1_u32);
        while let Some(byte) = self.next() {
            match byte {
                b'(' => open = open.saturating_add(1),
                b')' => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        break;
                    }
                }
                b'\\' => {
                    bytes.extend(self.escape());
                    continue;
                }
                _ => {}
            }
            bytes.push(byte);
        }
        bytes
    }

    fn escape(&mut self) -> Option<u8> {
        Some(match self.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.skip(1);
                }
                return None;
            }
            b'\n' => return None,
            digit @ b'0'..=b'7' => {
                let mut code = u32::from(digit.saturating_sub(b'0'));
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    code = code.saturating_mul(8).saturating_add(u32::from(digit.saturating_sub(b'0')));
                    self.skip(1);
                }
                code.to_le_bytes()[0]
            }
            other => other,
        })
    }

    /// `<...>` (7.3.4.3).
    fn hexadecimal(&mut self) -> Vec<u8> {
        self.skip(1);
        let (mut bytes, mut high) = (Vec::new(), None);
        while let Some(byte) = self.next().filter(|byte| *byte != b'>') {
            let Some(digit) = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()) else {
                continue;
            };
            match high.take() {
                None => high = Some(digit),
                Some(high) => bytes.push(u8::wrapping_mul(high, 16) | digit),
            }
        }
        bytes.extend(high.map(|high| u8::wrapping_mul(high, 16)));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_object() {
        let text = b"<< /Na#20me (a\\(b\\051\\\n(c)) /R 12 0 R /A [1 -2.5 .5 true null <48 6>] /W 3 >> Tj";
        let mut lexer = Lexer::new(text);
        let Some(Object::Dict(dict)) = lexer.object() else { panic!("no dictionary") };
        assert_eq!(dict.get("Na me").as_text(), Some(&b"a(b)(c)"[..]));
        assert_eq!(dict.get("R").as_ref(), Some(12));
        let want = [
            Object::Int(1),
            Object::Real(-2.5),
            Object::Real(0.5),
            Object::Bool(true),
            Object::Null,
            Object::Text(vec![0x48, 0x60]),
        ];
        assert_eq!(dict.get("A").items(), want);
        assert!(dict.has("W") && !dict.has("X") && lexer.object() == Some(Object::Word("Tj".into())));
    }

    #[test]
    fn any_bytes_end() {
        let text = b"<</A[(x<ab>/b 1 0 R]>>--5 +.x [[[[ 9999999999999999999999 {";
        for at in 0..text.len() {
            let mut lexer = Lexer::new(&text[at..]);
            for _ in 0..100 {
                if lexer.object().is_none() {
                    break;
                }
            }
        }
        assert_eq!(Lexer::new(&b"[".repeat(100_000)).object(), None);
    }
}
