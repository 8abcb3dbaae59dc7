-- Photos within 5 km of the Colosseum, the nearest first.
SELECT photo_id, round(ST_Distance(location, ST_Point(12.4922, 41.8902)::geography)) AS metres, status, radius_p90_m
FROM photo_locations
WHERE deleted_at IS NULL AND ST_DWithin(location, ST_Point(12.4922, 41.8902)::geography, 5000)
ORDER BY metres;
