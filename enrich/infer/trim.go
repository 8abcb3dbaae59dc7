package infer

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
// The arenas of glibc keep what a destroyed session freed: without this a
// process that reloads models grows by the size of each.
static void give_back(void) { malloc_trim(0); }
#else
static void give_back(void) {}
#endif
*/
import "C"

func giveBack() { C.give_back() }
