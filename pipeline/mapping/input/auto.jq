# Whatever of the other presets a record looks like: a CloudEvent by its headers, an S3 event by its Records, a change of
# Debezium by its op, and else a reference as it is. Name the preset instead as soon as you know it: then a record of
# another kind is a dead letter and not a guess.

# include s3-event as s3_event
# include cloudevents as cloud_event
# include debezium as change
def struct: $key | type == "string" and startswith("{"); # keys of Debezium are objects

if (($headers["content-type"] // "") | ascii_downcase | startswith("application/cloudevents")) or $headers.ce_specversion != null then cloud_event
elif . == null then if struct then change else null end
elif type != "object" then .
elif has("specversion") then cloud_event
elif (.Records | type == "array") or .Event == "s3:TestEvent" or (.source == "aws.s3" and has("detail")) or (.Type == "Notification" and has("Message")) then s3_event
elif (.payload | objects // {} | has("op")) or (has("op") and (has("after") or has("before"))) or has("__deleted") then change
else . end
