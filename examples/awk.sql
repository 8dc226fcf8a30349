-- Which paths are asked for, how often in vain, and what is the largest answer of each?
--
-- The sums are awk's: several columns go to a program as TSV, and come back as TSV. NULL is \N.
-- For your own log, name it in FROM; for your own awk program, put it between the $$.
FROM 'examples/access.log'
|> MAP LUA $$
     function(line)
       local path, status, bytes = line:match('"%S+ (%S+) [^"]*" (%d+) (%S+)')
       return path, status, tonumber(bytes)
     end
   $$ AS (path, status INT, bytes BIGINT)
|> PIPE $$
     awk -F'\t' -v OFS='\t' '
       { requests[$1]++ }
       $2 >= 400 { failed[$1]++ }
       $3 != "\\N" && $3 + 0 > largest[$1] { largest[$1] = $3 + 0 }
       END { for (path in requests) print path, requests[path], failed[path] + 0, largest[path] + 0 }
     '
   $$ PARTITION BY (path) AS (path, requests BIGINT, failed BIGINT, largest BIGINT)
|> ORDER BY requests DESC, path
|> LIMIT 5;
