package httpapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
)

// smallBody bounds bodies that hold a few short fields, in bytes.
const smallBody = 64 << 10

// keyHandlers serve /v1/keys and /v1/whoami.
type keyHandlers struct {
	service     *auth.Service
	sealer      *page.Sealer
	defaultRate int
}

func (h *keyHandlers) routes(r *routes) {
	r.handle(http.MethodGet, "/v1/whoami", h.whoami)
	r.handle(http.MethodPost, "/v1/keys", h.create)
	r.handle(http.MethodGet, "/v1/keys", h.list)
	r.handle(http.MethodDelete, "/v1/keys/:keyid", h.revoke)
	r.handle(http.MethodPost, "/v1/keys/:keyid/rotate", h.rotate)
}

// keyObject is a key as the API shows it.
type keyObject struct {
	KeyID uuid.UUID `json:"keyid"`
	// Key is the secret, shown only when it was just made.
	Key     string       `json:"key,omitempty"`
	User    string       `json:"user"`
	Scopes  []auth.Scope `json:"scopes"`
	Expires *string      `json:"expires"`
	Rate    *int         `json:"rate"`
	Created *string      `json:"created"`
}

func showKey(k auth.Key, secret string) keyObject {
	o := keyObject{KeyID: k.ID, Key: secret, User: k.User, Scopes: k.Scopes, Expires: showTime(k.Expires), Created: showTime(k.Created)}
	if o.Scopes == nil {
		o.Scopes = []auth.Scope{}
	}
	if k.Rate != auth.DefaultRate {
		o.Rate = &k.Rate
	}
	return o
}

func showTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(timeLayout)
	return &text
}

func (h *keyHandlers) whoami(c echo.Context) error {
	caller := auth.From(c.Request().Context())
	rate := caller.Rate
	if rate == auth.DefaultRate {
		rate = h.defaultRate
	}
	scopes := caller.Scopes
	if scopes == nil {
		scopes = []auth.Scope{}
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, struct {
		User      string       `json:"user"`
		Scopes    []auth.Scope `json:"scopes"`
		Expires   *string      `json:"expires"`
		RateLimit int          `json:"rate_limit"`
	}{caller.User, scopes, showTime(caller.Expires), rate})
}

func (h *keyHandlers) create(c echo.Context) error {
	o, _, err := readObject(c, smallBody, false, mediaJSON)
	if err != nil {
		return err
	}
	n := auth.NewKey{User: o.text("user"), Expires: o.moment("expires"), Rate: o.integer("rate", auth.DefaultRate, 0, auth.MaxRate)}
	for _, scope := range o.texts("scopes") {
		n.Scopes = append(n.Scopes, auth.Scope(scope))
	}
	if err = o.done(); err != nil {
		return err
	}
	k, secret, err := h.service.Create(c.Request().Context(), n)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/v1/keys/"+k.ID.String())
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusCreated, showKey(k, secret))
}

func (h *keyHandlers) list(c echo.Context) error {
	q, err := readQuery(c, "limit", "cursor")
	if err != nil {
		return err
	}
	asked, cursor := q.integer("limit"), q.word("cursor")
	if q.err != nil {
		return q.err
	}
	limit, err := page.Limit(asked)
	if err != nil {
		return err
	}
	var after uuid.UUID
	if cursor != "" {
		position, err := h.sealer.Open("keys", cursor)
		if err != nil {
			return err
		}
		copy(after[:], position)
	}
	keys, err := h.service.List(c.Request().Context(), after, limit+1)
	if err != nil {
		return err
	}
	answer := struct {
		Items []keyObject `json:"items"`
		Next  string      `json:"next,omitempty"`
	}{Items: []keyObject{}}
	if len(keys) > limit {
		keys = keys[:limit]
		answer.Next = h.sealer.Seal("keys", keys[limit-1].ID[:])
		linkNext(c, answer.Next)
	}
	for _, k := range keys {
		answer.Items = append(answer.Items, showKey(k, ""))
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, answer)
}

func keyID(c echo.Context) (uuid.UUID, error) {
	if text := c.Param("keyid"); len(text) == 36 {
		if id, err := uuid.Parse(text); err == nil {
			return id, nil
		}
	}
	return uuid.UUID{}, fault.New(fault.Malformed, "the keyid is no UUID")
}

func (h *keyHandlers) revoke(c echo.Context) error {
	id, err := keyID(c)
	if err != nil {
		return err
	}
	if err = h.service.Revoke(c.Request().Context(), id); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *keyHandlers) rotate(c echo.Context) error {
	id, err := keyID(c)
	if err != nil {
		return err
	}
	o, _, err := readObject(c, smallBody, true, mediaJSON)
	if err != nil {
		return err
	}
	seconds := o.integer("grace", 0, 0, int(auth.MaxRotationGrace.Seconds()))
	if err = o.done(); err != nil {
		return err
	}
	k, secret, err := h.service.Rotate(c.Request().Context(), id, time.Duration(seconds)*time.Second)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, showKey(k, secret))
}
