//! What messages and mappings came through, and how they stay within reach of a revocation: they follow the capability when its
//! holder moves it, and go over to what it was derived from when its holder deletes it.

use alloc::vec::Vec;

use hallows_abi::ObjectKind;

use crate::capabilities::Locked;
use crate::lock::{Token, level};
use crate::slot::{Capability, Via};
use crate::{Engine, Kernel};

/// The capability that something came through, or the nearest one above it that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Through {
    // A `Via`, taken apart: with the mark it takes no more room in a message than without.
    slot: u32,
    /// The capability itself was deleted since: this is one that it was derived from, over any number of others.
    derived: bool,
    head: u64,
}

impl Through {
    /// A capability that is there.
    #[must_use]
    pub const fn new(via: Via) -> Self {
        Self { slot: via.slot, derived: false, head: via.head }
    }

    /// The capability, or what is left above it.
    #[must_use]
    pub const fn via(self) -> Via {
        Via { slot: self.slot, head: self.head }
    }

    /// Goes along.
    pub fn follow(&mut self, step: &Step) {
        if self.via() == step.from {
            *self = Self { derived: self.derived || step.deleted, ..Self::new(step.to) };
        }
    }

    /// Whether a revocation ends what came through this.
    #[must_use]
    pub fn is_ended_by(self, end: Ended) -> bool {
        match end {
            Ended::Deleted(via) => self.via() == via,
            Ended::Below(via) => self.via() == via && self.derived,
        }
    }
}

/// What a revocation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A capability that it has deleted.
    Deleted(Via),
    /// What came through capabilities that were derived from this one, which stays, and that their holders have deleted before.
    Below(Via),
}

/// A capability that its holder moved or deleted, of a kind that things go on through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    capability: Capability,
    from: Via,
    to: Via,
    deleted: bool,
}

/// What happened under one hold of the tree's lock, in its order.
#[derive(Debug, Default)]
pub struct Steps(Vec<Step>);

impl Steps {
    /// A capability was moved.
    pub fn moved(&mut self, capability: &Capability, from: Via, to: Via) {
        self.note(Step { capability: *capability, from, to, deleted: false });
    }

    /// A capability was deleted that was derived from `parent`, or from none: then nobody can revoke what came through it.
    pub fn deleted(&mut self, capability: &Capability, from: Via, parent: Option<Via>) {
        let to = parent.unwrap_or(Via::KERNEL);
        self.note(Step { capability: *capability, from, to, deleted: true });
    }

    fn note(&mut self, step: Step) {
        if matches!(step.capability.kind, ObjectKind::Endpoint | ObjectKind::Region) {
            self.0.push(step);
        }
    }

    /// Takes them out.
    pub fn take(&mut self) -> Vec<Step> {
        core::mem::take(&mut self.0)
    }
}

impl<E: Engine> Kernel<E> {
    /// Changes the derivation tree. What came through capabilities that were moved or deleted has followed before anybody else sees
    /// the tree, so a revocation finds it.
    pub(crate) fn change<const M: u8, T>(
        &self,
        token: &mut Token<'_, M>,
        work: impl FnOnce(&mut Locked<'_>, &mut Token<'_, { level::TREE }>) -> T,
    ) -> T {
        let (mut tree, mut token) = self.capabilities.lock(token);
        let result = work(&mut tree, &mut token);
        for step in tree.take_steps() {
            self.follow(&mut token, &step);
        }
        result
    }

    fn follow(&self, token: &mut Token<'_, { level::TREE }>, step: &Step) {
        let Capability { kind, index, generation, .. } = step.capability;
        if kind == ObjectKind::Region {
            let region = self.regions.at(index);
            if region.generation.is(generation) {
                let (mut mappings, _) = region.mappings.lock(token);
                mappings.iter_mut().for_each(|mapping| mapping.through.follow(step));
            }
            return;
        }
        let endpoint = self.endpoints.at(index);
        // A handler that runs behind a passive endpoint is found by its monitor, and its caller can move nothing meanwhile.
        if endpoint.generation.is(generation) && !endpoint.is_passive() {
            self.with_server(token, step.capability.name(), |_, inbox| inbox.follow(step));
            for cell in endpoint.serving.former(token) {
                self.cells.at(cell).inbox.lock(token).0.follow(step);
            }
        }
    }
}
