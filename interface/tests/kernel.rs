//! What the kernel knows of its interfaces is what their files say. `BLESS=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use hallows_interface::{Interface, Package};

const FROM: &str = "wit/kernel";
const TO: &str = "abi/src/operation/function.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn interfaces() -> Vec<Interface> {
    Package::open(&root().join(FROM)).expect("WIT").interfaces().expect("interfaces")
}

/// `create-endpoint` of `budget` is `BudgetCreateEndpoint`.
fn variant(interface: &str, function: &str) -> String {
    let words = interface.split('-').chain(function.split('-'));
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn made(interfaces: &[Interface]) -> String {
    let functions: Vec<(String, String, u32)> = interfaces
        .iter()
        .flat_map(|interface| interface.functions.iter().map(move |function| (interface, function)))
        .map(|(interface, function)| {
            let name = format!("{}.{}", interface.name, function.name);
            (variant(&interface.name, &function.name), name, function.tag())
        })
        .collect();
    let count = functions.len();
    let (mut variants, mut all, mut arms) = (String::new(), String::new(), String::new());
    for (variant, name, tag) in &functions {
        let _ = writeln!(variants, "/// `{name}`.\n{variant} = {tag:#010x},");
        let _ = write!(all, "Self::{variant},");
        let _ = writeln!(arms, "{tag:#010x} => Self::{variant},");
    }
    let mut hashes = String::new();
    for interface in interfaces {
        let bytes: String = interface.hash().0.iter().map(|byte| format!("{byte:#04x},")).collect();
        let _ = writeln!(hashes, "({:?}, [{bytes}]),", interface.name);
    }
    let text = format!(
        "//! The functions of the interfaces in `{FROM}`, by their tags.

        /// A function that a kernel object answers. Its number is the tag that a message to it begins with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Function {{ {variants} }}

        impl Function {{
            /// Every function.
            pub const ALL: [Self; {count}] = [{all}];

            /// What a message to it begins with.
            #[must_use]
            #[inline]
            pub const fn tag(self) -> u32 {{ self as u32 }}

            /// The function of this tag, if there is one.
            #[must_use]
            #[inline]
            pub const fn from_tag(tag: u32) -> Option<Self> {{
                Some(match tag {{ {arms} _ => return None, }})
            }}
        }}

        /// The interfaces, by their names, and what each is known by.
        pub const INTERFACES: [(&str, [u8; 32]); {}] = [{hashes}];\n",
        interfaces.len()
    );
    let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    format!("// Made from `{FROM}` by `interface/tests/kernel.rs`: change those, not this.\n")
        + &prettyplease::unparse(&file)
}

#[test]
fn the_kernel_knows_the_tags_and_the_identities_of_its_interfaces() {
    let made = made(&interfaces());
    let to = root().join(TO);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&to, &made).expect("written");
    }
    let kept = fs::read_to_string(&to).unwrap_or_default();
    assert!(kept == made, "{TO} is not what {FROM} makes: run this test with BLESS=1");
}

/// `SELF` answers functions of several interfaces, and every object those of `object` beside its own, so tags must differ among all.
#[test]
fn no_two_functions_of_the_kernel_have_one_tag() {
    let mut seen = BTreeMap::new();
    for interface in interfaces() {
        for function in &interface.functions {
            let other = seen.insert(function.tag(), function.full_name());
            assert!(other.is_none(), "{} and {other:?}", function.full_name());
        }
    }
    assert_eq!(seen.len(), hallows_abi::Function::ALL.len());
}
