//! `invocation`: the arguments and the environment that the program was started with.

use std::sync::Arc;

use hallows_sdk::stub::Client;
use hallows_system::invocation::{Service, Sizes};

use super::resources::{Invoked, Texts};

/// Bytes of one piece: with what is around it, it fits into a message.
const PIECE_BYTES: usize = 60 * 1024;

/// Serves `invocation`.
#[derive(Debug)]
pub(super) struct Invocation(pub Arc<Invoked>);

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

    use super::{Invocation, Invoked, PIECE_BYTES};

    const CLIENT: Client = Client { badge: 0 };

    fn invocation(arguments: &[&[u8]], variables: &[&[u8]]) -> Invocation {
        let owned = |texts: &[&[u8]]| texts.iter().map(|text| text.to_vec()).collect::<Vec<_>>();
        Invocation(Invoked::new(&owned(arguments), &owned(variables)).expect("are good").into())
    }

    #[test]
    fn texts_have_a_zero_byte_behind_them_and_may_be_empty_or_no_utf_8() {
        let mut invocation = invocation(&[b"tool", b"", b"\xff\xfe"], &[b"A=1"]);
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
        let mut invocation = invocation(&[&argument], &[]);
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
