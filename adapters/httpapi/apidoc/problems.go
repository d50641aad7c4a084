package apidoc

// Problem explains one type of problem document (RFC 9457).
type Problem struct {
	// Slug is the last part of the type's path.
	Slug string
	// Title is the problem document's title: the same for every problem of the type.
	Title string
	// Status is the HTTP status that it comes with.
	Status int
	// Meaning tells what went wrong, Remedy what the caller can do about it.
	Meaning string
	Remedy  string
}

// Type is the problem document's type: the path of the page that explains it.
func (p Problem) Type() string { return "/problems/" + p.Slug }

// Problems lists every problem type, by status. The caller owns the slice.
func Problems() []Problem { return append([]Problem(nil), problems...) }

// ProblemBySlug gives the problem type of that slug; false when there is none.
func ProblemBySlug(slug string) (Problem, bool) {
	p, ok := problemsBySlug[slug]
	return p, ok
}

var problemsBySlug = func() map[string]Problem {
	bySlug := make(map[string]Problem, len(problems))
	for _, p := range problems {
		bySlug[p.Slug] = p
	}
	return bySlug
}()

var problems = []Problem{
	{
		Slug: "malformed-request", Status: 400, Title: "The request cannot be understood",
		Meaning: "The service could not make sense of the request: the body is not one JSON object in UTF-8 or names a field twice, a query value or a header has the wrong form, an id is no UUID, a cursor was changed or belongs to another list, or two credentials were sent at once. Nothing was done.",
		Remedy:  "Read the detail, correct the request and send it again. For a bad cursor start the list again without one.",
	},
	{
		Slug: "unauthenticated", Status: 401, Title: "A good credential is needed",
		Meaning: "The request has no credential, or one that the service does not know, that was revoked or that has expired.",
		Remedy:  "Send an API key as X-API-KEY, or a token as Authorization: Bearer. If the key has expired or was revoked, ask an operator for another.",
	},
	{
		Slug: "forbidden", Status: 403, Title: "The credential may not do this",
		Meaning: "The service knows who calls, but the credential lacks the scope that the request needs. The detail names it.",
		Remedy:  "Use a credential that holds the scope. GET /v1/whoami tells what a credential holds.",
	},
	{
		Slug: "not-found", Status: 404, Title: "Not found",
		Meaning: "There is nothing at this path: no such route, or no such object, revision or label. A template in the trash counts as not there.",
		Remedy:  "Check the path and the id. A template from the trash is listed by GET /v1/templates?deleted=true and can be brought back by undelete.",
	},
	{
		Slug: "method-not-allowed", Status: 405, Title: "The path does not have this method",
		Meaning: "The path exists, but not with the method of the request.",
		Remedy:  "Use one of the methods that the Allow header names.",
	},
	{
		Slug: "conflict", Status: 409, Title: "It clashes with what is stored or running",
		Meaning: "The request clashes with something else: the id that was chosen is taken (maybe by a template in the trash), a template to undelete is not in the trash, others change the same object at this moment, or an earlier request with the same Idempotency-Key is still running.",
		Remedy:  "For a taken id choose another, or leave the choice to the service. For a request that is still running, or where there is a Retry-After header, try again after a moment.",
	},
	{
		Slug: "precondition-failed", Status: 412, Title: "The precondition does not hold",
		Meaning: "The request was only to be done if the object was at a certain revision (If-Match), or did not exist (If-None-Match: *), and that is not so: somebody else was faster. Nothing was changed.",
		Remedy:  "Read the object again, look at what is different now, and repeat the change with the new ETag if it is still wanted.",
	},
	{
		Slug: "too-large", Status: 413, Title: "The request is too large",
		Meaning: "The body is larger than the service takes. It was not read to its end.",
		Remedy:  "Send less. The limit of a template's content is set by the operator in CONTENT_MAX_BYTES.",
	},
	{
		Slug: "unsupported-media-type", Status: 415, Title: "The media type is not understood",
		Meaning: "The Content-Type of the body is missing, or is not one that this operation reads.",
		Remedy:  "Send JSON with Content-Type: application/json. A PATCH takes application/merge-patch+json as well, an import application/x-ndjson.",
	},
	{
		Slug: "invalid", Status: 422, Title: "A rule is broken",
		Meaning: "The request could be read, but its values break a rule: an unknown field, a wrong type, a text that is too long, content that does not parse, a rendering that lacks data or goes past a bound, or an Idempotency-Key that was used for another request. Nothing was changed.",
		Remedy:  "The list errors names every broken rule, with a JSON pointer to where it is in the body; for a rendering, missing lists the names that the data lacks. Correct them and send the request again.",
	},
	{
		Slug: "rate-limited", Status: 429, Title: "Too many requests",
		Meaning: "The user has made all the requests that its limit allows for now, or too many requests with a bad credential came from this address. All keys of one user count together.",
		Remedy:  "Wait for as many seconds as Retry-After says. The RateLimit header of every answer tells how much is left.",
	},
	{
		Slug: "headers-too-large", Status: 431, Title: "The headers are too large",
		Meaning: "The request has too many headers, or they are too long together.",
		Remedy:  "Send fewer or shorter headers; the address counts with them, so a long query can be the reason.",
	},
	{
		Slug: "internal", Status: 500, Title: "The service failed",
		Meaning: "Something went wrong inside the service that it did not expect. It is not the fault of the request.",
		Remedy:  "Try again later. If it stays, tell the operator the request id that stands in instance: the log has the reason under it.",
	},
	{
		Slug: "unavailable", Status: 503, Title: "A needed dependency is down",
		Meaning: "The database, or whatever else the request needs, cannot be reached, is full or took too long. A write that was answered so may have happened or not.",
		Remedy:  "Try again after as many seconds as Retry-After says. Send a write with If-Match or an Idempotency-Key, so that a repeat cannot be done twice.",
	},
}
