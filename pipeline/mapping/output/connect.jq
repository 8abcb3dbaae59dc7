# flat, with the schema around it that Kafka Connect's JsonConverter reads (schemas.enable=true). A name that is not in the
# schema would be lost there without a word. Times are text in UTC, for Debezium's sink points in time.

# include flat as flat
def column($type): {field: ., type: $type, optional: true};
def needed($type): column($type) | .optional = false;
def instant: column("string") | .name = "io.debezium.time.ZonedTimestamp" | .version = 1;
{
  schema: {
    type: "struct", name: "planetag.location", optional: false,
    fields: [
      ("photo_id", "status", "stage" | needed("string")), ("revision" | needed("int64")),
      ("lat", "lon" | column("double")), ("radius_p50_m", "radius_p90_m" | column("int64")), ("confidence", "entropy" | column("double")),
      ("cell", "country_code", "country", "region", "album", "album_mode" | column("string")),
      ("album_size", "album_position" | column("int32")), ("album_moved_m" | column("double")), ("from_anchors" | column("boolean")),
      ("given_source" | column("string")), ("given_distance_m" | column("int64")),
      ("model", "model_sha256" | column("string")), ("precision_cap_level" | column("int32")),
      ("bucket", "key", "version_id", "etag" | column("string")),
      ("taken_at", "time" | instant)
    ]
  },
  payload: flat
}
