package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
)

// What Authenticate refuses with, beside Unavailable faults.
var (
	// ErrMissing is a request without a credential.
	ErrMissing error = fault.New(fault.Unauthenticated, "a credential is needed: X-API-KEY: <uuid>, or Authorization: Bearer <token>")
	// ErrUnknown is a credential that opens nothing.
	ErrUnknown error = fault.New(fault.Unauthenticated, "the credential is not known")
	// ErrExpired is a credential that was good once.
	ErrExpired error = fault.New(fault.Unauthenticated, "the credential has expired")
)

// TokenUser is the user that API tokens act under.
const TokenUser = "token"

// storedFor is how long a key found in the KeyStore is believed without asking again. With the time that one look-up
// takes it keeps a revocation well within the 2 seconds that are promised.
const storedFor = time.Second

// Config is what a Service is made of.
type Config struct {
	// Keys keeps Templar's own keys. Required.
	Keys KeyStore
	// Directory is looked up beside them; nil for none.
	Directory Directory
	// Tokens are bearer tokens that hold every scope.
	Tokens []string
	// Grace is how long a key that was seen valid goes on while where it came from cannot be asked.
	Grace time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// NewID makes public key ids; nil means random UUIDs.
	NewID func() uuid.UUID
	// NewSecret makes secrets; nil means random version 4 UUIDs. It must not be guessable.
	NewSecret func() string
}

// Service holds the rules of credentials. It is safe for concurrent use.
type Service struct {
	keys      KeyStore
	directory Directory
	tokens    [][sha256.Size]byte
	grace     time.Duration
	now       func() time.Time
	newID     func() uuid.UUID
	newSecret func() string
	seen      *sightings
}

// NewService makes a Service. It panics without a KeyStore, which is a bug of the caller.
func NewService(c Config) *Service {
	if c.Keys == nil {
		panic("auth: no KeyStore")
	}
	s := &Service{keys: c.Keys, directory: c.Directory, grace: c.Grace, now: c.Now, newID: c.NewID,
		newSecret: c.NewSecret, seen: newSightings()}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = uuid.New
	}
	if s.newSecret == nil {
		s.newSecret = uuid.NewString
	}
	for _, token := range c.Tokens {
		s.tokens = append(s.tokens, sha256.Sum256([]byte(token)))
	}
	return s
}

// AuthenticateKey tells whom an API key belongs to: the Principal is shared and must not be modified. It refuses
// with ErrMissing, ErrUnknown, ErrExpired or an Unavailable fault when nobody who might know the key can be asked.
func (s *Service) AuthenticateKey(ctx context.Context, secret string) (*Principal, error) {
	if secret == "" {
		return nil, ErrMissing
	}
	secret = strings.ToLower(secret)
	now := s.now()
	last := s.seen.get(secret)
	if last != nil && last.stored && now.Sub(last.checkedAt()) < storedFor {
		return last.admit(now)
	}
	var digest Digest
	var fields []string
	if last != nil {
		digest, fields = last.digest, last.fields
	} else {
		if !isSecret(secret) {
			return nil, ErrUnknown
		}
		digest = DigestOf(secret)
		fields = []string{secret, "sha256:" + digest.Hex(), strings.ToUpper(secret)}
	}

	var directoryErr error
	if s.directory != nil {
		value, found, err := s.directory.Lookup(ctx, fields...)
		if err == nil && found {
			return s.admitEntry(secret, digest, fields, last, value, now)
		}
		directoryErr = err
	}

	key, err := s.keys.Find(ctx, digest)
	switch {
	case err == nil:
		seen := sightingOfKey(key, digest)
		seen.digest, seen.fields = digest, fields
		return s.seen.put(secret, seen, now).admit(now)
	case fault.Is(err, fault.NotFound) && directoryErr == nil:
		s.seen.drop(secret)
		return nil, ErrUnknown
	case last != nil && now.Sub(last.checkedAt()) < s.grace &&
		(last.stored && !fault.Is(err, fault.NotFound) || !last.stored && directoryErr != nil):
		// Whoever vouched for this key cannot be asked now.
		return last.admit(now)
	case fault.Is(err, fault.NotFound):
		return nil, fault.Wrap(fault.Unavailable, directoryErr, "the key cannot be checked now: the directory of keys is away")
	default:
		return nil, fault.Wrap(fault.Unavailable, err, "the key cannot be checked now: the database is away")
	}
}

