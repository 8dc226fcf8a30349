-- Which were the longest visits? A visit is what a client asks for until it is silent for 30 minutes.
--
-- For your own log, name it in FROM, and take client and time out of its lines in MAP.
FROM 'examples/access.log'
|> MAP LUA $$ function(line) return line:match('^(%S+) .-%[(.-)%]') end $$ AS (client, time)
|> SET time = to_timestamp(time, '%d/%b/%Y:%H:%M:%S %z')
|> EXTEND lag(time) OVER (PARTITION BY client ORDER BY time) AS before
|> EXTEND CASE WHEN time - before <= INTERVAL '30 minutes' THEN 0 ELSE 1 END AS begins
|> EXTEND sum(begins) OVER (PARTITION BY client ORDER BY time) AS visit
|> AGGREGATE min(time) AS began, max(time) AS ended, count(*) AS requests GROUP BY client, visit
|> ORDER BY requests DESC, began, client
|> LIMIT 5;
