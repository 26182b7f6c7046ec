// Stubs of the interface `bank`, made by `hallows interface stubs`: change that, not this.
//! A bank: accounts and cheques are capabilities, so that who has one may use it and nobody can make one up.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "bank";
/// The interface's identity: `110f1fd721f26e0cb01e9e669048e40df7517895196e2b167b69df534bd4f76d`.
pub const HASH: [u8; 32] = [
    0x11, 0x0f, 0x1f, 0xd7, 0x21, 0xf2, 0x6e, 0x0c, 0xb0, 0x1e, 0x9e, 0x66, 0x90, 0x48,
    0xe4, 0x0d, 0xf7, 0x51, 0x78, 0x95, 0x19, 0x6e, 0x2b, 0x16, 0x7b, 0x69, 0xdf, 0x53,
    0x4b, 0xd4, 0xf7, 0x6d,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 12;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 9;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const ACCOUNT_BALANCE: u32 = 0x6803e6cf;
    pub(crate) const ACCOUNT_WRITE_CHEQUE: u32 = 0x0efc5e31;
    pub(crate) const CHEQUE_AMOUNT: u32 = 0x254498d2;
    pub(crate) const OPEN: u32 = 0x2385b94b;
    pub(crate) const TRANSFER: u32 = 0x5f7440ae;
    pub(crate) const CASH: u32 = 0x65ee0165;
    pub(crate) const CLOSE: u32 = 0xd097d10a;
}
/// Money that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Account {
    const KIND: u8 = Target::Account as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Account<C> {
    /// How much it is.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn balance(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::ACCOUNT_BALANCE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
    /// Takes money out of the account; whoever has the cheque may cash it.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn write_cheque(
        &self,
        amount: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Cheque>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::ACCOUNT_WRITE_CHEQUE, deadline)
            .between(&self.0, &(amount,), &mut [0; 12], &mut [0; 3])
    }
}
impl<C: stub::AsyncCaller> Account<C> {
    /// How much it is.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn balance_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::ACCOUNT_BALANCE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
    /// Takes money out of the account; whoever has the cheque may cash it.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn write_cheque_async(
        &self,
        amount: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Cheque>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::ACCOUNT_WRITE_CHEQUE, deadline)
            .between_async(&self.0, &(amount,), &mut [0; 12], &mut [0; 3])
            .await
    }
}
impl<C: stub::Sender> Account<C> {
    /// Sends a call of `account.balance`; its answer comes as an event, for `balance_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn balance_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::ACCOUNT_BALANCE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
    /// Sends a call of `account.write-cheque`; its answer comes as an event, for `write_cheque_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn write_cheque_send(&self, amount: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::ACCOUNT_WRITE_CHEQUE, stub::Deadline::NEVER)
            .send(&self.0, &(amount,), &mut [0; 12], 3)
    }
}
impl Account {
    /// The answer to `balance_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn balance_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `write_cheque_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn write_cheque_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Cheque>, Refusal>, stub::Error> {
        stub::answered(received)
    }
}
/// Money that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cheque<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Cheque {
    const KIND: u8 = Target::Cheque as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Cheque<C> {
    /// How much it is.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn amount(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::CHEQUE_AMOUNT, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
}
impl<C: stub::AsyncCaller> Cheque<C> {
    /// How much it is.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn amount_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::CHEQUE_AMOUNT, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
}
impl<C: stub::Sender> Cheque<C> {
    /// Sends a call of `cheque.amount`; its answer comes as an event, for `amount_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn amount_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CHEQUE_AMOUNT, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
}
impl Cheque {
    /// The answer to `amount_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn amount_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
}
/// Why no money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// The account has less.
    TooLittle = 0,
    /// There is no room for one more account or cheque, or for so much money.
    TooMuch = 1,
}
impl Refusal {
    /// Every case, in order.
    pub const ALL: [Self; 2] = [Self::TooLittle, Self::TooMuch];
}
impl<'m> stub::Value<'m> for Refusal {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&(*self as u8), encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        <u8 as stub::Value>::take(decoder)
            .and_then(|number| Self::ALL.get(usize::from(number)).copied())
    }
}
/// A client of `bank`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<C = stub::Endpoint>(
    /// What it calls through.
    pub C,
);
impl stub::Interface for Client {
    const NAME: &'static str = NAME;
    const HASH: [u8; 32] = HASH;
    fn through(endpoint: stub::Endpoint) -> Self {
        Self(endpoint)
    }
}
impl<C: stub::Caller> Client<C> {
    /// Opens an account with so much in it.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn open(
        &self,
        deposit: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Account>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::OPEN, deadline)
            .between(&self.0, &(deposit,), &mut [0; 12], &mut [0; 3])
    }
    /// Moves money.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn transfer(
        &self,
        from: stub::Borrow<Account>,
        to: stub::Borrow<Account>,
        amount: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<2, 0>::new(tag::TRANSFER, deadline)
            .between(&self.0, &(from, to, amount), &mut [0; 12], &mut [0; 3])
    }
    /// Puts a cheque's money into an account; the cheque is no more.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn cash(
        &self,
        cheque: stub::Own<Cheque>,
        to: stub::Borrow<Account>,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<2, 0>::new(tag::CASH, deadline)
            .between(&self.0, &(cheque, to), &mut [0; 4], &mut [0; 3])
    }
    /// Closes an account; gives what was left in it.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn close(
        &self,
        account: stub::Own<Account>,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<1, 0>::new(tag::CLOSE, deadline)
            .between(&self.0, &(account,), &mut [0; 4], &mut [0; 9])
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Opens an account with so much in it.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn open_async(
        &self,
        deposit: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Account>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::OPEN, deadline)
            .between_async(&self.0, &(deposit,), &mut [0; 12], &mut [0; 3])
            .await
    }
    /// Moves money.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn transfer_async(
        &self,
        from: stub::Borrow<Account>,
        to: stub::Borrow<Account>,
        amount: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<2, 0>::new(tag::TRANSFER, deadline)
            .between_async(&self.0, &(from, to, amount), &mut [0; 12], &mut [0; 3])
            .await
    }
    /// Puts a cheque's money into an account; the cheque is no more.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn cash_async(
        &self,
        cheque: stub::Own<Cheque>,
        to: stub::Borrow<Account>,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<2, 0>::new(tag::CASH, deadline)
            .between_async(&self.0, &(cheque, to), &mut [0; 4], &mut [0; 3])
            .await
    }
    /// Closes an account; gives what was left in it.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn close_async(
        &self,
        account: stub::Own<Account>,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<1, 0>::new(tag::CLOSE, deadline)
            .between_async(&self.0, &(account,), &mut [0; 4], &mut [0; 9])
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `open`; its answer comes as an event, for `open_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn open_send(&self, deposit: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::OPEN, stub::Deadline::NEVER)
            .send(&self.0, &(deposit,), &mut [0; 12], 3)
    }
    /// Sends a call of `transfer`; its answer comes as an event, for `transfer_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn transfer_send(
        &self,
        from: stub::Borrow<Account>,
        to: stub::Borrow<Account>,
        amount: u64,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<2, 0>::new(tag::TRANSFER, stub::Deadline::NEVER)
            .send(&self.0, &(from, to, amount), &mut [0; 12], 3)
    }
    /// Sends a call of `cash`; its answer comes as an event, for `cash_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn cash_send(
        &self,
        cheque: stub::Own<Cheque>,
        to: stub::Borrow<Account>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<2, 0>::new(tag::CASH, stub::Deadline::NEVER)
            .send(&self.0, &(cheque, to), &mut [0; 4], 3)
    }
    /// Sends a call of `close`; its answer comes as an event, for `close_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn close_send(
        &self,
        account: stub::Own<Account>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::CLOSE, stub::Deadline::NEVER)
            .send(&self.0, &(account,), &mut [0; 4], 9)
    }
}
impl Client {
    /// The answer to `open_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn open_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Account>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `transfer_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn transfer_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `cash_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn cash_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `close_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn close_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
}
/// What a message is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Target {
    /// The interface itself.
    Interface,
    /// A `account`.
    Account,
    /// A `cheque`.
    Cheque,
}
/// A server of `bank`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// How much it is.
    fn account_balance(&mut self, client: stub::Client) -> u64;
    /// Takes money out of the account; whoever has the cheque may cash it.
    fn account_write_cheque(
        &mut self,
        client: stub::Client,
        amount: u64,
    ) -> Result<stub::Own<Cheque>, Refusal>;
    /// How much it is.
    fn cheque_amount(&mut self, client: stub::Client) -> u64;
    /// Opens an account with so much in it.
    fn open(
        &mut self,
        client: stub::Client,
        deposit: u64,
    ) -> Result<stub::Own<Account>, Refusal>;
    /// Moves money.
    fn transfer(
        &mut self,
        client: stub::Client,
        from: stub::Borrow<Account>,
        to: stub::Borrow<Account>,
        amount: u64,
    ) -> Result<(), Refusal>;
    /// Puts a cheque's money into an account; the cheque is no more.
    fn cash(
        &mut self,
        client: stub::Client,
        cheque: stub::Own<Cheque>,
        to: stub::Borrow<Account>,
    ) -> Result<(), Refusal>;
    /// Closes an account; gives what was left in it.
    fn close(&mut self, client: stub::Client, account: stub::Own<Account>) -> u64;
}
/// Hands a message to a server, and makes its answer.
#[inline]
pub fn serve<'m>(
    server: &'m mut impl Service,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let mut request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let Some(target) = server.target(request.client().badge) else {
        return request.gone()
    };
    match (target, request.tag()) {
        (Target::Account, tag::ACCOUNT_BALANCE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.account_balance(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Account, tag::ACCOUNT_WRITE_CHEQUE) => {
            let Some((amount,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            let result = server.account_write_cheque(request.client(), amount);
            request.answer::<1, _>(&result)
        }
        (Target::Cheque, tag::CHEQUE_AMOUNT) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.cheque_amount(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::OPEN) => {
            let Some((deposit,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            let result = server.open(request.client(), deposit);
            request.answer::<1, _>(&result)
        }
        (Target::Interface, tag::TRANSFER) => {
            let Some((from, to, amount)) = request
                .recognised::<
                    (stub::Borrow<Account>, stub::Borrow<Account>, u64),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.transfer(request.client(), from, to, amount);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::CASH) => {
            let Some((cheque, to)) = request
                .recognised::<
                    (stub::Own<Cheque>, stub::Borrow<Account>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.cash(request.client(), cheque, to);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::CLOSE) => {
            let Some((account,)) = request
                .recognised::<
                    (stub::Own<Account>,),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.close(request.client(), account);
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `account.balance`
    #[derive(Clone, Copy, Debug)]
    pub enum AccountBalance {}
    /// `account.write-cheque`
    #[derive(Clone, Copy, Debug)]
    pub enum AccountWriteCheque {}
    /// `cheque.amount`
    #[derive(Clone, Copy, Debug)]
    pub enum ChequeAmount {}
    /// `open`
    #[derive(Clone, Copy, Debug)]
    pub enum Open {}
    /// `transfer`
    #[derive(Clone, Copy, Debug)]
    pub enum Transfer {}
    /// `cash`
    #[derive(Clone, Copy, Debug)]
    pub enum Cash {}
    /// `close`
    #[derive(Clone, Copy, Debug)]
    pub enum Close {}
}
impl stub::Function for later::AccountBalance {
    type Answer<'m> = u64;
}
impl stub::Function for later::AccountWriteCheque {
    type Answer<'m> = Result<stub::Own<Cheque>, Refusal>;
}
impl stub::Function for later::ChequeAmount {
    type Answer<'m> = u64;
}
impl stub::Function for later::Open {
    type Answer<'m> = Result<stub::Own<Account>, Refusal>;
}
impl stub::Function for later::Transfer {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::Cash {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::Close {
    type Answer<'m> = u64;
}
/// An active server of `bank` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// How much it is.
    fn account_balance(
        &mut self,
        later: stub::Later<later::AccountBalance>,
        client: stub::Client,
    );
    /// Takes money out of the account; whoever has the cheque may cash it.
    fn account_write_cheque(
        &mut self,
        later: stub::Later<later::AccountWriteCheque>,
        client: stub::Client,
        amount: u64,
    );
    /// How much it is.
    fn cheque_amount(
        &mut self,
        later: stub::Later<later::ChequeAmount>,
        client: stub::Client,
    );
    /// Opens an account with so much in it.
    fn open(
        &mut self,
        later: stub::Later<later::Open>,
        client: stub::Client,
        deposit: u64,
    );
    /// Moves money.
    fn transfer(
        &mut self,
        later: stub::Later<later::Transfer>,
        client: stub::Client,
        from: stub::Borrow<Account>,
        to: stub::Borrow<Account>,
        amount: u64,
    );
    /// Puts a cheque's money into an account; the cheque is no more.
    fn cash(
        &mut self,
        later: stub::Later<later::Cash>,
        client: stub::Client,
        cheque: stub::Own<Cheque>,
        to: stub::Borrow<Account>,
    );
    /// Closes an account; gives what was left in it.
    fn close(
        &mut self,
        later: stub::Later<later::Close>,
        client: stub::Client,
        account: stub::Own<Account>,
    );
}
/// Hands a message to a server that answers when it can.
pub fn serve_later<'m>(
    server: &mut impl LaterService,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let token = message.token;
    let mut request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let Some(target) = server.target(request.client().badge) else {
        return request.gone()
    };
    match (target, request.tag()) {
        (Target::Account, tag::ACCOUNT_BALANCE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.account_balance(request.later(token), request.client());
            request.deferred()
        }
        (Target::Account, tag::ACCOUNT_WRITE_CHEQUE) => {
            let Some((amount,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.account_write_cheque(request.later(token), request.client(), amount);
            request.deferred()
        }
        (Target::Cheque, tag::CHEQUE_AMOUNT) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.cheque_amount(request.later(token), request.client());
            request.deferred()
        }
        (Target::Interface, tag::OPEN) => {
            let Some((deposit,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.open(request.later(token), request.client(), deposit);
            request.deferred()
        }
        (Target::Interface, tag::TRANSFER) => {
            let Some((from, to, amount)) = request
                .recognised::<
                    (stub::Borrow<Account>, stub::Borrow<Account>, u64),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server.transfer(request.later(token), request.client(), from, to, amount);
            request.deferred()
        }
        (Target::Interface, tag::CASH) => {
            let Some((cheque, to)) = request
                .recognised::<
                    (stub::Own<Cheque>, stub::Borrow<Account>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server.cash(request.later(token), request.client(), cheque, to);
            request.deferred()
        }
        (Target::Interface, tag::CLOSE) => {
            let Some((account,)) = request
                .recognised::<
                    (stub::Own<Account>,),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server.close(request.later(token), request.client(), account);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
