package app

import (
	"context"
	"crypto/tls"
	"time"

	"bitbucket.org/templar/templar/adapters/redis"
	"bitbucket.org/templar/templar/config"
)

func redisConfig(c *config.Config, observe func(context.Context, string, time.Duration, error), onState func(bool, error)) redis.Config {
	r := redis.Config{
		Mode: redis.Mode(c.Redis.Mode), Addrs: c.Redis.Addresses, Username: c.Redis.User, Password: c.Redis.Password.Reveal(),
		DB: c.Redis.DB, Master: c.Redis.Master, MaxConn: c.Redis.MaxConn, CacheBytes: int(c.Cache.MaxBytes),
		Observe: observe, OnState: onState,
	}
	if c.Redis.TLS {
		r.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return r
}
