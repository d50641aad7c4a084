package app

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"bitbucket.org/templar/templar/adapters/httpapi"
	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/adapters/redis"
	"bitbucket.org/templar/templar/adapters/udiff"
	"bitbucket.org/templar/templar/config"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/page"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
)

// treeShare is the part of CACHE_MAX_BYTES that parsed templates get beside it.
const treeShare = 4

// seedKeys is the Redis hash of keys that the service before Templar had.
const seedKeys = "sec_apikeys"

// Services are the use cases over the configured database and Redis. What a command changes through them shows on the
// serving instances as if one of them had done it.
type Services struct {
	Config     *config.Config
	Templates  *template.Service
	Characters *character.Service
	Keys       *auth.Service
	Stores     *Stores
	// Limiter counts requests, Sealer signs cursors.
	Limiter ports.Limiter
	Sealer  *page.Sealer
	// Redis is nil where there is none.
	Redis *redis.Client
}

// Observers are told what happens on the way; nil fields are told nothing.
type Observers struct {
	// Query is told every database query, by its name.
	Query func(name string, took time.Duration, err error)
	// Command is told every trip to Redis, with the context of what it was made for.
	Command func(ctx context.Context, command string, took time.Duration, err error)
	// SQL is put around the driver of a database with SQL, whose OpenTelemetry name is system.
	SQL func(system string, inner driver.Connector) driver.Connector
	// Harper is told every trip to Harper, as Command is those to Redis.
	Harper func(ctx context.Context, operation string, took time.Duration, err error)
	// Redis is told when it comes and goes.
	Redis func(up bool, err error)
	// Cache is put around the cache.
	Cache func(ports.Cache) ports.Cache
}

// wrap gives what is put around the driver of that database; nil for nothing.
func (o Observers) wrap(system string) func(driver.Connector) driver.Connector {
	if o.SQL == nil {
		return nil
	}
	return func(inner driver.Connector) driver.Connector { return o.SQL(system, inner) }
}

// OpenServices connects the services. Database and Redis may be away.
func OpenServices(c *config.Config, o Observers) (*Services, error) {
	stores, err := OpenStores(c, o)
	if err != nil {
		return nil, err
	}
	s := &Services{Config: c, Stores: stores}
	if err := s.connect(c, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Services) connect(c *config.Config, o Observers) error {
	secret, err := secretKey(c)
	if err != nil {
		return err
	}
	s.Sealer = page.NewSealer(secret)
	cache, directory, err := s.share(c, o)
	if err != nil {
		return err
	}
	if o.Cache != nil {
		cache = o.Cache(cache)
	}
	s.Keys = auth.NewService(auth.Config{Keys: s.Stores.Keys, Directory: directory, Tokens: reveal(c.Auth.Tokens), Grace: c.Auth.Grace})
	s.Templates = template.NewService(template.Config{
		Store: s.Stores.Templates, Cache: cache, Codec: httpapi.TemplateCodec{}, Sealer: s.Sealer, MaxContent: int(c.Content.MaxBytes),
		Bounds: template.Bounds{MaxBytes: int(c.Render.MaxBytes), Timeout: c.Render.Timeout},
		Trees:  memory.NewTrees(c.Cache.MaxBytes / treeShare), Differ: udiff.Differ{},
	})
	s.Characters = character.NewService(character.Config{Store: s.Stores.Characters, Sealer: s.Sealer})
	return nil
}

// share gives what instances share through Redis, or its counterparts in this process.
func (s *Services) share(c *config.Config, o Observers) (ports.Cache, auth.Directory, error) {
	if !c.Redis.Enabled() {
		s.Limiter = memory.NewLimiter(time.Now)
		return memory.NewCache(c.Cache.TTL, c.Cache.MaxBytes), nil, nil
	}
	client, err := redis.Open(redisConfig(c, o.Command, o.Redis))
	if err != nil {
		return nil, nil, err
	}
	s.Redis = client
	s.Limiter = client.Limiter()
	return client.Cache(c.Cache.TTL), client.Directory(seedKeys), nil
}

func reveal(secrets []config.Secret) []string {
	texts := make([]string, len(secrets))
	for i, s := range secrets {
		texts[i] = s.Reveal()
	}
	return texts
}

// Close lets go of database and Redis.
func (s *Services) Close() error {
	if s.Redis != nil {
		s.Redis.Close()
	}
	return s.Stores.Close()
}
