//! What is embedded is embedded anew when a file comes or goes, too.

fn main() {
    for folder in ["plugin-sdk", "examples/plugins/rust", "wit", "Cargo.toml"] {
        println!("cargo:rerun-if-changed=../../{folder}");
    }
}
