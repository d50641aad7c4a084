// Package mustache is a Mustache engine: it parses a template once into a
// compact tree and renders that tree any number of times against JSON data.
//
// The rules are those of the official specification (github.com/mustache/spec,
// version 1.4.x) and of its manual mustache(5): interpolation, sections,
// inverted sections, comments, partials and set delimiters, with the optional
// inheritance and dynamic names. Lambdas do not apply, because the data is JSON
// and holds no functions. The package needs nothing but the standard library,
// and a template can neither call code nor read anything but its data and the
// partials that the caller's Loader hands out.
//
// # Names
//
// A name is split at its dots. The first part is searched from the innermost
// context outwards, the others strictly inside of what was found. A single dot
// is the innermost context itself. Names of variables, sections and blocks hold
// no white space, as the specification demands; those of partials and parents
// may hold spaces, because stored templates have such names.
//
// # Values
//
// A string prints as it is, a number exactly as the JSON had it (1.10 stays
// 1.10), null as nothing, an object or a list as compact JSON with its keys in
// their order. A section is skipped, and its inverted section runs, when the
// name is missing, null, false or an empty list. Everything else runs a section,
// the empty string and the number 0 too: the specification names only false
// values and empty lists. Escaping replaces & < > " ' by &amp; &lt; &gt; &quot;
// &#39; and nothing else.
//
// # White space
//
// A tag that is alone on its line, and is no interpolation, takes its whole line
// with it. A standalone partial or parent prepends the white space before it to
// each line of what it expands to; values are not indented and empty lines stay
// empty. A parent, or a block outside of a parent, is standalone as a pair when
// nothing but white space stands before its start tag and after its end tag.
//
// A block that a parent passes loses the intrinsic indentation of its content,
// which is the white space at the start of the line after its start tag, if that
// tag ends its line. Where a standalone block is replaced by what was passed,
// each line gains the intrinsic indentation of the default content or, when the
// start tag does not end its line or the default is empty, the white space
// before the start tag. A default that is not replaced is printed as it stands.
//
// Where the specification is silent: everything in a parent but its direct
// blocks is ignored; a partial sees the same block arguments as a parent
// without blocks would; a block inside a block argument is a parameter of the
// template in which it is written, not of the one that it is passed to.
//
// # Bounds
//
// Every loop and every recursion of the engine is bounded: nesting while
// parsing, and output, steps, sections, depth and number of partials while
// rendering. The context is looked at every 1,024 steps.
package mustache
