// Command gpucheck measures what one accelerator does with one or more bundles, by itself: no broker, no store, no network. It
// prints a table, writes it into a document if asked to, and fails where a promise of the accelerator's code does not hold:
// answers near those of the CPU, a cancelled call that returns, a batch without room that is answered in smaller ones, signals
// that still reach the program, and memory that a closed model gives back.
//
// It runs on the CPU as well, which is how it is rehearsed where there is no GPU.
package main
