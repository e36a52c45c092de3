//! The reference and the schema that stand in the repository are the ones the table of keys makes.

use std::path::{Path, PathBuf};
use wh_config::{json_schema, reference_markdown};

fn check(path: &str, made: &str) {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("WH_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == made, "{path} is not what the table makes; run `WH_BLESS=1 cargo test -p wh-config`");
}

#[test]
fn the_reference_is_up_to_date() {
    check("docs/config.md", &reference_markdown());
}

#[test]
fn the_schema_is_up_to_date() {
    check("schemas/config.schema.json", &json_schema());
}
