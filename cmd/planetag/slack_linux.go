package main

// Go's monitor thread wants to be woken every 20 µs for as long as anything happens in the process, and cannot be told
// otherwise. Each time is a timer, an interrupt and two changes of thread, in a virtual machine 15 µs together: a sixth of
// what a worker took beside decoding and the network, and as many interruptions of its decoders. With slack the kernel
// may put off a thread's wake-ups until something else is due; nothing here is timed more finely than to milliseconds.
//
// Threads get the slack of the thread that starts them, and the monitor is started before main and every init. Only what
// the loader calls is earlier.

/*
#include <sys/prctl.h>

__attribute__((constructor)) static void slacken(void) { prctl(PR_SET_TIMERSLACK, 1000000UL); } // nanoseconds
*/
import "C"
