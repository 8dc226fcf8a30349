-- What did the clients on a blocklist get?
--
-- For your own log, name it in FROM; blocklist.csv is any CSV file with a column `client`. A list
-- without a header is text: JOIN 'list.txt' AS listed ON listed.line = log.client.
FROM 'examples/access.log' AS log
|> MAP LUA $$ function(line) return line:match('^(%S+) .-" (%d+) (%d*)') end $$
   AS (client, status INT, bytes)
|> SET bytes = nullif(bytes, '')::BIGINT
|> AS log
|> JOIN 'examples/blocklist.csv' AS listed ON listed.client = log.client
|> AGGREGATE count(*) AS requests,
             count(*) FILTER (WHERE status < 400) AS answered,
             sum(bytes) AS bytes
   GROUP BY log.client, reason, since
|> ORDER BY requests DESC;
