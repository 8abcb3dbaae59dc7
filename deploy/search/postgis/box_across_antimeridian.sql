-- Photos between 176° east and 178° west, 20° and 15° south: two boxes, as a plane has an edge there.
SELECT photo_id, lat, lon
FROM planetag_locations
WHERE location::geometry && ST_MakeEnvelope(176, -20, 180, -15, 4326) OR location::geometry && ST_MakeEnvelope(-180, -20, -178, -15, 4326);
