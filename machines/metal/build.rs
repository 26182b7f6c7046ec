//! Links the machine by `kernel.ld`.

fn main() {
    let folder =
        std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR for build scripts");
    println!("cargo:rerun-if-changed=kernel.ld");
    println!("cargo:rerun-if-changed=src/arch/boot.s");
    println!("cargo:rerun-if-changed=src/arch/interrupts.s");
    println!("cargo:rustc-link-arg-bins=-T{folder}/kernel.ld");
    // Sections that differ in protection must not share a page.
    println!("cargo:rustc-link-arg-bins=-zmax-page-size=4096");
    // A note of its own would come before ours and confuse loaders that read only the first.
    println!("cargo:rustc-link-arg-bins=--build-id=none");
    // The target's default is position-independent; the boot code's absolute addresses are not.
    println!("cargo:rustc-link-arg-bins=--no-pie");
}
