package chart

import (
	"fmt"
	"math"
	"strings"
)

// Line is one series of values, with a value for each place on the x axis.
type Line struct {
	Label  string
	Values []float64
}

// The measures of a picture of lines, in pixels.
const (
	linesWidth  = 640
	linesHeight = 320
	plotLeft    = 74
	plotRight   = 440
	plotTop     = 60
	plotBottom  = 256
)

var colours = []string{"#2f6fb3", "#c9463d", "#2f8f5b", "#8a5bb5", "#b8860b"}

// Lines draws lines over places that are as far from each other as their powers of ten; xs are above 0. The y axis
// begins at 0, so that a flat line is flat.
func Lines(title, xTitle, yTitle string, xs []float64, labels []string, lines []Line) string {
	most := 0.0
	for _, l := range lines {
		for _, v := range l.Values {
			most = max(most, v)
		}
	}
	step := niceStep(most)
	top := max(step, math.Ceil(most/step)*step)
	x := func(i int) float64 {
		first, last := math.Log(xs[0]), math.Log(xs[len(xs)-1])
		if first == last {
			return plotLeft
		}
		return plotLeft + (math.Log(xs[i])-first)/(last-first)*(plotRight-plotLeft)
	}
	y := func(v float64) float64 { return plotBottom - v/top*(plotBottom-plotTop) }

	var b strings.Builder
	for v := 0.0; v <= top+step/2; v += step {
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`+"\n", plotLeft, plotRight, y(v), y(v))
		text(&b, plotLeft-8, y(v)+4, "axis", "end", fmt.Sprintf("%g", v))
	}
	for i, label := range labels {
		text(&b, x(i), plotBottom+18, "axis", "middle", label)
	}
	text(&b, (plotLeft+plotRight)/2, plotBottom+40, "axis", "middle", xTitle)
	text(&b, 24, plotTop-12, "axis", "start", yTitle)
	for n, l := range lines {
		colour := colours[n%len(colours)]
		var path strings.Builder
		for i, v := range l.Values {
			fmt.Fprintf(&path, "%s%.1f %.1f ", map[bool]string{true: "M", false: "L"}[i == 0], x(i), y(v))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x(i), y(v), colour)
		}
		fmt.Fprintf(&b, `<path class="line" stroke="%s" d="%s"/>`+"\n", colour, strings.TrimSpace(path.String()))
		key := float64(plotTop + 8 + 22*n)
		fmt.Fprintf(&b, `<rect x="%d" y="%.1f" width="12" height="12" fill="%s"/>`+"\n", plotRight+28, key-10, colour)
		text(&b, plotRight+46, key, "value", "start", l.Label)
	}
	return frame(title, linesWidth, linesHeight, b.String())
}

// niceStep is a round number that goes some five times into most.
func niceStep(most float64) float64 {
	if most <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(most/5)))
	for _, factor := range []float64{1, 2, 5} {
		if most/(factor*power) <= 6 {
			return factor * power
		}
	}
	return 10 * power
}
