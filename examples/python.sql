-- Which networks do the clients come from? (/24 of IPv4, /48 of IPv6)
--
-- The arithmetic is that of Python's `ipaddress`: rows go to the program as JSON objects, one a
-- line, and come back as JSON objects. It needs python3 in the path. For your own log, name it in
-- FROM; for your own Python program, put it between the quotes.
FROM 'examples/access.log'
|> PIPE $$ cut -d' ' -f1 $$ AS (client)
|> PIPE $$
     python3 -c '
import ipaddress, json, sys

for line in sys.stdin:
    row = json.loads(line)
    bits = 48 if ":" in row["client"] else 24
    network = ipaddress.ip_network((row["client"], bits), strict=False)
    print(json.dumps({"client": row["client"], "network": str(network)}))
'
   $$ FORMAT JSON AS (client, network)
|> AGGREGATE count(*) AS requests, count(DISTINCT client) AS clients GROUP BY network
|> ORDER BY requests DESC, network;
