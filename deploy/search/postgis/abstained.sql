-- Photos that nobody was sure about.
SELECT photo_id, bundle
FROM planetag_locations
WHERE status = 'abstained';
