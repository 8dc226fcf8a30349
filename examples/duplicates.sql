-- Which messages come again and again?
--
-- Time stamps and numbers are taken out, so that messages which differ in them are the same.
-- PARTITION BY brings equal messages into the same child, where `sort | uniq -c` counts them; on a
-- large log there is a child for each core. For your own log, name it in FROM.
FROM 'examples/app.log'
|> MAP LUA $$ function(line) return (line:gsub('^%d%S* ', ''):gsub('%d+', 'N')) end $$ AS (message)
|> PIPE $$
     LC_ALL=C sort | LC_ALL=C uniq -c |
       awk '$1 > 1 { n = $1; sub(/^ *[0-9]+ /, ""); print n "\t" $0 }'
   $$ PARTITION BY (message) AS (n BIGINT, message)
|> ORDER BY n DESC, message
|> LIMIT 10;
