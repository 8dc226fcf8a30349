-- Who asks the most, and how much do they get?
--
--   cargo run --release -- -f examples/top_clients.sql
--
-- grep drops the crawlers, a Lua function takes the lines apart, SQL does the sums.
FROM 'examples/access.log'
|> PIPE 'grep -v ExampleBot'
|> MAP LUA $$
     function(line)
       local client, status, bytes = line:match('^(%S+) .-" (%d+) (%S+)')
       if bytes == '-' then bytes = nil end
       return client, status, bytes
     end
   $$ AS (client, status INT, bytes BIGINT)
|> AGGREGATE count(*) AS requests,
             count(*) FILTER (WHERE status >= 400) AS errors,
             sum(bytes) AS bytes
   GROUP BY client
|> ORDER BY requests DESC, client
|> LIMIT 5;
