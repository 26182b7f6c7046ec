//! The caller's own capability space, and the caller itself: what `SELF` answers.

use alloc::sync::Arc;
use alloc::vec;

use hallows_abi::{AnswerForm, Error, FaultKind, Handle, ObjectKind, OnSpace, Operation, Reply, Writer};

use super::{Request, identity};
use crate::core_record::Wanted;
use crate::slot::Found;
use crate::sync::Ordering;
use crate::tree::Diminish;
use crate::{Context, Engine, Kernel, Machine};

/// The longest line that a program may log, in bytes.
const MAX_LOG: usize = 1_024;

impl<E: Engine> Kernel<E> {
    pub(super) fn operate_space(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        operation: OnSpace,
    ) -> Result<Reply, Error> {
        let cell = request.cell;
        match operation {
            OnSpace::Copy { what } => self.derive_child(context, request, what, Diminish::NONE),
            OnSpace::Mint { what, rights, badge } => {
                self.derive_child(context, request, what, Diminish { rights, badge })
            }
            OnSpace::Move { what } => {
                let found = self.own(request, what, May::Leave)?;
                let handle = self.change(&mut context.token, |tree, _| {
                    let made = tree.relocate(&found, cell)?;
                    Ok(tree.handle(cell, &made))
                })?;
                Ok(Reply::Handle(handle))
            }
            OnSpace::Delete { what } => self.delete(context, request, what),
            OnSpace::Revoke { what } => {
                let found = self.named(request, what)?;
                self.revoke(context, cell, &found)
            }
            OnSpace::Identify { what } => Ok(identity(&self.named(request, what)?.capability)),
            OnSpace::Exit { status } => {
                let core = context.core.0;
                let (named, nothing) = (self.present_cell(cell), Default::default());
                self.begin_end(&mut context.token, core, named, FaultKind::Exited, status, nothing);
                Err(Error::Killed)
            }
            OnSpace::Yield => {
                self.yield_now(context);
                self.check_live(cell)?;
                Ok(Reply::Done)
            }
            OnSpace::Expect { ns } => {
                let thread = self.threads.at(context.thread.0);
                if self.current(context) != context.thread.0 {
                    return Err(Error::NotInHandler);
                }
                thread.expected_ns.store(ns, Ordering::Relaxed);
                // It runs on before who came with shorter work only until its next check.
                let core = self.core(context.core.0);
                if self.wanted_from(core, context.thread.0, 0) >= Wanted::Before {
                    thread.word.stop();
                }
                Ok(Reply::Done)
            }
            OnSpace::Now => Ok(Reply::Number(self.machine.now().0)),
            OnSpace::Random => {
                let random = u128::from_le_bytes(self.machine.random());
                #[expect(clippy::cast_possible_truncation, reason = "its two halves")]
                Ok(Reply::Random([random as u64, (random >> 64) as u64]))
            }
            OnSpace::Log { length } => self.log(context, request, length),
            // Its answer is longer than others: see `operate`.
            OnSpace::StartInfo => Err(Error::WrongObject),
        }
    }

    /// A capability of the caller's, if it may be copied or leave its place: what a cell is cannot be given away, moved or lost.
    fn own(&self, request: &Request<'_, E>, what: Handle, may: May) -> Result<Found, Error> {
        let found = self.named(request, what)?;
        let is_fixed = what.index() < Handle::FIRST_GRANT;
        if is_fixed && (may == May::Leave || found.capability.kind == ObjectKind::Cell) {
            return Err(Error::NoRight);
        }
        Ok(found)
    }

    fn derive_child(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        what: Handle,
        difference: Diminish,
    ) -> Result<Reply, Error> {
        let (cell, found) = (request.cell, self.own(request, what, May::BeCopied)?);
        let handle = self.change(&mut context.token, |tree, _| {
            let made = tree.derive(&found, cell, difference)?;
            Ok(tree.handle(cell, &made))
        })?;
        Ok(Reply::Handle(handle))
    }

    fn delete(&self, context: &mut Context, request: &Request<'_, E>, what: Handle) -> Result<Reply, Error> {
        let found = self.own(request, what, May::Leave)?;
        let orphan = self.change(&mut context.token, |tree, _| {
            if self.capabilities.still(found.via) {
                Ok(tree.delete(found.via.slot))
            } else {
                Err(Error::BadHandle)
            }
        })?;
        if let Some(orphan) = orphan {
            let core = context.core.0;
            self.end_object(&mut context.token, core, orphan);
        }
        Ok(Reply::Done)
    }

    fn log(&self, context: &mut Context, request: &Request<'_, E>, length: u32) -> Result<Reply, Error> {
        let text_bytes = usize::try_from(length).unwrap_or(usize::MAX);
        if text_bytes > MAX_LOG {
            return Err(Error::TooLong);
        }
        let name = self.cells.at(request.cell).control.lock(&mut context.token).0.name.clone();
        let prefix = if name.is_empty() { 0 } else { name.len() + 2 };
        // The cell's name, the operation (which is then cut out), the text.
        let mut line = vec![0; prefix + Operation::TEXT_START + text_bytes];
        self.engine.read(request.message.bytes, line.get_mut(prefix..).unwrap_or_default());
        line.drain(prefix..prefix + Operation::TEXT_START);
        let mut writer = Writer::new(&mut line);
        if prefix > 0 {
            let _ = writer.bytes(name.as_bytes());
            let _ = writer.bytes(b": ");
        }
        self.machine.log(&line);
        Ok(Reply::Done)
    }

    /// Answers with what the cell was started with, a list of bytes: the answer's length.
    pub(super) fn start_info(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        reply: E::Bytes,
    ) -> Result<u32, Error> {
        if !self.is_self(request.cell, request.found) {
            return Err(Error::WrongObject);
        }
        let info: Arc<[u8]> =
            Arc::clone(&self.cells.at(request.cell).control.lock(&mut context.token).0.start_info);
        let length = AnswerForm::Bytes.bytes() + info.len();
        if length > self.engine.length(reply) {
            return Err(Error::AnswerTooLong);
        }
        let mut answer = vec![0; length];
        let mut writer = Writer::new(&mut answer);
        let _ = writer.u8(Reply::DONE);
        let _ = writer.u32(u32::try_from(info.len()).map_err(|_| Error::AnswerTooLong)?);
        let _ = writer.bytes(&info);
        self.engine.write(reply, &answer);
        u32::try_from(length).map_err(|_| Error::AnswerTooLong)
    }
}

/// What is to happen to a capability.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    BeCopied,
    Leave,
}
