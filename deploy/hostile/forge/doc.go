// Package forge makes hostile files out of real photos: cuts, flipped bits, lying headers, bombs, loops, EXIF that lies, and what is no photo at all,
// for each format that planetag reads.
//
// It promises that the n-th file of a seed is the same bytes everywhere and does not depend on the others, and that its name tells its recipe. The first
// [Forge.Crafted] files are written by hand, one recipe each, and the same for every seed except for what they fill themselves with; those behind them are
// real photos changed by chance.
//
// It refuses to know which of its files are broken: a flipped bit often hurts nobody. Whoever uses them may ask for exactly one verdict, not for which.
package forge
