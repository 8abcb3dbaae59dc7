-- Photos that are in Italy with at least three chances in ten.
SELECT photo_id, region
FROM planetag_locations
WHERE country_code = 'IT' AND country_probability >= 0.3;
