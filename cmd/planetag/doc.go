// Command planetag predicts where photos were taken: references come from a Kafka topic, photos from S3, locations go to
// another topic. This package is the command line and nothing else; the work is in planetag/pipeline and below.
//
// Results go to standard output, progress and logs to standard error, so that `planetag eval --json > result.json` holds
// exactly the result. The exit status tells a script what kind of trouble there was: 0 done, 1 unexpected, 3 finished but
// the photo failed, 64 wrong usage, 69 something needed is not there (ONNX Runtime, broker, store), 78 wrong
// configuration, 130 interrupted. Treat any other as a failure. A refused bundle is a wrong configuration; only `bundle
// verify`, whose answer is yes or no, says no with 1.
package main
