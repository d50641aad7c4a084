package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
)

// element is one that a picture has.
type element struct {
	name       string
	attributes map[string]string
}

// elements reads a picture, which must be well-formed.
func elements(t *testing.T, picture string) (all []element) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in %s", err, picture)
		}
		if start, is := token.(xml.StartElement); is {
			e := element{start.Name.Local, map[string]string{}}
			for _, a := range start.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			all = append(all, e)
		}
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBars(t *testing.T) {
	picture := Bars("A & B", []Group{{Title: "more is <better>", Bars: []Bar{
		{Label: "one", Value: 0.5, Text: "0.50", Floor: 0.25, Aim: 1, Good: true},
		{Label: "two", Value: 1, Text: "1.00", Floor: 2},
		{Label: "three", Value: 0.001, Text: "0"},
	}}})
	widths := map[string]float64{}
	var marks []float64
	for _, e := range elements(t, picture) {
		switch class := e.attributes["class"]; {
		case e.name == "rect" && class != "":
			widths[class] = number(t, e.attributes["width"])
		case e.name == "line" && class == "floor":
			marks = append(marks, number(t, e.attributes["x1"]))
		}
	}
	if widths["bad"] != 2*widths["good"] || widths["plain"] != 1 {
		t.Errorf("bars of 0.5, 1 and nearly nothing are so long: %v", widths)
	}
	if len(marks) != 3 || marks[1]-labelWidth != 8*(marks[0]-labelWidth) {
		t.Errorf("floors of 0.25 and 2 stand at %v", marks)
	}
	for _, wanted := range []string{"A &amp; B", "more is &lt;better&gt;", ">0.50<"} {
		if !strings.Contains(picture, wanted) {
			t.Errorf("%q is missing", wanted)
		}
	}
}

func TestLines(t *testing.T) {
	picture := Lines("t", "x", "y", []float64{1, 10, 1000}, []string{"1", "10", "1,000"}, []Line{{"flat", []float64{40, 40, 40}}, {"up", []float64{0, 20, 80}}})
	var xs, ys []float64
	for _, e := range elements(t, picture) {
		if e.name == "circle" {
			xs, ys = append(xs, number(t, e.attributes["cx"])), append(ys, number(t, e.attributes["cy"]))
		}
	}
	if len(ys) != 6 || ys[0] != ys[1] || ys[1] != ys[2] {
		t.Errorf("a flat line is at %v", ys)
	}
	if ys[3] != plotBottom || ys[4] != plotBottom-(plotBottom-ys[5])/4 || ys[5] < plotTop {
		t.Errorf("0, 20 and 80 are at %v", ys[3:])
	}
	if left, right := xs[1]-xs[0], xs[2]-xs[1]; left <= 0 || right/left < 1.99 || right/left > 2.01 {
		t.Errorf("1, 10 and 1000 are at %v", xs)
	}
}

func TestNiceStep(t *testing.T) {
	for most, want := range map[float64]float64{0: 1, 1: 0.2, 7: 2, 60: 10, 4999: 1000, 0.03: 0.005} {
		if got := niceStep(most); got < want*0.999 || got > want*1.001 {
			t.Errorf("for %g: %g, want %g", most, got, want)
		}
	}
}
