-- Albums that moved a photo of theirs by 100 km or more.
SELECT album_id, count(*) AS photos, max(album_moved_m) AS moved_m
FROM planetag_locations
WHERE album_moved_m >= 100000
GROUP BY album_id
ORDER BY moved_m DESC;
