// Command testcount runs go test and says at the end, in one line, how many tests there were:
//
//	123 passed, 0 failed, 2 skipped
//
// It promises: a line per package as it finishes; the whole output of every test that failed and of every package that did not build; the reason of
// every skip; and a non-zero exit code whenever go test had one. Subtests count as tests. A secret of package secrets in any test's output, of one that
// passes, too, is a failure, and is not repeated.
//
// It refuses to hide anything else: what go test writes to standard error is passed on.
package main
