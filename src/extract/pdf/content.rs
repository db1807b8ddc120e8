//! What a content stream shows (ISO 32000-1, sections 8 and 9): its texts, in the order in which they are painted, with line ends and
//! spaces where there is room between them.

use std::collections::HashMap;
use std::rc::Rc;

use hayro_syntax::content::TypedIter;
use hayro_syntax::content::ops::TypedInstruction as Op;
use hayro_syntax::object::{Array, Dict, MaybeRef, Name, Number, Object, Stream};
use hayro_syntax::page::Resources;

use super::super::text::Text;
use super::font::Font;
use super::matrix::Matrix;
use crate::limits::{EXTRACT_FONTS, EXTRACT_FORMS, EXTRACT_INFLATED};

/// States that are put aside at a time, and forms within forms.
const SAVED: usize = 100;
const FORMS_DEPTH: usize = 8;
/// Room between two texts, in heights of their letters: a space from here on, a new line.
const SPACE: f64 = 0.15;
const BACK: f64 = -0.5;
const LINE: f64 = 0.6;

/// Where texts stand and how they are read.
#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    /// Room after each character, and after each space.
    chars: f64,
    words: f64,
    scale: f64,
    leading: f64,
    text: Matrix,
    line: Matrix,
}

impl State {
    fn next_line(&mut self, x: f64, y: f64) {
        self.line = Matrix::moved(x, y).then(self.line);
        self.text = self.line;
    }

    fn forward(&mut self, by: f64) {
        self.text = Matrix::moved(by, 0.0).then(self.text);
    }
}

/// The pages of one document, one after the other.
pub(super) struct Content<'t, 'o> {
    pub text: &'t mut Text<'o>,
    fonts: HashMap<(u32, i32), Rc<Font>>,
    /// Where the last text ended.
    end: Option<(f64, f64)>,
    forms: usize,
    left: u64,
}

impl<'t, 'o> Content<'t, 'o> {
    pub fn new(text: &'t mut Text<'o>) -> Self {
        Self { text, fonts: HashMap::new(), end: None, forms: EXTRACT_FORMS, left: EXTRACT_INFLATED }
    }

    /// Nothing more is read.
    pub fn is_over(&self) -> bool {
        self.text.is_full() || self.left == 0 || self.forms == 0
    }

    /// A page, or something else that stands for itself.
    pub fn begin(&mut self) {
        self.text.line();
        self.end = None;
    }

    /// Appends what is in a stream, as long as all streams together are not too long.
    pub fn decode(&mut self, stream: &Stream<'_>, out: &mut Vec<u8>) {
        if self.left == 0 {
            return;
        }
        let Ok(bytes) = stream.decoded_data() else { return };
        // One that has nothing in it is some work too.
        self.left = self.left.saturating_sub(bytes.len().max(64) as u64);
        out.extend_from_slice(&bytes);
        out.push(b' ');
    }

