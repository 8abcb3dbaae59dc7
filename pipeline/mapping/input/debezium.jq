# Debezium's changes of a table of photos, with or without the schema around them, or flattened by ExtractNewRecordState.
# A row names its object by the columns bucket and key, or by url (s3://bucket/key), and may have photo_id, version_id,
# album, taken_at, opt_out, and lat and lon. Other names: change them in row.

# Debezium writes times as text, or as a number of milli-, micro- or nanoseconds, which only a time between 1990 and 2100 tells.
def time:
  if type != "number" then .
  elif . >= 631152000000 and . < 4102444800000 then . / 1000 | floor | todate
  elif . >= 631152000000000 and . < 4102444800000000 then . / 1000000 | floor | todate
  elif . >= 631152000000000000 and . < 4102444800000000000 then . / 1000000000 | floor | todate
  else error("taken_at is \(.): neither milli- nor micro- nor nanoseconds since 1970 of a time after 1990") end;

def flag: if . == 1 then true elif . == 0 then false else . end; # MySQL has no booleans

def row:
  (if .url != null then .url | s3url else {bucket, key} end)
  + {version_id, album, taken_at: (.taken_at | time), opt_out: (.opt_out | flag),
     photo_id: (.photo_id | if type == "number" then tostring else . end)}
  + if .lat != null and .lon != null then {position: {lat, lon, source: "database"}} else {} end;

def named: type == "object" and (.url != null or .key != null or .photo_id != null);

def removal:
  if named then row | {bucket, key, photo_id, album, removed: true}
  else error("the deleted row has neither key nor url nor photo_id; PostgreSQL sends them with REPLICA IDENTITY FULL, MySQL with binlog_row_image=FULL") end;

def identity: if named then [.photo_id, .url, .bucket, .key] else null end;

def change:
  if .op == "c" or .op == "r" then .after | row
  elif .op == "u" then # under another name, the old one is gone
    ((.before | select(named) | identity) // null) as $before
    | (if $before != null and $before != (.after | identity) then .before | removal else empty end), (.after | row)
  elif .op == "d" then .before | removal
  elif .op == "m" then empty
  elif .op == "t" then error("the table was truncated; the locations of its photos stay until each is removed")
  else error("a change with op \(.op)") end;

# The tombstone behind a delete says nothing new, but where rows are flattened it may be all there is.
def tombstone: $key | strings | (fromjson? // empty) | objects | (.payload // .) | select(named) | removal;

if . == null then tombstone
elif type != "object" then error("not a change but \(type)")
else
  (if (.payload | type) == "object" then .payload else . end)
  | if has("op") then
      if (.op | IN("c", "r", "u")) and (.after | type) != "object" then error("a change without after") else change end
    elif .__deleted == "true" or .__deleted == true then removal
    elif named then row
    else error("not a change: neither op nor the columns of a photo; is input.map right?") end
end
