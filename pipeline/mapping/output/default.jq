# The location as deploy/schema/location.schema.json describes it.
.
