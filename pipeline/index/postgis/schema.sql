-- One row for each photo. A deleted one holds nothing but what says so, so that a late older answer cannot bring it back.
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE TABLE IF NOT EXISTS planetag_locations (
  photo_id      text PRIMARY KEY,
  version       bigint NOT NULL,
  deleted       boolean NOT NULL,
  status        text NOT NULL,
  stage         text,
  revision      bigint NOT NULL,
  record_partition integer NOT NULL,
  record_offset bigint NOT NULL,
  lat           double precision,
  lon           double precision,
  location      geography(Point, 4326) GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography) STORED,
  shape         geometry(MultiPolygon, 4326), -- in degrees, as GeoJSON has it
  radius_p50_m  integer,
  radius_p90_m  integer,
  confidence    real,
  cell          text,
  s2_ancestors  text[],
  country_code  text,
  country       text,
  region        text,
  country_probability real,
  album_id      text,
  album_mode    text,
  album_size    integer,
  album_moved_m double precision,
  bundle        text,
  model_sha256  text,
  bucket        text,
  object_key    text,
  taken_at      timestamptz,
  published_at  timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS planetag_locations_location ON planetag_locations USING gist (location);
CREATE INDEX IF NOT EXISTS planetag_locations_s2 ON planetag_locations USING gin (s2_ancestors);
CREATE INDEX IF NOT EXISTS planetag_locations_country ON planetag_locations (country_code, taken_at);
CREATE INDEX IF NOT EXISTS planetag_locations_album ON planetag_locations (album_id);
