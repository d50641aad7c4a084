package memory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/adapters/udiff"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
)

// jsonCodec is the least that a Service needs to send templates to its readers.
type jsonCodec struct{}

func (jsonCodec) Encode(t template.Template) []byte {
	body, err := json.Marshal(t)
	if err != nil {
		panic(err) // a Template is text, numbers and times
	}
	return body
}

func (jsonCodec) Decode(body []byte) (t template.Template, err error) {
	return t, json.Unmarshal(body, &t)
}

// A whole service without a server: what an integration test of a program that uses templates needs.
func Example() {
	service := template.NewService(template.Config{
		Store:      memory.NewTemplates(),
		Cache:      memory.NewCache(30*time.Second, 8<<20),
		Codec:      jsonCodec{},
		Sealer:     page.NewSealer("a secret for tests"),
		Differ:     udiff.Differ{},
		MaxContent: 1 << 20,
	})
	ctx := auth.With(context.Background(), &auth.Principal{User: "ann", Scopes: auth.AllScopes()})

	t, _, err := service.Create(ctx, template.Creation{Draft: template.Draft{Name: "Welcome", Content: "Hello {{name}}!"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = service.Patch(ctx, t.ID, template.Patch{Content: template.Change{Present: true, Value: "Hi {{name}}!"}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := service.List(ctx, template.ListRequest{Filter: template.Filter{Words: "hi name"}, WithContent: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range list.Items {
		fmt.Printf("%s, revision %d by %s: %s\n", t.Name, t.Revision, t.Author, t.Content)
	}
	// Output:
	// Welcome, revision 2 by ann: Hi {{name}}!
}
