//! The text of the first pages: content streams (ISO 32000-1, 7.8.2 and 9.4), forms that they use included.

use super::file::File;
use super::font::Font;
use super::lexer::Lexer;
use super::object::{Dict, Object};
use super::pages;
use super::state::{Matrix, State};
use crate::extract::document::content::Content;
use crate::extract::{Input, Parsed};
use std::collections::HashMap;
use std::rc::Rc;

/// Pages that are read at most: the cap on the text usually comes first.
const PAGES: usize = 64;
/// Forms inside forms.
const FORMS: u32 = 4;
/// Annotations of one page.
const ANNOTATIONS: usize = 1024;
/// Operands of one operator.
const OPERANDS: usize = 4096;
/// Saved states.
const SAVED: usize = 64;

/// What drawing needs.
struct Reader<'r, 'i> {
    input: &'r mut Input<'i>,
    file: &'r mut File,
    content: &'r mut Content,
    /// Fonts by the object that they are.
    fonts: HashMap<u32, Rc<Font>>,
}

/// Reads page after page until there is enough.
pub(super) fn collect(input: &mut Input<'_>, file: &mut File, content: &mut Content) -> Parsed<()> {
    let found = pages::first(input, file, PAGES)?;
    let mut reader = Reader { input, file, content, fonts: HashMap::new() };
    for page in found {
        if reader.content.is_full() {
            break;
        }
        reader.page(&page)?;
    }
    Ok(())
}

impl Reader<'_, '_> {
    fn page(&mut self, page: &Dict) -> Parsed<()> {
        let resources = self.file.value(self.input, page, "Resources")?;
        let resources = resources.as_dict().cloned().unwrap_or_default();
        let parts = page.get("Contents").clone();
        // A reference to an array of references, or to one stream.
        let parts = match self.file.resolve(self.input, &parts)? {
            Object::Array(parts) => parts,
            _ => vec![parts],
        };
        let mut bytes = Vec::new();
        for part in parts.iter().take(OPERANDS) {
            if let Some((_, part, _)) = self.file.stream(self.input, part)? {
                bytes.extend(part);
                bytes.push(b'\n');
            }
        }
        let mut state = State::new();
        self.run(&bytes, &resources, &mut state, 0)?;
        state.end(self.content);
        self.annotations(page, &resources)
    }

    /// What fields of forms and notes show (12.5.5): their normal appearance, for the state that they are in.
    fn annotations(&mut self, page: &Dict, resources: &Dict) -> Parsed<()> {
        let all = self.file.value(self.input, page, "Annots")?;
        for annotation in all.items().iter().take(ANNOTATIONS) {
            let Object::Dict(annotation) = self.file.resolve(self.input, annotation)? else { continue };
            let Object::Dict(looks) = self.file.value(self.input, &annotation, "AP")? else { continue };
            let mut normal = looks.get("N").clone();
            if let Object::Dict(states) = self.file.resolve(self.input, &normal)?
                && let Some(state) = annotation.get("AS").as_name()
            {
                normal = states.get(state).clone();
            }
            self.draw(&normal, resources, Matrix::ONE, 0)?;
        }
        Ok(())
    }

    fn run(&mut self, bytes: &[u8], resources: &Dict, state: &mut State, depth: u32) -> Parsed<()> {
        let mut lexer = Lexer::new(bytes);
        let (mut operands, mut saved) = (Vec::new(), Vec::new());
        let mut font = None;
        while !self.content.is_full() {
            self.input.tick()?;
            let Some(object) = lexer.token(0) else {
                if lexer.rest().is_empty() {
                    break;
                }
                lexer.skip(1);
                continue;
            };
            let Object::Word(word) = object else {
                if operands.len() < OPERANDS {
                    operands.push(object);
                }
                continue;
            };
            match word.as_str() {
                "q" if saved.len() < SAVED => saved.push((state.clone(), font.clone())),
                "Q" => {
                    if let Some((page, before)) = saved.pop() {
                        // The pen stays where it was: what follows may stand right beside it.
                        (state.page, state.size, font) = (page.page, page.size, before);
                    }
                }
                "Tf" => font = self.font(resources, &operands, state)?,
                "Do" if depth < FORMS => self.form(resources, &operands, state, depth)?,
                "BI" => skip_image(&mut lexer),
                other => self.operator(other, &operands, state, font.as_deref()),
            }
            operands.clear();
        }
        Ok(())
    }

