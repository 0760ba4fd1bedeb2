//! A module imports only modules of a strictly lower floor, and a cloud's name stands in its own folder alone.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The floors of `src/lib.rs`, from the ground up.
const FLOORS: [&[&str]; 7] = [
    &["crypto"],
    &["model", "wire"],
    &["mapping", "auth", "http", "store", "telemetry"],
    &["dialect", "config"],
    &["providers", "engine", "front"],
    &["gateway", "simulator"],
    &["cli"],
];

fn floor(module: &str) -> usize {
    FLOORS
        .iter()
        .position(|floor| floor.contains(&module))
        .unwrap_or_else(|| panic!("`{module}` has no floor"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Every file of a module with its text, tests included.
fn rooms() -> Vec<(String, PathBuf, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut rooms = Vec::new();
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        if inside.components().count() > 1 {
            rooms.push((module, path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(rooms.len() > 40, "only {} files were found", rooms.len());
    rooms
}

/// The modules that a text names as `crate::module`, alone or in a list.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in text.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            found.extend(list_heads(list));
        } else {
            found.extend(word(rest));
        }
    }
    found
}

/// The first word of each item of a `{…}` list, nested lists passed over.
fn list_heads(list: &str) -> Vec<String> {
    let (mut depth, mut heads, mut item) = (0, Vec::new(), String::new());
    for next in list.chars() {
        match next {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.extend(word(std::mem::take(&mut item).trim())),
            _ if depth == 0 => item.push(next),
            _ => {}
        }
    }
    heads.extend(word(item.trim()));
    heads
}

fn word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    Some(word).filter(|word| !word.is_empty())
}

#[test]
fn a_module_imports_only_lower_floors() {
    let mut wrong = Vec::new();
    for (module, path, text) in rooms() {
        for import in imports(&text).into_iter().filter(|import| *import != module) {
            if floor(&import) >= floor(&module) {
                wrong.push(format!("{}: `{module}` imports `{import}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_clouds_name_stands_only_in_its_own_folder() {
    for (module, path, text) in rooms() {
        // Tests may name a cloud; the embedded list of mapping files has to.
        let code = text.split("#[cfg(test)]").next().unwrap();
        let exempt = path.ends_with("mapping/source.rs")
            || path.parent().is_some_and(|folder| folder.ends_with("config/tests"));
        if ["providers", "cli"].contains(&module.as_str()) || exempt {
            continue;
        }
        let named = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let named: Vec<&str> =
            named.filter(|line| line.contains("\"aliyun") || line.contains("\"ucloud")).collect();
        assert!(named.is_empty(), "{}: {named:?}", path.display());
    }
}

#[test]
fn one_clouds_folder_does_not_know_another() {
    for (module, path, text) in rooms() {
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        for other in ["aliyun", "ucloud"]
            .iter()
            .filter(|other| module == "providers" && **other != folder && folder != "providers")
        {
            assert!(!text.contains(&format!("{other}::")), "{} names `{other}`", path.display());
        }
    }
}

#[test]
fn the_rule_sees_what_it_has_to_see() {
    let text = "use crate::{\n    auth::{Stamp, x},\n    engine,\n};\nfn f() { crate::model::Fault::new() }";
    assert_eq!(imports(text), ["auth", "engine", "model"]);
}
