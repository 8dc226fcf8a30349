-- How many requests fail, hour by hour?
--
-- For your own log in the combined or common format, name it in FROM: 'logs/access.log*' takes the
-- rotated and compressed ones along. Another format of time is another text in to_timestamp.
FROM 'examples/access.log'
|> MAP LUA $$ function(line) return line:match('%[(.-)%] ".-" (%d+) ') end $$ AS (time, status INT)
|> AGGREGATE count(*) AS requests,
             count(*) FILTER (WHERE status >= 400) AS errors
   GROUP BY date_trunc('hour', to_timestamp(time, '%d/%b/%Y:%H:%M:%S %z')) AS hour
|> EXTEND round(100.0 * errors / requests, 1) AS percent
|> ORDER BY hour;
