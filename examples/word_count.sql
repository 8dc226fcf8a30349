-- The words of a log, most frequent first.
FROM 'examples/access.log'
|> FLATMAP LUA 'function(line) return line:gmatch("%w+") end' AS (word)
|> AGGREGATE count(*) AS n GROUP BY word
|> ORDER BY n DESC, word
|> LIMIT 10;
