-- 200,000 rows put in and asked for: by index, by groups, sorted, joined, changed.
DROP TABLE IF EXISTS rows;
CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount INTEGER NOT NULL, grouping INTEGER NOT NULL);
BEGIN;
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200000)
INSERT INTO rows SELECT n, 'row ' || (n * 7919 % 200003), n * 31 % 1009, n % 97 FROM numbers;
CREATE INDEX by_name ON rows (name);
COMMIT;
SELECT count(*), sum(amount), min(name), max(name) FROM rows;
SELECT grouping, count(*), sum(amount) FROM rows GROUP BY grouping ORDER BY 3 DESC, 1 LIMIT 3;
SELECT count(*) FROM rows a JOIN rows b ON b.name = 'row ' || a.amount WHERE a.id <= 50000;
UPDATE rows SET amount = amount + 1 WHERE grouping < 20;
DELETE FROM rows WHERE grouping = 96;
SELECT count(*), sum(amount), sum(length(name)) FROM rows WHERE name LIKE 'row 1%';
