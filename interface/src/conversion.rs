//! The order in which interfaces are converted: those that one uses before it, since their hashes are part of its types.

use std::collections::HashMap;

use wit_parser::{InterfaceId, Resolve};

use crate::convert::Converter;
use crate::limits::{Bytes, MOST_CHAIN};
use crate::{Hash, Interface, Problem, used};

/// Conversions of one request: what they know and spend together.
pub struct Conversion<'a> {
    resolve: &'a Resolve,
    /// Interfaces whose resources were met, so that each is worked out once.
    known: HashMap<InterfaceId, Known>,
    bytes: Bytes,
}

/// An interface that another one uses.
#[derive(Clone, Copy)]
pub struct Known {
    /// Its identity.
    pub hash: Hash,
    /// How many interfaces stand one behind the other from it on.
    chain: usize,
}

impl<'a> Conversion<'a> {
    /// Of interfaces in there.
    pub fn new(resolve: &'a Resolve) -> Self {
        Self { resolve, known: HashMap::new(), bytes: Bytes::default() }
    }

    /// Converts one interface.
    pub fn interface(&mut self, id: InterfaceId) -> Result<Interface, Problem> {
        self.convert(id, 1).map(|(interface, _)| interface)
    }

    /// An interface, and how many stand one behind the other from it on. `above` are those that use it, and itself.
    ///
    /// The hashes of others are worked out before any type is: so nothing but their chain is on the stack. Interfaces do not use each
    /// other in circles; the parser refuses that.
    fn convert(&mut self, id: InterfaceId, above: usize) -> Result<(Interface, usize), Problem> {
        let name = self.resolve.interfaces[id].name.clone().unwrap_or_default();
        let too_long = |chain| {
            if chain > MOST_CHAIN {
                return Err(Problem::Chain { interface: name.clone(), most: MOST_CHAIN });
            }
            Ok(chain)
        };
        let mut chain = too_long(above).map(|_| 1)?;
        let mut others = HashMap::new();
        for other in used::interfaces(self.resolve, id) {
            let known = self.know(other, above + 1)?;
            chain = too_long(1 + known.chain)?.max(chain);
            // Their resources would have the same names, and could be swapped without a change of the hash.
            if let Some(twin) = others.insert(known.hash, other) {
                let [one, other] = [twin, other].map(|id| self.full_name(id));
                return Err(Problem::Twins { interface: name, one, other });
            }
        }
        let converter = Converter::new(self.resolve, (id, &name), &self.known, &self.bytes);
        Ok((converter.interface()?, chain))
    }

    /// Its name with that of its package.
    fn full_name(&self, id: InterfaceId) -> String {
        self.resolve.id_of(id).or_else(|| self.resolve.interfaces[id].name.clone()).unwrap_or_default()
    }

    fn know(&mut self, id: InterfaceId, above: usize) -> Result<Known, Problem> {
        if let Some(known) = self.known.get(&id) {
            return Ok(*known);
        }
        let (interface, chain) = self.convert(id, above)?;
        let known = Known { hash: interface.hash(), chain };
        self.known.insert(id, known);
        Ok(known)
    }
}
