// Package secrets makes the secrets that tests work with, so that a secret in a log can be told from everything else.
//
// It promises that Find sees every secret made by Of and every private key in PEM, also in base64, in hexadecimal, quoted and as a list of bytes. Watch
// holds one collected log to that; the command testcount holds all output of all tests to it.
//
// It refuses to be used outside tests: these secrets are known to everybody.
package secrets
