# A structured CloudEvent (1.0) with the location as its data. Its id is the same for the same location. The header
# content-type says application/cloudevents+json.
{
  specversion: "1.0",
  id: "\(.photo_id)#\(.stage).\(.revision)",
  source: "planetag",
  type: "planetag.location.\(.status)",
  subject: .photo_id,
  time,
  datacontenttype: "application/json",
  data: .
}
