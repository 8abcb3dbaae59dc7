// Package opensearch writes documents into OpenSearch and Elasticsearch, which understand the same requests.
//
// A document's id is the photo's, and its version is the document's (version_type=external), so the index itself refuses what
// is older. index.json is the design of the index; Open with create makes an index template and an index of it, and without
// refuses an index that differs.
//
// It is the only home of opensearch-go.
package opensearch
