//! A server whose resources are worth something: accounts and cheques, each a capability with a badge of its own. It works passive and
//! active, as the system description says.
//!
//! It serves the interface `bank` (`wit/examples/bank.wit`), through its stubs: they see to it that nobody calls a cheque's functions on an
//! account, and that what comes as an account is one of this bank.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod vault;

use hallows::stub::{self, Borrow, Client, Own, Resource};
use hallows::{Answer, Budget, Endpoint, Error, Message, Object, Server, Start, rights, space};
use hallows_protocols::bank::{self, Account, Cheque, Refusal, Service, Target};

use vault::{Kind, Vault};

/// What is in it, and the endpoint that accounts and cheques are minted from: nobody else has it without a badge.
pub struct Bank {
    vault: Vault,
    counter: Endpoint,
}

/// Messages that may wait for accounts and cheques, if it is active.
const QUEUE: u16 = 16;

impl Bank {
    /// A capability for what has this badge; none if this cell has no room for it.
    fn give<R: Resource>(&self, badge: u64) -> Result<Own<R>, Refusal> {
        let made = self.counter.mint::<rights!(SEND | TRANSFER)>(badge);
        made.map(|endpoint| Own(R::from_capability(endpoint.handle()))).map_err(|_| Refusal::TooMuch)
    }
}

/// Which one a parameter is. The stubs have seen to it that it is one; if it was revoked since, it is none, which no badge is.
fn badge(resource: impl Resource) -> u64 {
    stub::badge(resource).unwrap_or(0)
}

/// Deletes what was given away to this cell.
fn drop_own(resource: impl Resource) {
    // It is gone already if it was revoked.
    let _ = space::delete(Endpoint::from_capability(resource.capability()));
}

impl Service for Bank {
    fn target(&self, badge: u64) -> Option<Target> {
        match Kind::of(badge) {
            None => Some(Target::Interface),
            Some(_) if !self.vault.has(badge) => None,
            Some(Kind::Account) => Some(Target::Account),
            Some(Kind::Cheque) => Some(Target::Cheque),
        }
    }

    fn account_balance(&mut self, client: Client) -> u64 {
        self.vault.amount(client.badge)
    }

    fn account_write_cheque(&mut self, client: Client, amount: u64) -> Result<Own<Cheque>, Refusal> {
        let cheque = self.vault.split(client.badge, amount)?;
        self.give(cheque).inspect_err(|_| {
            // Nobody has it, so its money goes back.
            let _ = self.vault.merge(cheque, client.badge);
        })
    }

    fn cheque_amount(&mut self, client: Client) -> u64 {
        self.vault.amount(client.badge)
    }

    fn open(&mut self, _: Client, deposit: u64) -> Result<Own<Account>, Refusal> {
        let account = self.vault.put(Kind::Account, deposit)?;
        self.give(account).inspect_err(|_| {
            self.vault.take(account);
        })
    }

    fn transfer(
        &mut self,
        _: Client,
        from: Borrow<Account>,
        to: Borrow<Account>,
        amount: u64,
    ) -> Result<(), Refusal> {
        self.vault.transfer(badge(from.0), badge(to.0), amount)
    }

    fn cash(&mut self, _: Client, cheque: Own<Cheque>, to: Borrow<Account>) -> Result<(), Refusal> {
        let cashed = self.vault.merge(badge(cheque.0), badge(to.0));
        drop_own(cheque.0);
        cashed
    }

    fn close(&mut self, _: Client, account: Own<Account>) -> u64 {
        let left = self.vault.take(badge(account.0));
        drop_own(account.0);
        left
    }
}

impl Server for Bank {
    const INBOX_BYTES: usize = bank::REQUEST_BYTES;
    const REPLY_BYTES: usize = bank::REPLY_BYTES;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        // It can only serve in the way that its system wants.
        let counter = match Budget::OWN.create_endpoint(hallows::Service::Passive { budget: None }) {
            Err(Error::BadState) => Budget::OWN.create_endpoint(hallows::Service::Active { queue: QUEUE }),
            made => made,
        };
        Ok(Self { vault: Vault::new(), counter: counter? })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        bank::serve(self, message)
    }
}

hallows::server!(Bank);
hallows::serves!(bank);
