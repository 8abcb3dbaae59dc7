-- One row for each photo, filled by postgis.json from what output.map: connect publishes. A removed or opted-out one holds nothing but what says so.
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE TABLE IF NOT EXISTS photo_locations (
  photo_id      text PRIMARY KEY,
  status        text NOT NULL, -- lat and lon were measured only where this is given
  stage         text NOT NULL,
  revision      bigint NOT NULL,
  lat           double precision,
  lon           double precision,
  location      geography(Point, 4326) GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography) STORED,
  radius_p50_m  bigint,
  radius_p90_m  bigint,
  confidence    double precision,
  entropy       double precision,
  cell          text,
  country_code  text,
  country       text,
  region        text,
  album         text,
  album_mode    text,
  album_size    integer,
  album_position integer,
  album_moved_m double precision,
  from_anchors  boolean,
  given_source  text,
  given_distance_m bigint,
  model         text,
  model_sha256  text,
  precision_cap_level integer,
  bucket        text,
  key           text,
  version_id    text,
  etag          text,
  taken_at      timestamptz,
  time          timestamptz NOT NULL,
  record_partition integer NOT NULL,
  record_offset bigint NOT NULL,
  deleted_at    timestamptz, -- this and the next are the guard's
  photo_revision bigint -- the greatest of answers and opt-outs that are no album's; these can be compared with each other
);
CREATE INDEX IF NOT EXISTS photo_locations_location ON photo_locations USING gist (location);
CREATE INDEX IF NOT EXISTS photo_locations_country ON photo_locations (country_code, taken_at);
CREATE INDEX IF NOT EXISTS photo_locations_album ON photo_locations (album);

-- The guard: the sink writes whatever comes, in the order in which it comes; what is older than the row is turned away here.
CREATE OR REPLACE FUNCTION photo_locations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN -- a tombstone, of which the sink tells the key alone
    UPDATE photo_locations SET status = 'removed' WHERE photo_id = OLD.photo_id AND status <> 'removed';
    RETURN NULL;
  END IF;
  IF NEW.stage = 'photo' AND NEW.status <> 'removed' THEN NEW.photo_revision := greatest(NEW.photo_revision, NEW.revision); END IF;
  IF TG_OP = 'UPDATE' AND NEW.status <> 'removed' THEN
    IF NEW.record_partition = OLD.record_partition AND NEW.record_offset <= OLD.record_offset THEN
      -- Connect reads again after a failure, always up to the end: a tombstone that came after the row's own record comes again
      -- after it, and one that came before has just removed the row once more.
      IF NEW.record_offset < OLD.record_offset OR OLD.status <> 'removed' THEN RETURN NULL; END IF;
      NEW.revision := OLD.revision;
    ELSIF NEW.status = 'opted_out' THEN
      -- The revision of an album is the time of its closing, and that of an opt-out which comes after it may be smaller. Clocks differ.
      IF OLD.stage <> 'album' AND NEW.revision + 60000 <= OLD.revision THEN RETURN NULL; END IF;
      NEW.revision := greatest(NEW.revision, OLD.revision);
    ELSIF OLD.deleted_at IS NOT NULL AND NEW.stage = 'photo' THEN
      IF NEW.revision <= coalesce(OLD.photo_revision, OLD.revision) THEN RETURN NULL; END IF;
    ELSIF NEW.revision <= OLD.revision THEN
      IF NEW.photo_revision IS NOT DISTINCT FROM OLD.photo_revision THEN RETURN NULL; END IF;
      OLD.photo_revision := NEW.photo_revision; -- an album's answer stands, and a removal of that must not bring this one up
      RETURN OLD;
    ELSIF OLD.deleted_at IS NOT NULL AND NEW.stage = 'album' THEN
      RETURN NULL; -- it was closed before it heard of the removal; the photo itself would have an answer first
    END IF;
  END IF;
  NEW.deleted_at := NULL;
  IF NEW.status IN ('removed', 'opted_out') THEN
    NEW := jsonb_populate_record(NULL::photo_locations, jsonb_build_object(
      'photo_id', NEW.photo_id, 'status', NEW.status, 'stage', NEW.stage, 'revision', NEW.revision, 'photo_revision', NEW.photo_revision,
      'record_partition', NEW.record_partition, 'record_offset', NEW.record_offset, 'time', NEW.time,
      'deleted_at', CASE NEW.status WHEN 'removed' THEN clock_timestamp() ELSE NEW.time END));
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER photo_locations_guard BEFORE INSERT OR UPDATE OR DELETE ON photo_locations FOR EACH ROW EXECUTE FUNCTION photo_locations_guard();
