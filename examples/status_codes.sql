-- Status codes, cut out by a Unix program, in classic syntax.
SELECT status, count(*) AS n
FROM 'examples/access.log' PIPE 'cut -d" " -f9' AS (status)
GROUP BY status
ORDER BY n DESC;