    fn operator(&mut self, name: &str, operands: &[Object], state: &mut State, font: Option<&Font>) {
        let number = |at: usize| operands.get(at).and_then(Object::as_float).unwrap_or(0.0);
        let six = || Matrix([0, 1, 2, 3, 4, 5].map(number));
        match name {
            "BT" => state.begin(),
            "cm" => state.page = six().then(state.page),
            "Tm" => state.set(six()),
            "Td" => state.next_line(number(0), number(1)),
            "TD" => {
                state.leading = -number(1);
                state.next_line(number(0), number(1));
            }
            "T*" => state.next_line(0.0, -state.leading),
            "TL" => state.leading = number(0),
            "Tc" => state.character_gap = number(0),
            "Tw" => state.word_gap = number(0),
            "Tz" => state.stretch = number(0) / 100.0,
            "Tj" => self.show(operands.first(), state, font),
            "'" => {
                state.next_line(0.0, -state.leading);
                self.show(operands.first(), state, font);
            }
            "\"" => {
                (state.word_gap, state.character_gap) = (number(0), number(1));
                state.next_line(0.0, -state.leading);
                self.show(operands.get(2), state, font);
            }
            "TJ" => {
                for item in operands.first().map_or(&[][..], Object::items) {
                    match item.as_float() {
                        Some(amount) => state.kern(amount),
                        None => self.show(Some(item), state, font),
                    }
                }
            }
            _ => {}
        }
    }

    fn show(&mut self, text: Option<&Object>, state: &mut State, font: Option<&Font>) {
        if let (Some(bytes), Some(font)) = (text.and_then(Object::as_text), font) {
            state.show(&font.glyphs(bytes), self.content);
        }
    }

    /// `Tf`: the font of that name, read once.
    fn font(&mut self, resources: &Dict, operands: &[Object], state: &mut State) -> Parsed<Option<Rc<Font>>> {
        let (Some(name), size) = (operands.first().and_then(Object::as_name), operands.get(1)) else { return Ok(None) };
        state.size = size.and_then(Object::as_float).unwrap_or(0.0);
        let fonts = self.file.value(self.input, resources, "Font")?;
        let object = fonts.as_dict().map_or(Object::Null, |fonts| fonts.get(name).clone());
        let known = object.as_ref().and_then(|number| self.fonts.get(&number));
        if let Some(font) = known {
            return Ok(Some(Rc::clone(font)));
        }
        let Object::Dict(dict) = self.file.resolve(self.input, &object)? else { return Ok(None) };
        let font = Rc::new(Font::read(self.input, self.file, &dict)?);
        if let Some(number) = object.as_ref() {
            self.fonts.insert(number, Rc::clone(&font));
        }
        Ok(Some(font))
    }

    /// `Do`: a form holds a content stream of its own (8.10).
    fn form(&mut self, resources: &Dict, operands: &[Object], state: &mut State, depth: u32) -> Parsed<()> {
        let Some(name) = operands.first().and_then(Object::as_name) else { return Ok(()) };
        let forms = self.file.value(self.input, resources, "XObject")?;
        let Some(form) = forms.as_dict().map(|forms| forms.get(name).clone()) else { return Ok(()) };
        let Object::Dict(dict) = self.file.resolve(self.input, &form)? else { return Ok(()) };
        if dict.get("Subtype").as_name() != Some("Form") {
            return Ok(());
        }
        self.draw(&form, resources, state.page, depth)
    }

    fn draw(&mut self, form: &Object, resources: &Dict, page: Matrix, depth: u32) -> Parsed<()> {
        let Some((dict, bytes, _)) = self.file.stream(self.input, form)? else { return Ok(()) };
        let own = self.file.value(self.input, &dict, "Resources")?;
        let own = own.as_dict().unwrap_or(resources);
        let mut inner = State::new();
        inner.page = page;
        let matrix: Vec<f64> = dict.get("Matrix").items().iter().filter_map(Object::as_float).collect();
        if let Ok(matrix) = <[f64; 6]>::try_from(matrix) {
            inner.page = Matrix(matrix).then(inner.page);
        }
        self.content.line();
        self.run(&bytes, own, &mut inner, depth.saturating_add(1))?;
        inner.end(self.content);
        Ok(())
    }
}

/// `BI ... ID data EI` (8.9.7): passes over the picture.
fn skip_image(lexer: &mut Lexer<'_>) {
    while let Some(object) = lexer.token(0) {
        if object == Object::Word("ID".into()) {
            break;
        }
    }
    let ended = |window: &[u8]| matches!(window, [b' ' | b'\n' | b'\r', b'E', b'I', b' ' | b'\n' | b'\r' | b'Q']);
    let end = lexer.rest().windows(4).position(ended);
    lexer.skip(end.map_or(lexer.rest().len(), |at| at.saturating_add(3)));
}
