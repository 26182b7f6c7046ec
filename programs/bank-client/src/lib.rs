//! Moves money at a bank as it may, and then as it may not: with accounts and cheques that it has made up.
//!
//! Granted: `bank`, the bank's endpoint (SEND, TRANSFER and WATCH). It ends with status 1 if a forgery gets through, or if what is right does not.
#![no_std]
#![forbid(unsafe_code)]

use hallows::stub::{Borrow, Own, Resource};
use hallows::{
    Budget, Connection, Deadline, Endpoint, Error, Object, Rights, Start, identify, log, process, space,
};
use hallows_protocols::bank::{self, Account, Cheque, Client, Refusal};
use hallows_system::kernel::notification::{self, Notification};

const NEVER: Deadline = Deadline::NEVER;

/// Ends the cell if what came is not what is due.
fn due<T: PartialEq + core::fmt::Debug>(what: &str, came: T, due: T) -> Result<(), Error> {
    if came == due {
        return Ok(());
    }
    log!("{what}: {came:?} instead of {due:?}");
    Err(process::exit(1))
}

/// What only a bank that is short of room refuses.
fn given<T>(answer: Result<T, Refusal>) -> Result<T, Error> {
    answer.map_err(|refusal| {
        log!("the bank refuses: {refusal:?}");
        process::exit(1)
    })
}

/// A copy, to be given away while the original is kept.
fn copy<R: Resource>(resource: R) -> Result<Own<R>, Error> {
    let made = space::copy(Endpoint::from_capability(resource.capability()))?;
    Ok(Own(R::from_capability(made.capability())))
}

/// An endpoint of this cell's own that looks like a resource: with the very badge of that.
fn look_alike<R: Resource>(of: R) -> Result<R, Error> {
    let own = Budget::OWN.create_endpoint(hallows::Service::Active { queue: 1 })?;
    let badge = identify(of.capability())?.badge;
    let made = space::mint(own, Rights::ALL, badge)?;
    due("the badge of a look-alike", made.identify()?.badge, badge)?;
    Ok(R::from_capability(made.capability()))
}

hallows::uses!(bank, notification);

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let connection = Connection::granted(&start, "bank")?;
    let endpoint = connection.endpoint();
    let bank = Client(connection);
    let mine = given(bank.open(100, NEVER)?)?.0;
    let theirs = given(bank.open(50, NEVER)?)?.0;
    as_it_may(&bank, mine, theirs)?;
    log!("money moved as it should");
    forge(&bank, mine, theirs)?;
    call_the_wrong_thing(&bank, endpoint, mine)?;
    ask_the_kernel(endpoint)?;
    due("what is left", (mine.balance(NEVER)?, theirs.balance(NEVER)?), (50, 100))?;
    due("what a closed account had", bank.close(copy(mine)?, NEVER)?, 50)?;
    due("the balance of a closed account", mine.balance(NEVER), Err(Error::Gone))?;
    let into_closed = bank.transfer(Borrow(theirs), Borrow(mine), 1, NEVER);
    due("into a closed account", into_closed, Err(Error::BadArgument))?;
    log!("every forgery was refused");
    Ok(())
}

fn as_it_may(bank: &Client<Connection>, mine: Account, theirs: Account) -> Result<(), Error> {
    due("a transfer", bank.transfer(Borrow(mine), Borrow(theirs), 30, NEVER)?, Ok(()))?;
    due("too much", bank.transfer(Borrow(mine), Borrow(theirs), 71, NEVER)?, Err(Refusal::TooLittle))?;
    let cheque = given(mine.write_cheque(20, NEVER)?)?;
    due("a cheque", cheque.0.amount(NEVER)?, 20)?;
    due("cashing", bank.cash(cheque, Borrow(theirs), NEVER)?, Ok(()))?;
    due("balances", (mine.balance(NEVER)?, theirs.balance(NEVER)?), (50, 100))
}

fn forge(bank: &Client<Connection>, mine: Account, theirs: Account) -> Result<(), Error> {
    let refused = Err(Error::BadArgument);
    let forged = look_alike(theirs)?;
    due("from a forged account", bank.transfer(Borrow(forged), Borrow(mine), 100, NEVER), refused)?;
    due("into a forged account", bank.transfer(Borrow(mine), Borrow(forged), 1, NEVER), refused)?;
    due("closing a forged account", bank.close(Own(forged), NEVER), Err(Error::BadArgument))?;
    let cheque = given(mine.write_cheque(1, NEVER)?)?;
    let forged: Cheque = look_alike(cheque.0)?;
    due("a forged cheque", bank.cash(Own(forged), Borrow(mine), NEVER), refused)?;
    // The real thing, as something else.
    let as_account = Account::from_capability(cheque.0.capability());
    due("a cheque as an account", bank.transfer(Borrow(as_account), Borrow(mine), 1, NEVER), refused)?;
    let as_cheque = Own(Cheque::from_capability(copy(theirs)?.0.capability()));
    due("an account as a cheque", bank.cash(as_cheque, Borrow(mine), NEVER), refused)?;
    due("the real cheque", bank.cash(cheque, Borrow(mine), NEVER)?, Ok(()))
}

/// Functions on what does not have them; the bank itself as a parameter.
fn call_the_wrong_thing(bank: &Client<Connection>, endpoint: Endpoint, mine: Account) -> Result<(), Error> {
    let account = mine.0;
    due(
        "opening through an account",
        Client(account).open(1, NEVER).map(|_| ()),
        Err(Error::UnknownOperation),
    )?;
    due("an account's amount", Cheque(account).amount(NEVER), Err(Error::UnknownOperation))?;
    due("the bank's balance", Account(endpoint).balance(NEVER), Err(Error::UnknownOperation))?;
    let through = bank.transfer(Borrow(Account(endpoint)), Borrow(mine), 1, NEVER);
    due("from the bank itself", through, Err(Error::BadArgument))?;
    // Its badge is a client's for good.
    let badge = identify(account.handle())?.badge;
    due("another badge", space::mint(endpoint, Rights::ALL, badge).map(|_| ()), Err(Error::BadArgument))
}

/// A kernel object is a server as the bank is one, and knows its own functions.
fn ask_the_kernel(bank: Endpoint) -> Result<(), Error> {
    let made = Budget::OWN.create_notification()?;
    let bell = Notification(Endpoint::from_handle(made.handle()));
    bell.signal(6, NEVER)?;
    due("what was signalled", bell.poll(NEVER)?, 6)?;
    due("what is left of it", made.poll()?, 0)?;
    due("the bank's bell", Notification(bank).poll(NEVER), Err(Error::UnknownOperation))?;
    due("a notification's amount", Cheque(bell.0).amount(NEVER), Err(Error::UnknownOperation))?;
    made.destroy()?;
    due("a bell that is gone", bell.poll(NEVER), Err(Error::Gone))
}
