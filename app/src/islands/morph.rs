//! Makes one part of a page like another one in place, so that focus, selection and what somebody has opened stay.

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Node};

const ISLAND: &str = "LEPTOS-ISLAND";

/// Makes a node like another one in place.
pub fn become_like(old: &Node, fresh: &Node) -> Result<(), JsValue> {
    if old.is_equal_node(Some(fresh)) {
        return Ok(());
    }
    // An island looks after itself.
    if old.node_name() == ISLAND && fresh.node_name() == ISLAND {
        return Ok(());
    }
    let (Some(one), Some(other)) = (old.dyn_ref::<Element>(), fresh.dyn_ref::<Element>()) else {
        if old.node_type() == fresh.node_type() {
            old.set_node_value(fresh.node_value().as_deref());
            return Ok(());
        }
        return replace(old, fresh);
    };
    if one.tag_name() != other.tag_name() || one.id() != other.id() {
        return replace(old, fresh);
    }
    let names = |element: &Element| {
        element.get_attribute_names().iter().filter_map(|name| name.as_string()).collect::<Vec<_>>()
    };
    // Whether a part is open is the reader's.
    let is_readers = |name: &str| name == "open" && one.tag_name() == "DETAILS";
    for name in names(one).iter().filter(|name| !other.has_attribute(name) && !is_readers(name)) {
        one.remove_attribute(name)?;
    }
    for name in names(other).iter().filter(|name| !is_readers(name)) {
        let value = other.get_attribute(name).unwrap_or_default();
        if one.get_attribute(name).as_ref() != Some(&value) {
            one.set_attribute(name, &value)?;
        }
    }
    fill_like(old, fresh)
}

/// Makes what is in a node like what is in another one, and leaves the node itself.
pub fn fill_like(old: &Node, fresh: &Node) -> Result<(), JsValue> {
    let mut at = old.first_child();
    let mut coming = fresh.first_child();
    while let Some(newer) = coming {
        coming = newer.next_sibling();
        match at {
            Some(here) => {
                at = here.next_sibling();
                become_like(&here, &newer)?;
            }
            None => drop(old.append_child(&copy(&newer)?)?),
        }
    }
    while let Some(here) = at {
        at = here.next_sibling();
        old.remove_child(&here)?;
    }
    Ok(())
}

fn replace(old: &Node, fresh: &Node) -> Result<(), JsValue> {
    let Some(parent) = old.parent_node() else { return Ok(()) };
    parent.replace_child(&copy(fresh)?, old).map(drop)
}

fn copy(fresh: &Node) -> Result<Node, JsValue> {
    document().import_node_with_deep(fresh, true)
}
