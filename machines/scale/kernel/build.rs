//! Has the kernel's files take the atomics that count.

fn main() {
    println!("cargo::rustc-cfg=counted");
    println!("cargo::rerun-if-changed=build.rs");
}
