# The value is a reference already:
#   {"bucket": "images", "key": "rome/1.jpg", "album": "rome-2019", "taken_at": "2019-07-01T12:00:00Z",
#    "position": {"lat": 41.89, "lon": 12.49, "source": "gps"}, "opt_out": false, "photo_id": "…"}
# Only key is needed when s3.bucket is set. null removes the photo whose id is the record's key.
.
