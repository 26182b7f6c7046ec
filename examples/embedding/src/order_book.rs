//! The order book: price-time priority, as exchanges have it. The best price trades first, and of one price who came first.

use std::collections::{BTreeMap, VecDeque};

use hallows_sdk::{Answer, Error, Form, Message, Server, Start, log};

/// Orders that may rest: with more, the book says no instead of growing.
const MOST_RESTING: usize = 100_000;

hallows_sdk::form! {
    /// An order: 16 bytes.
    pub struct Order {
        /// 0 buys, 1 sells, 2 says that a trader has no more.
        pub side: u32,
        /// How many.
        pub quantity: u32,
        /// At this price or a better one.
        pub price: u64,
    }

    /// What became of it: 16 bytes.
    pub struct Done {
        /// How many were traded at once.
        pub traded: u32,
        /// How many rest in the book.
        pub resting: u32,
        /// Trades since the exchange opened.
        pub trades: u64,
    }
}

/// A book of one instrument.
#[derive(Default)]
pub struct OrderBook {
    /// Quantities of buyers by price, each in the order of their arrival.
    bids: BTreeMap<u64, VecDeque<u32>>,
    /// Of sellers.
    asks: BTreeMap<u64, VecDeque<u32>>,
    resting: usize,
    orders: u64,
    trades: u64,
    volume: u64,
    closed: u32,
}

impl OrderBook {
    /// Trades what crosses, and lets the rest of it rest.
    fn place(&mut self, order: &Order) -> Done {
        self.orders += 1;
        let mut left = order.quantity;
        while left > 0 {
            let best = match order.side {
                0 => self.asks.keys().next().copied(),
                _ => self.bids.keys().next_back().copied(),
            };
            let side = if order.side == 0 { &mut self.asks } else { &mut self.bids };
            let crosses =
                |best: &u64| if order.side == 0 { *best <= order.price } else { *best >= order.price };
            let Some(best) = best.filter(crosses) else { break };
            let Some(queue) = side.get_mut(&best) else { break };
            if let Some(first) = queue.front_mut() {
                let traded = left.min(*first);
                (left, *first) = (left - traded, *first - traded);
                (self.trades, self.volume) = (self.trades + 1, self.volume + u64::from(traded));
            }
            if queue.front() == Some(&0) {
                queue.pop_front();
                self.resting -= 1;
            }
            if queue.is_empty() {
                side.remove(&best);
            }
        }
        let traded = order.quantity - left;
        if left > 0 && self.resting < MOST_RESTING {
            let side = if order.side == 0 { &mut self.bids } else { &mut self.asks };
            side.entry(order.price).or_default().push_back(left);
            self.resting += 1;
            return Done { traded, resting: left, trades: self.trades };
        }
        Done { traded, resting: 0, trades: self.trades }
    }
}

impl Server for OrderBook {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self::default())
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        // Whatever a trader sends: what is no order gets an empty answer.
        let Some(order) = Order::parse(message.bytes) else { return Answer::EMPTY };
        let done = match order.side {
            0 | 1 => self.place(&order),
            2 => {
                self.closed += 1;
                let Self { orders, trades, volume, resting, closed, .. } = self;
                log!(
                    "{closed} traders done: {orders} orders, {trades} trades, {volume} traded, {resting} orders rest"
                );
                Done { traded: 0, resting: 0, trades: self.trades }
            }
            _ => return Answer::EMPTY,
        };
        message.reply.form(&done)
    }
}

// The line that makes it a program of the machine: `order_book::PROGRAM`.
hallows_sdk::server!(OrderBook);

#[cfg(test)]
mod tests {
    use super::{Order, OrderBook};

    fn order(side: u32, quantity: u32, price: u64) -> Order {
        Order { side, quantity, price }
    }

    #[test]
    fn the_best_price_trades_first_and_of_one_price_who_came_first() {
        let mut book = OrderBook::default();
        for ask in [order(1, 5, 101), order(1, 5, 100), order(1, 7, 100)] {
            assert_eq!(book.place(&ask).resting, ask.quantity);
        }
        let done = book.place(&order(0, 11, 101));
        assert_eq!((done.traded, done.resting, done.trades), (11, 0, 2));
        assert_eq!(book.asks[&100], [1], "the second of that price has one left");
        assert_eq!(book.asks[&101], [5], "the worse price was not touched");
        // A buyer who pays less rests, and a seller takes the highest bid.
        assert_eq!(book.place(&order(0, 3, 99)).resting, 3);
        let done = book.place(&order(1, 4, 98));
        assert_eq!((done.traded, done.resting), (3, 1));
        assert_eq!(book.asks[&98], [1]);
        assert_eq!((book.resting, book.volume, book.orders), (3, 14, 6));
    }

    #[test]
    fn nothing_is_lost_and_the_book_never_crosses() {
        let mut book = OrderBook::default();
        let (mut random, mut given) = (1_u64, 0_u64);
        for _ in 0..10_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let placed =
                order((random >> 63) as u32, (random >> 40) as u32 % 100, 1_000 + (random >> 20) % 50);
            given += u64::from(placed.quantity);
            book.place(&placed);
            let (bid, ask) = (book.bids.keys().next_back(), book.asks.keys().next());
            assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask));
        }
        let rests = book.bids.values().chain(book.asks.values()).flatten();
        assert_eq!(given, 2 * book.volume + rests.map(|one| u64::from(*one)).sum::<u64>());
        assert_eq!(
            book.resting,
            book.bids.values().chain(book.asks.values()).map(|queue| queue.len()).sum::<usize>()
        );
    }
}
