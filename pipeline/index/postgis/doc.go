// Package postgis writes documents into a table of PostgreSQL with PostGIS.
//
// A row replaces an older version only, in the database: see Write. schema.sql is the design of the table; Open with create
// makes it, and without refuses a table whose columns differ.
//
// It is the only home of pgx.
package postgis
