# A GeoJSON feature (RFC 7946): longitude comes first, and geometry is null where there is no location. Everything else
# the location says is in properties.
{
  type: "Feature",
  id: .photo_id,
  geometry: (if .location != null then {type: "Point", coordinates: [.location.lon, .location.lat]} else null end),
  properties: del(.location)
}
