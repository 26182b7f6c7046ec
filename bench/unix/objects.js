// Objects, closures, arrays, maps, strings and exceptions: what an interpreter of JavaScript does all day. Prints a sum of each.
const rounds = Number(scriptArgs[1]);
let seed = 7;
const random = (below) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor(seed / 65536) % below;
};

class Account {
  constructor(id) {
    this.id = id;
    this.balance = 0;
  }
  move(amount) {
    if (this.balance + amount < 0) throw new RangeError(`account ${this.id}`);
    this.balance += amount;
    return this;
  }
}

const accounts = Array.from({ length: 100 }, (_, id) => new Account(id));
let refused = 0;
for (let i = 0; i < rounds; i++) {
  try {
    accounts[random(100)].move(random(200) - 90);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refused++;
  }
}
const words = new Map();
for (let i = 0; i < rounds; i++) {
  const word = "w" + random(500).toString(36);
  words.set(word, (words.get(word) ?? 0) + 1);
}
const sorted = [...words].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
const numbers = Array.from({ length: rounds }, () => random(32768));
const sum = numbers.filter((n) => n % 3 === 0).map((n) => n * 2).reduce((a, b) => a + b, 0);
numbers.sort((a, b) => a - b);
const text = JSON.stringify(accounts.map(({ id, balance }) => ({ id, balance })));
print(refused, JSON.parse(text).reduce((all, { balance }) => all + balance, 0), sorted[0].join(), sum, numbers[rounds >> 1], text.replace(/\D+/g, "").length);
