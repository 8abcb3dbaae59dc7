# CloudEvents 1.0, binary (attributes in ce_… headers) and structured (application/cloudevents+json). Their data is a
# reference as in the preset plain, or an S3 event. A type that ends in deleted or removed removes the photo.

# include s3-event as s3_event
def attribute($name): $headers["ce_" + $name];

def content_type: ($headers["content-type"] // $headers["Content-Type"] // "") | ascii_downcase;

def structured:
  content_type as $type
  | if $type | startswith("application/cloudevents-batch") then error("a batch of CloudEvents; Kafka carries one in each record")
    elif ($type | startswith("application/cloudevents")) and ($type | startswith("application/cloudevents+json") | not)
    then error("a CloudEvent in \($type); only JSON is read")
    elif type != "object" or (.specversion | type) != "string" then error("not a CloudEvent: neither ce_… headers nor specversion; is input.map right?")
    else {type, subject, data: (if has("data_base64") then .data_base64 | @base64d | fromjson else .data end)} end;

def event:
  if content_type | startswith("application/cloudevents") then structured
  elif attribute("specversion") != null then
    if attribute("id") == null or attribute("source") == null or attribute("type") == null
    then error("not a CloudEvent: ce_id, ce_source or ce_type is missing")
    else {type: attribute("type"), subject: attribute("subject"), data: .} end
  else structured end;

def removes: (.type | type) == "string" and (.type | ascii_downcase | endswith("deleted") or endswith("removed"));

if . == null then null # a tombstone: the record's key is the photo's id
else
  event
  | if .data == null and removes and .subject != null then {photo_id: .subject, removed: true}
    elif .data == null then error("the CloudEvent has no data")
    elif .data | type == "object" and (has("Records") or has("s3")) then .data | s3_event
    elif (.data | type) != "object" then error("the CloudEvent's data is \(.data | type), not a reference")
    elif removes then .data + {removed: true}
    else .data end
end
