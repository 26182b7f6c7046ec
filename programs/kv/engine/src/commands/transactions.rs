//! Transactions.

use super::Answered;
use crate::Bytes;
use crate::call::Call;
use crate::engine;
use crate::refusal::Refusal;
use crate::session::Queue;

/// `MULTI`.
pub fn multi(call: &mut Call<'_>) -> Answered {
    if call.client.queue.is_some() {
        return Err(Refusal::of("ERR MULTI calls can not be nested"));
    }
    call.client.queue = Some(Queue::default());
    call.out.ok();
    Ok(())
}

/// `EXEC`: the engine does it, so that all commands are done with nobody else's between them.
pub fn exec(_: &mut Call<'_>) -> Answered {
    Err(Refusal::of("ERR EXEC without MULTI"))
}

/// `DISCARD`.
pub fn discard(call: &mut Call<'_>) -> Answered {
    if call.client.queue.take().is_none() {
        return Err(Refusal::of("ERR DISCARD without MULTI"));
    }
    engine::unwatch(call.store, call.client);
    call.out.ok();
    Ok(())
}

/// `WATCH`.
pub fn watch(call: &mut Call<'_>) -> Answered {
    if call.client.queue.is_some() {
        return Err(Refusal::of("ERR WATCH inside MULTI is not allowed"));
    }
    let database = call.database();
    for key in &call.words[1..] {
        let key = Bytes::from(*key);
        let is_watched = call.client.watched.iter().any(|(at, other, _)| (*at, other) == (database, &key));
        if !is_watched {
            let version = call.store.watch(database, &key);
            call.client.watched.push((database, key, version));
        }
    }
    call.out.ok();
    Ok(())
}

/// `UNWATCH`.
pub fn unwatch(call: &mut Call<'_>) -> Answered {
    engine::unwatch(call.store, call.client);
    call.out.ok();
    Ok(())
}
