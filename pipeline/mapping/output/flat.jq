# One level of names and no lists, for tables: ClickHouse, spreadsheets; for Kafka Connect there is connect. Every name is
# always there, null where there is nothing. lat and lon are an estimate unless status is "given".
{
  photo_id, status, stage, revision,
  lat: .location.lat, lon: .location.lon, radius_p50_m, radius_p90_m, confidence, entropy, cell,
  country_code: .place.country_code, country: .place.country, region: .place.region,
  album: .album.id, album_mode: .album.mode, album_size: .album.size, album_position: .album.position, album_moved_m: .album.moved_m,
  from_anchors: .album.from_anchors, given_source: .given.source, given_distance_m: .given.distance_m,
  model: .model.bundle, model_sha256: .model.sha256, precision_cap_level: .model.precision_cap_level,
  bucket: .source.bucket, key: .source.key, version_id: .source.version_id, etag: .source.etag,
  taken_at, time
}
