-- How many photos there are in each S2 cell of level 4: a map of counts.
SELECT token, count(*) AS photos, avg(lat) AS lat
FROM planetag_locations, unnest(s2_ancestors) AS token
WHERE token ~ '^[0-9a-f]{2}[13579bdf]$' AND location IS NOT NULL
GROUP BY token
ORDER BY photos DESC;
