SELECT path, count(*) AS n
FROM 'access.log' PIPE 'grep -v Googlebot' MAP LUA 'function(line) return line:match(''x'') end' AS (path, status INT)
WHERE status >= 500
GROUP BY path ORDER BY n DESC LIMIT 10;
FROM 'a' AS x PIPE 'grep x' USING (x.line, upper(x.file)) FORMAT TSV AS (a TEXT, b BIGINT, c DECIMAL(10, 2), d STRUCT<p INT, q TEXT>) |> FILTER LUA $$
  function(a) return a ~= ';' end
$$ USING (a) |> FLATMAP LUA $x$ function(line) return $$ end $x$ AS ("Word") |> SELECT "Word";
SELECT * FROM 'a' MAP LUA 'f' AS (x) AS t;
SELECT * FROM 'a' MAP LUA 'f' AS (x) t JOIN u ON t.x = u.x;
SELECT * FROM 'a' PIPE 'x' AS t MAP LUA 'f' AS (y) AS u;
SELECT * FROM 'a' PIPE 'x' AS t (l) WHERE l = 'x';
SELECT * FROM a PIPE 'x', b PIPE 'y' AS (z), c JOIN d FILTER LUA 'g' ON c.x = d.x LEFT JOIN e PIPE 'w' ON true WHERE 1 = 1;
SELECT * FROM (SELECT * FROM a WHERE x) PIPE 'y' AS q;
SELECT * FROM (FROM a |> WHERE x) PIPE 'y';
SELECT * FROM ('a' PIPE 'sort') ORDER BY line;
SELECT * FROM (a JOIN b ON a.x = b.x) PIPE 'y';
SELECT * FROM ('a' PIPE 'y' JOIN b ON true);
WITH c AS (FROM 'a' PIPE 'x') SELECT * FROM c PIPE 'y';
SELECT * FROM text('g') PIPE 'y' FORMAT RAW;
SELECT * FROM t PIPE 'a' |> PIPE 'b';
SELECT * FROM t JOIN (b PIPE 'x') USING (k);
SELECT * FROM t WHERE x IN (SELECT line FROM 'a' PIPE 'grep y');
CREATE VIEW errors AS FROM 'app-*.log' |> PIPE 'grep ERROR';
CREATE VIEW errors AS FROM 'app.log' PIPE 'grep ERROR';
COPY (SELECT * FROM 'a' PIPE 'x') TO 'b.csv';
EXPLAIN SELECT * FROM 'a' PIPE 'x';
FROM t |> MAP LUA 'f' USING ((FROM u |> AGGREGATE max(y)), b) AS (z);
FROM t TABLESAMPLE (5 ROWS) PIPE 'x';
FROM stdin |> PIPE 'x' |> RENAME line AS l |> DROP l
;
SELECT * FROM 'a' PIPE 'x' FORMAT RAW ORDER BY line;
SELECT * FROM 'a' MAP LUA 'f' AS (x) ORDER BY x;
FROM 'a' |> PIPE 'sort' |> ORDER BY line;
SELECT * FROM a NATURAL JOIN b PIPE 'x' USING (line);
SELECT * FROM a CROSS JOIN b FILTER LUA 'f' USING (line) WHERE true;
SELECT * FROM a LEFT JOIN b FILTER LUA 'f' ON error = 1;
SELECT * FROM a UNION ALL SELECT * FROM b PIPE 'x' UNION ALL FROM c PIPE 'y' |> PIPE 'z';
SELECT x.n FROM (FROM 'a' |> PIPE 'wc -l' AS (n BIGINT)) AS x, LATERAL (SELECT 1) AS l;
COPY (FROM 'a' |> MAP LUA $$
function(line)
  return 1
end $$ AS (n INT)) TO 'x.parquet' STORED AS PARQUET;
EXPLAIN ANALYZE COPY (FROM 'a' |> PIPE 'x') TO 'y.csv'
