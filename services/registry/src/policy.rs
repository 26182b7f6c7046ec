//! What a system says of its registry: who provides what, and whose namespace is not the first one. As arguments of the cell.
//!
//! | argument | meaning |
//! |---|---|
//! | `provides=CLIENT:HASH` | the client of this number may provide the interface of this hash (64 hexadecimal digits) in its namespace; there it is looked for in no namespace above |
//! | `namespace=CLIENT:NAME` | the client of this number has the namespace of this name, which lies below the first one |

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use hallows_sdk::registry::Identity;

/// The number of a client: the badge that the system gives its capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(pub u32);

/// Clients that the registry has made itself have numbers from here on; those of a system are below.
pub(crate) const FIRST_MADE: u32 = 1 << 31;

/// The longest name of a namespace, in bytes; as all names of systems.
const LONGEST_NAME: usize = 64;

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A client may provide an interface.
    Provides(Client, [u8; 32]),
    /// A client has a namespace of its own.
    Namespace(Client, String),
}

/// Why an argument is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// It begins with none of the words.
    Unknown(String),
    /// What is behind the word is not as it should be.
    Malformed(String),
    /// A client has two namespaces.
    Twice(Client),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(text) => {
                write!(formatter, "`{text}` is neither provides=CLIENT:HASH nor namespace=CLIENT:NAME")
            }
            Self::Malformed(text) => write!(
                formatter,
                "`{text}`: a client is a number from 1 to {}, a hash has 64 digits, a name 1 to {LONGEST_NAME} of a to z, 0 to 9, - and _",
                FIRST_MADE - 1
            ),
            Self::Twice(client) => write!(formatter, "client {} has a namespace already", client.0),
        }
    }
}

impl core::error::Error for PolicyError {}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provides(client, hash) => {
                write!(formatter, "provides={}:", client.0)?;
                hash.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
            Self::Namespace(client, name) => write!(formatter, "namespace={}:{name}", client.0),
        }
    }
}

impl FromStr for Rule {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let malformed = || PolicyError::Malformed(text.to_owned());
        let (word, rest) = text.split_once('=').ok_or_else(|| PolicyError::Unknown(text.to_owned()))?;
        let (client, what) = rest.split_once(':').ok_or_else(malformed)?;
        let client = client.parse().ok().filter(|number| (1..FIRST_MADE).contains(number));
        let client = Client(client.ok_or_else(malformed)?);
        match word {
            "provides" => hash(what).map(|hash| Self::Provides(client, hash)).ok_or_else(malformed),
            "namespace" if is_name(what, true) => Ok(Self::Namespace(client, what.to_owned())),
            "namespace" => Err(malformed()),
            _ => Err(PolicyError::Unknown(text.to_owned())),
        }
    }
}

/// The bytes of 64 hexadecimal digits.
fn hash(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Whether a text is a name: of an interface, or of what a system names, where there may be a `_`.
pub(crate) fn is_name(text: &str, of_system: bool) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || of_system && byte == b'_'
    };
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

/// What the system says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    provides: BTreeSet<(Client, [u8; 32])>,
    namespaces: BTreeMap<Client, String>,
}

impl Policy {
    /// One rule more.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Twice`].
    pub fn add(&mut self, rule: Rule) -> Result<(), PolicyError> {
        match rule {
            Rule::Provides(client, hash) => {
                self.provides.insert((client, hash));
            }
            Rule::Namespace(client, name) => {
                if self.namespaces.insert(client, name).is_some() {
                    return Err(PolicyError::Twice(client));
                }
            }
        }
        Ok(())
    }

    /// Whether a client of the system may provide an interface.
    #[must_use]
    pub fn provides(&self, client: Client, identity: Identity) -> bool {
        self.provides.contains(&(client, identity.bytes()))
    }

    /// The name of a client's namespace, if that is not the first one.
    #[must_use]
    pub fn namespace(&self, client: Client) -> Option<&str> {
        self.namespaces.get(&client).map(String::as_str)
    }

    /// Every client with each interface that it may provide.
    pub(crate) fn all_provided(&self) -> impl Iterator<Item = (Client, [u8; 32])> {
        self.provides.iter().copied()
    }

    /// All names of namespaces; some come again.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.namespaces.values().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use hallows_sdk::registry::Identity;
    use proptest::prelude::*;

    use super::{Client, FIRST_MADE, Policy, PolicyError, Rule};

    proptest! {
        #[test]
        fn a_rule_survives_its_text(client in 1..FIRST_MADE, hash: [u8; 32], name in "[a-z0-9_-]{1,64}") {
            for rule in [Rule::Provides(Client(client), hash), Rule::Namespace(Client(client), name.clone())] {
                prop_assert_eq!(rule.to_string().parse(), Ok(rule));
            }
        }

        #[test]
        fn no_text_breaks_it(text: String) {
            if let Ok(rule) = text.parse::<Rule>() {
                prop_assert_eq!(rule.to_string().to_lowercase(), text.to_lowercase());
            }
        }
    }

    #[test]
    fn what_is_no_rule_is_said() {
        let long = format!("namespace=1:{}", "x".repeat(65));
        for (text, is_unknown) in [
            ("", true),
            ("serves=1:x", true),
            ("provides=1", false),
            ("provides=0:0000", false),
            ("provides=1:00", false),
            ("namespace=1:", false),
            ("namespace=1:Ab", false),
            ("namespace=2147483648:a", false),
            ("namespace=-1:a", false),
            (&long, false),
        ] {
            let error = text.parse::<Rule>().expect_err(text);
            assert_eq!(matches!(error, PolicyError::Unknown(_)), is_unknown, "{text}");
        }
        // A digit of four bytes, cut in the middle.
        assert!(format!("provides=1:{}é", "0".repeat(62)).parse::<Rule>().is_err());
    }

    #[test]
    fn a_client_provides_what_is_said_and_has_one_namespace() {
        let mut policy = Policy::default();
        let (one, other) = (Client(1), Client(2));
        policy.add(Rule::Provides(one, [7; 32])).expect("a rule");
        policy.add(Rule::Namespace(other, "test".to_owned())).expect("a rule");
        let [seven, eight] = [7, 8].map(|byte| Identity::from_bytes([byte; 32]));
        assert!(
            policy.provides(one, seven) && !policy.provides(other, seven) && !policy.provides(one, eight)
        );
        assert_eq!((policy.namespace(one), policy.namespace(other)), (None, Some("test")));
        assert_eq!(policy.add(Rule::Namespace(other, "more".to_owned())), Err(PolicyError::Twice(other)));
    }
}
