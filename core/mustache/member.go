package mustache

// Members calls each for every member of an object, in the order of the text, and
// tells whether the value is one. What it hands out shares the value's memory.
func (v Value) Members(each func(name string, member Value)) bool {
	d := v.doc()
	o := &d.values[v.at]
	if o.kind != valueObject {
		return false
	}
	for k := v.at + 1; k < o.end; k = d.values[k+1].end {
		each(d.text(k), Value{data: d, at: k + 1})
	}
	return true
}

// Text gives the text of a string; false for any other value.
func (v Value) Text() (string, bool) {
	d := v.doc()
	if kind := d.values[v.at].kind; kind != valueString && kind != valueDecoded {
		return "", false
	}
	return d.text(v.at), true
}

// Truth gives true or false; ok is false for any other value.
func (v Value) Truth() (truth, ok bool) {
	switch v.doc().values[v.at].kind {
	case valueTrue:
		return true, true
	case valueFalse:
		return false, true
	}
	return false, false
}
