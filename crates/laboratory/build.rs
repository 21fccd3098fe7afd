//! Writes the gated store: for every method of every trait of `crates/store`, a call that passes the gate before and after.

#![expect(clippy::unwrap_used, reason = "a build that cannot go on says so by a panic")]

use std::{env, fs, path::Path};

use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::{File, FnArg, Ident, Item, ItemTrait, ItemUse, Pat, TraitItem, TraitItemFn, UseTree, parse_file};

fn main() {
    println!("cargo:rerun-if-changed=../store/src");
    let mut modules = Vec::new();
    let mut paths: Vec<_> =
        fs::read_dir("../store/src").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let file = parse_file(&fs::read_to_string(path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        modules.extend(gated(&format_ident!("of_{name}"), &file));
    }
    let out = Path::new(&env::var("OUT_DIR").unwrap()).join("gated.rs");
    fs::write(out, quote!(#(#modules)*).to_string()).unwrap();
}

/// The implementations of a file's traits, in a module with the file's own imports.
fn gated(module: &Ident, file: &File) -> Option<Tokens> {
    let traits: Vec<Tokens> = file.items.iter().filter_map(as_trait).map(implemented).collect();
    let uses = file.items.iter().filter_map(as_use);
    (!traits.is_empty()).then(|| {
        quote! {
            mod #module {
                use crate::gate::prelude::*;
                #(#uses)*
                #(#traits)*
            }
        }
    })
}

fn as_trait(item: &Item) -> Option<&ItemTrait> {
    match item {
        Item::Trait(item) => Some(item),
        _ => None,
    }
}

/// Crates whose types the store's methods take and give; the store's own come with the gate's prelude.
const NAMED: [&str; 5] = ["async_trait", "chrono", "domain", "std", "tokio"];

/// The imports from those.
fn as_use(item: &Item) -> Option<&ItemUse> {
    let Item::Use(item) = item else { return None };
    let UseTree::Path(path) = &item.tree else { return None };
    NAMED.iter().any(|name| path.ident == name).then_some(item)
}

fn implemented(item: &ItemTrait) -> Tokens {
    let name = &item.ident;
    let methods = item.items.iter().filter_map(|item| match item {
        TraitItem::Fn(method) => Some(passing(method)),
        _ => None,
    });
    quote! {
        #[async_trait]
        impl store::#name for crate::gate::GatedStore {
            #(#methods)*
        }
    }
}

fn passing(method: &TraitItemFn) -> Tokens {
    let (signature, name) = (&method.sig, &method.sig.ident);
    let arguments = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(typed) => match typed.pat.as_ref() {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    });
    if signature.asyncness.is_none() {
        return quote! { #signature { self.inner.#name(#(#arguments),*) } };
    }
    let text = name.to_string();
    quote! {
        #signature {
            self.gate.pass(#text, "before").await;
            let result = self.inner.#name(#(#arguments),*).await;
            self.gate.pass(#text, "after").await;
            result
        }
    }
}