// admitEntry takes the directory's word for a key, reading its value only when it is not the one read last.
func (s *Service) admitEntry(secret string, digest Digest, fields []string, last *sighting, value string, now time.Time) (*Principal, error) {
	if last != nil && !last.stored && last.value == value {
		last.checked.Store(now.UnixNano())
		return last.admit(now)
	}
	principal, ok := parseEntry(value)
	if !ok {
		s.seen.drop(secret)
		return nil, ErrUnknown
	}
	seen := &sighting{principal: principal, ends: principal.Expires, value: value, digest: digest, fields: fields}
	return s.seen.put(secret, seen, now).admit(now)
}

// AuthenticateBearer tells whom a bearer token belongs to: an API token, else an API key. It refuses as
// AuthenticateKey does.
func (s *Service) AuthenticateBearer(ctx context.Context, token string) (*Principal, error) {
	if token == "" {
		return nil, ErrMissing
	}
	digest, match := sha256.Sum256([]byte(token)), 0
	for i := range s.tokens {
		match |= subtle.ConstantTimeCompare(digest[:], s.tokens[i][:])
	}
	if match == 1 {
		return tokenPrincipal, nil
	}
	return s.AuthenticateKey(ctx, token)
}

var tokenPrincipal = &Principal{User: TokenUser, Scopes: AllScopes(), Rate: DefaultRate}

// Create makes a key and answers it with its secret, which is told this once. Needs keys:admin.
// A caller cannot give a right that it does not hold: Forbidden. Invalid names what breaks a rule.
func (s *Service) Create(ctx context.Context, n NewKey) (Key, string, error) {
	caller, err := Require(ctx, KeysAdmin)
	if err != nil {
		return Key{}, "", err
	}
	now := s.instant()
	n.User = strings.TrimSpace(n.User)
	if broken := n.check(now); broken != nil {
		return Key{}, "", fault.Violations(broken)
	}
	for _, scope := range n.Scopes {
		if !caller.May(scope) {
			return Key{}, "", fault.New(fault.Forbidden, "the scope %s can only be given by a credential that holds it", scope)
		}
	}
	secret := s.newSecret()
	k := Key{ID: s.newID(), User: n.User, Scopes: normalScopes(n.Scopes), Rate: n.Rate, Secret: DigestOf(secret), Created: now}
	if !n.Expires.IsZero() {
		k.Expires = n.Expires.UTC().Truncate(time.Microsecond)
	}
	if err := s.keys.Add(ctx, k); err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// List answers up to limit keys with ids after the given one, uuid.Nil for the first page. Needs keys:admin.
func (s *Service) List(ctx context.Context, after uuid.UUID, limit int) ([]Key, error) {
	if _, err := Require(ctx, KeysAdmin); err != nil {
		return nil, err
	}
	return s.keys.List(ctx, after, limit)
}

// Revoke ends a key for good: at once here, within 2 seconds on every other instance. Needs keys:admin; NotFound.
func (s *Service) Revoke(ctx context.Context, id uuid.UUID) error {
	if _, err := Require(ctx, KeysAdmin); err != nil {
		return err
	}
	err := s.keys.Remove(ctx, id)
	s.seen.forgetStored()
	return err
}

// MaxRotationGrace bounds how long a rotated secret may stay good.
const MaxRotationGrace = 30 * 24 * time.Hour

// Rotate gives a key a new secret, told this once; the old one stays good for grace. Needs keys:admin; NotFound,
// Conflict when another rotation came first, Invalid for a grace below 0 or above MaxRotationGrace.
func (s *Service) Rotate(ctx context.Context, id uuid.UUID, grace time.Duration) (Key, string, error) {
	if _, err := Require(ctx, KeysAdmin); err != nil {
		return Key{}, "", err
	}
	if grace < 0 || grace > MaxRotationGrace {
		return Key{}, "", fault.InvalidAt("/grace", "must be 0 to %d seconds", int(MaxRotationGrace.Seconds()))
	}
	k, err := s.keys.Get(ctx, id)
	if err != nil {
		return Key{}, "", err
	}
	secret, was := s.newSecret(), k.Secret
	k.Secret, k.Former, k.FormerUntil = DigestOf(secret), Digest{}, time.Time{}
	if grace > 0 {
		k.Former, k.FormerUntil = was, s.instant().Add(grace)
	}
	err = s.keys.Rotate(ctx, k, was)
	s.seen.forgetStored()
	if err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// instant is the time as it is stored: UTC, whole microseconds.
func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
