//! Reads XML into a document: an element with children is an object of lists, one without is its text.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use serde_json::{Map, Value};

#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Map<String, Value>,
}

/// The document of an XML text. Elements of one name keep their order, elements of different names have none.
pub fn read_xml(text: &str) -> Value {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::End(_) => close(&mut open),
            Event::Empty(empty) => {
                let name = empty.name().as_ref().to_owned();
                open.push(Element { name, ..Element::default() });
                close(&mut open);
            }
            Event::Text(text) => innermost(&mut open).text.push_str(&text),
            Event::GeneralRef(entity) => {
                let character = resolve_predefined_entity(&entity);
                innermost(&mut open).text.push_str(character.expect("an entity of XML's own"));
            }
            Event::Eof => break,
            Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let [Element { name: _, text: _, children }] =
        <[Element; 1]>::try_from(open).ok().expect("an end for every start");
    Value::Object(children)
}

fn innermost(open: &mut [Element]) -> &mut Element {
    open.last_mut().expect("the document itself")
}

fn close(open: &mut Vec<Element>) {
    let Element { name, text, children } = open.pop().expect("a start before the end");
    let value = if children.is_empty() { Value::String(text) } else { Value::Object(children) };
    let siblings = innermost(open).children.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    siblings.as_array_mut().expect("a list").push(value);
}

#[test]
fn elements_of_one_name_are_a_list() {
    let read = read_xml("<?xml version='1.0'?>\n<R>\n <A>1</A>\n <B><C/></B> <A>&amp;2</A></R>\n");
    assert_eq!(read, serde_json::json!({"R": [{"A": ["1", "&2"], "B": [{"C": [""]}]}]}));
}
