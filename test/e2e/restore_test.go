package e2e

import "testing"

func TestRestoreWithAKey(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, restoreWithAKey)
}

func restoreWithAKey(t *testing.T, i *service) {
	path := i.do(t, "POST", "/v1/templates", `{"name":"first"}`).want(201).Header.Get("Location")
	i.do(t, "PUT", path, `{"name":"changed"}`).want(200).has("revision", 2)
	restore := func(n string, headers ...header) *answer {
		return i.do(t, "POST", path+"/revisions/"+n+"/restore", nil, headers...)
	}
	key, unchanged := header{"Idempotency-Key", "restore-1"}, header{"Idempotency-Key", "restore-2"}
	restore("1", key, header{"If-Match", `"1"`}).want(412) // uses nothing up
	first := restore("1", key, header{"If-Match", `"2"`}).want(200).has("revision", 3)
	if first.Header.Get("Idempotency-Replayed") != "" {
		t.Error("the first restore says that it is replayed")
	}
	restore("1", unchanged).want(200).has("revision", 3)
	i.do(t, "PUT", path, `{"name":"changed again"}`).want(200).has("revision", 4)
	again := restore("1", key, header{"If-Match", `"2"`}).want(200).headerHas("Idempotency-Replayed", "true").headerHas("ETag", `"3"`)
	if string(again.Body) != string(first.Body) {
		t.Errorf("replayed %s, first was %s", again.Body, first.Body)
	}
	restore("1", unchanged).want(200).headerHas("Idempotency-Replayed", "true").has("revision", 3)
	restore("2", key).want(422)
	restore("1", header{"Idempotency-Key", "a b"}).want(400)
	i.do(t, "GET", path, nil).want(200).has("revision", 4).has("name", "changed again")
}
