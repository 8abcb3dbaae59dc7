-- Photos that are in Italy, more likely than not.
SELECT photo_id, region
FROM planetag_locations
WHERE country_code = 'IT' AND country_probability >= 0.5;
