-- Estimates that are right within 50 km nine times out of ten, the best first.
SELECT photo_id, lat, lon, radius_p90_m, confidence
FROM planetag_locations
WHERE status = 'estimated' AND radius_p90_m <= 50000
ORDER BY radius_p90_m;
