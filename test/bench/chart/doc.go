// Package chart draws the pictures of the benchmarks' report as SVG: bars with limits marked on them, and lines. They
// can be read on a light and on a dark page, need no script, and name everything that they show.
package chart
