# S3 event notifications of MinIO, AWS (directly, by SNS, by EventBridge), Ceph, versitygw and RustFS.
# A message may hold several records; each becomes a reference, a removal, or nothing.

# AWS, MinIO and RustFS escape keys like a form's fields: album+7/my+photo%2B1.jpg. Ceph and versitygw write them as they
# are; versitygw says that it is aws:s3, but spells PrincipalId with a capital.
def key:
  .s3.object.key as $key
  | if .eventSource == "ceph:s3" or (.userIdentity | type == "object" and has("PrincipalId")) then $key
    else $key | s3key end;

def version($id): if $id == "" or $id == "null" then null else $id end;

# What the uploader wrote beside the object, from stores that pass it on: x-amz-meta-album, x-amz-meta-geotag: skip.
def metadata($name):
  first(
    ((.s3.object.userMetadata | objects | to_entries[]), (.s3.object.metadata | arrays | .[] | objects))
    | select(.key | type == "string" and ascii_downcase == "x-amz-meta-" + $name)
    | .value // .val
  ) // null;

# The etag is left out on purpose: with it, an object that was written again before it was read would be refused.
def created:
  {bucket: .s3.bucket.name, key: key, version_id: version(.s3.object.versionId), album: metadata("album")}
  + if metadata("geotag") == "skip" then {opt_out: true} else {} end;

# Where one version was deleted, another one may be there: then the photo is looked at again.
def removed($event):
  {bucket: .s3.bucket.name, key: key,
   removed: (if version(.s3.object.versionId) != null and ($event | endswith(":DeleteMarkerCreated") | not) then "if_gone" else true end)};

# Changed tags, locks and rights, reads and restores are no news about a photo.
def record:
  if type != "object" or (.eventName | type) != "string" then error("a record of the event has no eventName") else . end
  | (.eventName | ltrimstr("s3:")) as $event
  | if $event | startswith("ObjectCreated:") then
      if $event | IN("ObjectCreated:PutTagging", "ObjectCreated:DeleteTagging", "ObjectCreated:PutRetention", "ObjectCreated:PutLegalHold")
      then empty else created end
    elif $event | startswith("ObjectRemoved:") or startswith("LifecycleExpiration:") or . == "ObjectLifecycle:Expiration:Current" then removed($event)
    else empty end
  | select(.key | type != "string" or (endswith("/") | not)); # folders, as consoles make them

def bridged:
  .detail as $d
  | {bucket: $d.bucket.name, key: $d.object.key} as $object
  | version($d.object["version-id"]) as $version
  | if .["detail-type"] == "Object Created" then $object + {version_id: $version}
    elif .["detail-type"] == "Object Deleted" then
      $object + {removed: (if $version != null and $d["deletion-type"] != "Delete Marker Created" then "if_gone" else true end)}
    else empty end
  | select(.key | type != "string" or (endswith("/") | not));

def message:
  if . == null then null # the record's key is bucket/key
  elif type != "object" then error("not an S3 event but \(type)")
  elif .Records | type == "array" then .Records[] | (.data? // .) | record # RustFS before 1.0 wraps each in data
  elif .Event == "s3:TestEvent" then empty
  elif .Type == "Notification" and (.Message | type) == "string" then .Message | fromjson | message # SNS
  elif .source == "aws.s3" and (.detail | type) == "object" then bridged # EventBridge
  elif has("s3") and has("eventName") then record
  else error("not an S3 event: it has no Records; is input.map right?") end;

message
