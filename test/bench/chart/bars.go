package chart

import (
	"fmt"
	"html"
	"strings"
)

// Bar is one value, with what is asked of it.
type Bar struct {
	Label string
	Value float64
	// Text is the value as it is written at the end of the line.
	Text string
	// Floor and Aim are marked on it; 0: there is none.
	Floor, Aim float64
	// Good tells whether the floor is kept; without a floor it does not matter.
	Good bool
}

// Group is bars on one scale.
type Group struct {
	// Title says what the bars are, and which way is good.
	Title string
	Bars  []Bar
}

// The measures of a picture of bars, in pixels.
const (
	barsWidth  = 860
	labelWidth = 270
	textWidth  = 90
	barHeight  = 18
	barStep    = 30
	groupTop   = 44
)

// Bars draws groups of bars, each group on its own scale from 0.
func Bars(title string, groups []Group) string {
	var b strings.Builder
	y := 56
	for _, g := range groups {
		y = drawGroup(&b, g, y)
	}
	b.WriteString(legend(y))
	return frame(title, barsWidth, y+34, b.String())
}

func drawGroup(b *strings.Builder, g Group, top int) (bottom int) {
	most := 0.0
	for _, bar := range g.Bars {
		most = max(most, bar.Value, bar.Floor, bar.Aim)
	}
	if most == 0 {
		most = 1
	}
	scale := func(v float64) float64 { return labelWidth + v/most*(barsWidth-labelWidth-textWidth) }
	text(b, 24, float64(top), "group", "start", g.Title)
	y := top + groupTop - 26
	for _, bar := range g.Bars {
		middle := float64(y) + barHeight/2
		text(b, labelWidth-12, middle+4, "label", "end", bar.Label)
		class := "plain"
		if bar.Floor != 0 {
			class = map[bool]string{true: "good", false: "bad"}[bar.Good]
		}
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n", class, labelWidth, y, max(1, scale(bar.Value)-labelWidth), barHeight)
		for _, mark := range []struct {
			at    float64
			class string
		}{{bar.Floor, "floor"}, {bar.Aim, "aim"}} {
			if mark.at != 0 {
				fmt.Fprintf(b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", mark.class, scale(mark.at), scale(mark.at), y-4, y+barHeight+4)
			}
		}
		text(b, barsWidth-24, middle+4, "value", "end", bar.Text)
		y += barStep
	}
	return y + 24
}

func legend(y int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<line class="floor" x1="%d" x2="%d" y1="%d" y2="%d"/>`+"\n", labelWidth, labelWidth, y-13, y+3)
	text(&b, labelWidth+8, float64(y), "value", "start", "floor")
	fmt.Fprintf(&b, `<line class="aim" x1="%d" x2="%d" y1="%d" y2="%d"/>`+"\n", labelWidth+70, labelWidth+70, y-13, y+3)
	text(&b, labelWidth+78, float64(y), "value", "start", "aim")
	return b.String()
}

func text(b *strings.Builder, x, y float64, class, anchor, what string) {
	fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(what))
}

// frame puts a drawing into a picture with a title.
func frame(title string, width, height int, drawing string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img">
<title>%[3]s</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 }
.group { font-weight: 600 }
.value, .axis { fill: #57606a }
.axis { font-size: 11px }
.good { fill: #2f8f5b } .bad { fill: #c9463d } .plain { fill: #7d8fa3 }
.floor { stroke: #24292f; stroke-width: 2 }
.aim { stroke: #24292f; stroke-width: 2; stroke-dasharray: 3 2 }
.grid { stroke: #d8dee4 }
.line { fill: none; stroke-width: 2 }
</style>
<rect width="100%%" height="100%%" fill="#ffffff"/>
<text class="title" x="24" y="30">%[3]s</text>
%[4]s</svg>
`, width, height, html.EscapeString(title), drawing)
}
