//! `invocation`: the arguments and the environment that the program was started with.

use std::sync::Arc;

use hallows_sdk::stub::Client;
use hallows_system::invocation::{Service, Sizes};

use super::resources::{Installed, Texts};

/// Bytes of one piece: with what is around it, it fits into a message.
const PIECE_BYTES: usize = 60 * 1024;

/// Serves `invocation`.
#[derive(Debug)]
pub(super) struct Invocation(pub Arc<Installed>);

/// What there is from a byte on, at most one piece; nothing behind the end.
fn piece(texts: &Texts, from: u32) -> &[u8] {
    let rest = usize::try_from(from).ok().and_then(|from| texts.bytes().get(from..)).unwrap_or(&[]);
    rest.get(..PIECE_BYTES).unwrap_or(rest)
}

impl Service for Invocation {
    fn measure(&mut self, _: Client) -> Sizes {
        let (arguments, variables) = (&self.0.arguments, &self.0.variables);
        Sizes {
            arguments: arguments.count(),
            argument_bytes: arguments.length(),
            variables: variables.count(),
            variable_bytes: variables.length(),
        }
    }

    fn arguments(&mut self, _: Client, from: u32) -> &[u8] {
        piece(&self.0.arguments, from)
    }

    fn variables(&mut self, _: Client, from: u32) -> &[u8] {
        piece(&self.0.variables, from)
    }
}

#[cfg(test)]
mod tests {
    use hallows_sdk::stub::Client;
    use hallows_system::invocation::Service;

    use super::{Invocation, PIECE_BYTES};
    use crate::services::tests::installed_with;

    const CLIENT: Client = Client { badge: 0 };

    #[test]
    fn texts_have_a_zero_byte_behind_them_and_may_be_empty_or_no_utf_8() {
        let mut invocation = Invocation(installed_with(|resources| {
            resources.arguments = vec![b"tool".to_vec(), Vec::new(), vec![0xff, 0xfe]];
            resources.variables = vec![b"A=1".to_vec()];
        }));
        assert_eq!(invocation.arguments(CLIENT, 0), b"tool\0\0\xff\xfe\0");
        assert_eq!(invocation.arguments(CLIENT, 5), b"\0\xff\xfe\0");
        assert_eq!(invocation.variables(CLIENT, 0), b"A=1\0");
        let sizes = invocation.measure(CLIENT);
        assert_eq!((sizes.arguments, sizes.argument_bytes), (3, 9));
        assert_eq!((sizes.variables, sizes.variable_bytes), (1, 4));
    }

    #[test]
    fn long_ones_are_read_in_pieces_and_end_with_nothing() {
        let argument = vec![b'x'; 150_000];
        let mut invocation =
            Invocation(installed_with(|resources| resources.arguments = vec![argument.clone()]));
        let mut read = Vec::new();
        loop {
            let from = u32::try_from(read.len()).expect("is short");
            let piece = invocation.arguments(CLIENT, from);
            assert!(piece.len() <= PIECE_BYTES);
            if piece.is_empty() {
                break;
            }
            read.extend_from_slice(piece);
        }
        assert_eq!(read, [&argument[..], b"\0"].concat());
        assert_eq!(invocation.arguments(CLIENT, u32::MAX), b"");
        assert_eq!(invocation.variables(CLIENT, 0), b"");
    }
}
