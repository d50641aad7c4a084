// Package apidoc is what Templar tells about its own HTTP interface: the OpenAPI document, a page to try it, the pages
// behind the types of problem documents, and the landing page. All of it is embedded; nothing is loaded from elsewhere.
//
// docs/ holds files of swagger-ui-dist 5.35.0 (Apache-2.0), unchanged but for the compression of the two big ones
// (gzip -9 -n). To take another version, replace them together with their licence files and the digests in the test.
package apidoc

import (
	_ "embed"
	"sync"
)

//go:embed openapi.yaml
var document []byte

// YAML is the OpenAPI 3.1 document as it was written. Nobody may modify it.
func YAML() []byte { return document }

// JSON is the same document as JSON, in the same order. Nobody may modify it.
func JSON() []byte { return documentJSON() }

var documentJSON = sync.OnceValue(func() []byte {
	converted, err := yamlToJSON(document)
	if err != nil {
		// The document is part of the program and a test converts it.
		panic("apidoc: " + err.Error())
	}
	return converted
})
