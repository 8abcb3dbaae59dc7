// Package search holds the design of the search indexes that `planetag index` writes, and questions to them: opensearch/ is the
// index as JSON and a request body for each question, postgis/ the table as SQL and a query for each. docs/search.md goes through them.
//
// Its tests ask each question of the real servers, and kill the indexer and the servers while they work.
package search