    /// A form: contents of their own, with resources of their own or those of what is around them.
    pub fn form<'a>(&mut self, form: &Stream<'a>, around: &Resources<'a>, matrix: Matrix, depth: usize) {
        if self.is_over() {
            return;
        }
        // One that lies too deep is looked up all the same.
        self.forms -= 1;
        if depth > FORMS_DEPTH {
            return;
        }
        let mut bytes = Vec::new();
        self.decode(form, &mut bytes);
        let own = form.dict().get::<Dict<'a>>("Resources").map(Resources::new);
        let numbers = form.dict().get::<Array<'_>>("Matrix").map(|array| array.iter::<f64>().collect::<Vec<_>>());
        let placed = numbers.and_then(|numbers| numbers.try_into().ok()).map_or(Matrix::ONE, Matrix);
        self.run(&bytes, own.as_ref().unwrap_or(around), placed.then(matrix), depth + 1);
    }

    /// Reads contents; what is painted is at the end of `text`.
    pub fn run(&mut self, bytes: &[u8], resources: &Resources<'_>, matrix: Matrix, depth: usize) {
        let mut state = State {
            matrix,
            font: None,
            size: 1.0,
            chars: 0.0,
            words: 0.0,
            scale: 1.0,
            leading: 0.0,
            text: Matrix::ONE,
            line: Matrix::ONE,
        };
        let mut saved = Vec::new();
        // The same font may be named again and again without being an object of its own.
        let mut named = HashMap::new();
        let mut ops = TypedIter::new(bytes);
        while let Some(op) = ops.next() {
            if self.is_over() {
                return;
            }
            match op {
                Op::SaveState(_) if saved.len() < SAVED => saved.push(state.clone()),
                Op::RestoreState(_) => state = saved.pop().unwrap_or(state),
                Op::Transform(to) => {
                    state.matrix = numbers([to.0, to.1, to.2, to.3, to.4, to.5]).then(state.matrix);
                }
                Op::BeginText(_) => (state.text, state.line) = (Matrix::ONE, Matrix::ONE),
                Op::CharacterSpacing(by) => state.chars = by.0.as_f64(),
                Op::WordSpacing(by) => state.words = by.0.as_f64(),
                Op::HorizontalScaling(percent) => state.scale = percent.0.as_f64() / 100.0,
                Op::TextLeading(by) => state.leading = by.0.as_f64(),
                Op::TextFont(font) => {
                    state.font = self.font(font.0, resources, &mut named);
                    state.size = font.1.as_f64();
                }
                Op::NextLine(by) => state.next_line(by.0.as_f64(), by.1.as_f64()),
                Op::NextLineAndSetLeading(by) => {
                    state.leading = -by.1.as_f64();
                    state.next_line(by.0.as_f64(), by.1.as_f64());
                }
                Op::SetTextMatrix(to) => {
                    state.line = numbers([to.0, to.1, to.2, to.3, to.4, to.5]);
                    state.text = state.line;
                }
                Op::NextLineUsingLeading(_) => state.next_line(0.0, -state.leading),
                Op::ShowText(shown) => self.show(shown.0.as_bytes(), &mut state),
                Op::NextLineAndShowText(shown) => {
                    state.next_line(0.0, -state.leading);
                    self.show(shown.0.as_bytes(), &mut state);
                }
                Op::ShowTextWithParameters(shown) => {
                    (state.words, state.chars) = (shown.0.as_f64(), shown.1.as_f64());
                    state.next_line(0.0, -state.leading);
                    self.show(shown.2.as_bytes(), &mut state);
                }
                Op::ShowTexts(shown) => {
                    for object in shown.0.iter::<Object<'_>>() {
                        match object {
                            Object::String(piece) => self.show(piece.as_bytes(), &mut state),
                            Object::Number(by) => {
                                state.forward(-by.as_f64() / 1000.0 * state.size * state.scale);
                            }
                            _ => {}
                        }
                    }
                }
                Op::XObject(object) => {
                    let form = resources.get_x_object(object.0).filter(|stream| {
                        stream.dict().get::<Name<'_>>("Subtype").is_some_and(|kind| kind.as_ref() == b"Form")
                    });
                    if let Some(form) = form {
                        self.form(&form, resources, state.matrix, depth);
                    }
                }
                _ => {}
            }
        }
    }

    fn font(
        &mut self,
        name: &Name<'_>,
        resources: &Resources<'_>,
        named: &mut HashMap<Vec<u8>, Rc<Font>>,
    ) -> Option<Rc<Font>> {
        let raw = resources.fonts.get_raw::<Dict<'_>>(name)?;
        let number = raw.as_obj_ref().map(|found| (found.obj_number, found.gen_number));
        let known = match number {
            Some(number) => self.fonts.get(&number),
            None => named.get(name.as_ref()),
        };
        if let Some(font) = known {
            return Some(Rc::clone(font));
        }
        let dict = match raw {
            MaybeRef::NotRef(dict) => dict,
            MaybeRef::Ref(_) => resources.get_font(name)?,
        };
        let font = Rc::new(Font::read(&dict, &mut |stream| {
            let mut bytes = Vec::new();
            self.decode(stream, &mut bytes);
            bytes
        }));
        if self.fonts.len() + named.len() >= EXTRACT_FONTS {
            self.fonts.clear();
            named.clear();
        }
        match number {
            Some(number) => self.fonts.insert(number, Rc::clone(&font)),
            None => named.insert(name.as_ref().to_vec(), Rc::clone(&font)),
        };
        Some(font)
    }

    /// Codes of the current font.
    fn show(&mut self, bytes: &[u8], state: &mut State) {
        let Some(font) = state.font.clone() else { return };
        if bytes.is_empty() {
            return;
        }
        let place = state.text.then(state.matrix);
        self.room(place, state.size);
        let mut by = 0.0;
        font.read_codes(bytes, &mut |shown, width, is_space| {
            self.text.push(shown);
            let words = if is_space { state.words } else { 0.0 };
            by += (width / 1000.0 * state.size + state.chars + words) * state.scale;
        });
        state.forward(by);
        let [.., x, y] = state.text.then(state.matrix).0;
        self.end = Some((x, y));
    }

    /// Looks at the room between the last text and the one that begins here.
    fn room(&mut self, place: Matrix, size: f64) {
        let Some((end_x, end_y)) = self.end else { return };
        let [right, up, over, high, x, y] = place.0;
        let (height, length) = ((over.hypot(high) * size).abs(), right.hypot(up));
        if !(height.is_normal() && length.is_normal()) {
            self.text.space();
            return;
        }
        let (dx, dy) = ((x - end_x) / height, (y - end_y) / height);
        let along = (dx * right + dy * up) / length;
        let across = (dy * right - dx * up) / length;
        if across.abs() > LINE {
            self.text.next_line();
        } else if !(BACK..=SPACE).contains(&along) {
            self.text.space();
        }
    }
}

fn numbers(numbers: [Number; 6]) -> Matrix {
    Matrix(numbers.map(|number| number.as_f64()))
}
