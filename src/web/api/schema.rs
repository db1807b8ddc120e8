//! What JSON may look like: one description, by which bodies are checked and from which the `OpenAPI` document is made.

use serde_json::{Map, Value, json};

/// A shape of JSON (JSON Schema 2020-12, as far as it is needed).
#[derive(Clone, Copy, Debug)]
pub enum Schema {
    /// Characters: least and most.
    Text(usize, usize),
    /// A text in a format of JSON Schema; what is written, never what is read.
    Format(&'static str),
    /// Least and most.
    Integer(i64, i64),
    Flag,
    /// One of these.
    Word(&'static [&'static str]),
    /// Elements, and the most of them.
    List(&'static Schema, usize),
    Object(&'static [Member]),
    /// Names that people chose, and the most of them.
    Map(&'static Schema, usize),
    /// Or `null`.
    Maybe(&'static Schema),
    Named(&'static Named),
    /// An object of any kind.
    Free,
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub name: &'static str,
    pub schema: Schema,
    pub is_needed: bool,
    pub what: &'static str,
}

/// A shape that has a name in the document.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    pub name: &'static str,
    pub schema: Schema,
}

/// What of a value is wrong: where (a JSON pointer, RFC 6901), and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub at: String,
    pub what: String,
}

/// Any number that counts something.
pub const COUNT: Schema = Schema::Integer(0, i64::MAX);
pub const TIME: Schema = Schema::Format("date-time");
pub const MAYBE_TIME: Schema = Schema::Maybe(&TIME);
/// Text that we write, however long.
pub const SAID: Schema = Schema::Text(0, usize::MAX);

/// A member that is always there.
pub const fn has(name: &'static str, schema: Schema, what: &'static str) -> Member {
    Member { name, schema, is_needed: true, what }
}

/// A member that may be left out.
pub const fn may(name: &'static str, schema: Schema, what: &'static str) -> Member {
    Member { name, schema, is_needed: false, what }
}

/// A bound as a number of JSON.
#[expect(clippy::cast_possible_wrap, reason = "bounds are small")]
pub const fn bound(most: usize) -> i64 {
    most as i64
}

impl Schema {
    /// Holds a value against the shape; the first thing that does not fit.
    pub fn check(&self, value: &Value) -> Result<(), Wrong> {
        self.look(value, "")
    }

    fn look(&self, value: &Value, at: &str) -> Result<(), Wrong> {
        let wrong = |what: String| Err(Wrong { at: at.to_owned(), what });
        match (self, value) {
            (Self::Free, Value::Object(_))
            | (Self::Maybe(_), Value::Null)
            | (Self::Format(_), Value::String(_))
            | (Self::Flag, Value::Bool(_)) => Ok(()),
            (Self::Maybe(schema), _) => schema.look(value, at),
            (Self::Named(named), _) => named.schema.look(value, at),
            (Self::Text(least, most), Value::String(text)) => match text.chars().count() {
                chars if (*least..=*most).contains(&chars) => Ok(()),
                _ => wrong(format!("{least} to {most} characters are expected")),
            },
            (Self::Integer(least, most), Value::Number(number)) => match number.as_i64() {
                Some(number) if (*least..=*most).contains(&number) => Ok(()),
                _ => wrong(format!("a whole number from {least} to {most} is expected")),
            },
            (Self::Word(words), Value::String(text)) if words.contains(&text.as_str()) => Ok(()),
            (Self::Word(words), _) => wrong(format!("one of these is expected: {}", words.join(", "))),
            (Self::List(schema, most), Value::Array(values)) => {
                if values.len() > *most {
                    return wrong(format!("at most {most} elements are expected"));
                }
                values.iter().enumerate().try_for_each(|(place, value)| schema.look(value, &format!("{at}/{place}")))
            }
            (Self::Map(schema, most), Value::Object(members)) => {
                if members.len() > *most {
                    return wrong(format!("at most {most} members are expected"));
                }
                members.iter().try_for_each(|(name, value)| schema.look(value, &below(at, name)))
            }
            (Self::Object(known), Value::Object(members)) => members_fit(known, members, at),
            _ => wrong(format!("{} is expected", self.kind())),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Text(..) | Self::Format(_) | Self::Word(_) => "a string",
            Self::Integer(..) => "a whole number",
            Self::Flag => "true or false",
            Self::List(..) => "an array",
            Self::Object(_) | Self::Map(..) | Self::Free => "an object",
            Self::Maybe(schema) => schema.kind(),
            Self::Named(named) => named.schema.kind(),
        }
    }

    /// The value that a text in an address stands for; what does not fit stays a text.
    pub fn of_text(&self, text: &str) -> Value {
        match self {
            // No sign, no blank, no leading zero: one number has one form.
            Self::Integer(..) => match text.parse::<i64>() {
                Ok(number) if number.to_string() == text => number.into(),
                _ => text.into(),
            },
            Self::Flag if text == "true" || text == "false" => (text == "true").into(),
            _ => text.into(),
        }
    }

    /// As JSON Schema; what has a name is referred to, and put into `named`.
    pub fn document(&self, named: &mut Map<String, Value>) -> Value {
        match self {
            Self::Text(least, most) => {
                let mut schema = json!({ "type": "string" });
                if *least > 0 {
                    schema["minLength"] = (*least).into();
                }
                if *most < usize::MAX {
                    schema["maxLength"] = (*most).into();
                }
                schema
            }
            Self::Format(format) => json!({ "type": "string", "format": format }),
            Self::Integer(least, most) => {
                let mut schema = json!({ "type": "integer", "format": "int64", "minimum": least });
                if *most < i64::MAX {
                    schema["maximum"] = (*most).into();
                }
                schema
            }
            Self::Flag => json!({ "type": "boolean" }),
            Self::Free => json!({ "type": "object" }),
            Self::Word(words) => json!({ "type": "string", "enum": words }),
            Self::List(schema, most) => {
                json!({ "type": "array", "items": schema.document(named), "maxItems": most })
            }
            Self::Map(schema, most) => {
                json!({ "type": "object", "additionalProperties": schema.document(named), "maxProperties": most })
            }
            Self::Maybe(schema) => json!({ "anyOf": [schema.document(named), { "type": "null" }] }),
            Self::Object(members) => {
                let needed: Vec<&str> =
                    members.iter().filter(|member| member.is_needed).map(|member| member.name).collect();
                let mut properties = Map::new();
                for member in *members {
                    let mut schema = member.schema.document(named);
                    if !member.what.is_empty() {
                        schema["description"] = member.what.into();
                    }
                    properties.insert(member.name.into(), schema);
                }
                let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
                if !needed.is_empty() {
                    schema["required"] = needed.into();
                }
                schema
            }
            Self::Named(shape) => {
                if !named.contains_key(shape.name) {
                    // Before its content is known, so that nothing is looked at twice.
                    named.insert(shape.name.into(), Value::Null);
                    let schema = shape.schema.document(named);
                    named.insert(shape.name.into(), schema);
                }
                json!({ "$ref": format!("#/components/schemas/{}", shape.name) })
            }
        }
    }
}

/// A pointer to a member (RFC 6901).
pub fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn members_fit(known: &[Member], members: &Map<String, Value>, at: &str) -> Result<(), Wrong> {
    for member in known {
        match members.get(member.name) {
            Some(value) => member.schema.look(value, &below(at, member.name))?,
            None if member.is_needed => {
                return Err(Wrong { at: at.to_owned(), what: format!("the member {:?} is missing", member.name) });
            }
            None => {}
        }
    }
    match members.keys().find(|name| known.iter().all(|member| member.name != name.as_str())) {
        Some(name) => Err(Wrong { at: below(at, name), what: "there is no such member".into() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: Named = Named { name: "Inner", schema: Schema::Object(&[has("n", Schema::Integer(1, 9), "")]) };
    const OUTER: Schema = Schema::Object(&[
        has("text", Schema::Text(1, 3), "Said"),
        may("list", Schema::List(&Schema::Named(&INNER), 2), ""),
        may("word", Schema::Maybe(&Schema::Word(&["a", "b"])), ""),
    ]);

    #[test]
    fn values_are_held_against_their_shape_and_the_place_is_named() {
        let wrong = |value: Value| OUTER.check(&value).unwrap_err().at;
        assert_eq!(OUTER.check(&json!({ "text": "äöü", "list": [{ "n": 1 }], "word": null })), Ok(()));
        assert_eq!(wrong(json!([])), "");
        assert_eq!(wrong(json!({})), "");
        assert_eq!(wrong(json!({ "text": "" })), "/text");
        assert_eq!(wrong(json!({ "text": "abcd" })), "/text");
        assert_eq!(wrong(json!({ "text": 1 })), "/text");
        assert_eq!(wrong(json!({ "text": "a", "list": [{ "n": 1 }, { "n": 10 }] })), "/list/1/n");
        assert_eq!(wrong(json!({ "text": "a", "list": [1, 2, 3] })), "/list");
        assert_eq!(wrong(json!({ "text": "a", "word": "c" })), "/word");
        assert_eq!(wrong(json!({ "text": "a", "x/~": 1 })), "/x~1~0");
    }

    #[test]
    fn texts_of_addresses_stand_for_values() {
        let number = Schema::Integer(0, 9);
        assert_eq!(
            (number.of_text("7"), number.of_text("07"), number.of_text("+7")),
            (json!(7), json!("07"), json!("+7"))
        );
        assert_eq!((Schema::Flag.of_text("true"), Schema::Flag.of_text("1")), (json!(true), json!("1")));
    }

    #[test]
    fn named_shapes_stand_in_the_document_once() {
        let mut named = Map::new();
        let document = OUTER.document(&mut named);
        assert_eq!(document["properties"]["list"]["items"]["$ref"], "#/components/schemas/Inner");
        assert_eq!(document["required"], json!(["text"]));
        assert_eq!(named["Inner"]["properties"]["n"]["maximum"], 9);
    }
}
