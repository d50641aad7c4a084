package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/ports"
)

// Mode is how the servers are arranged.
type Mode string

// The arrangements that exist.
const (
	Single   Mode = "single"
	Cluster  Mode = "cluster"
	Sentinel Mode = "sentinel"
)

const (
	// opTimeout bounds one command, the making of a connection included.
	opTimeout = 500 * time.Millisecond
	// pingGap is how often rueidis looks whether a connection lives that brought no answer since. One that swallows
	// everything is closed after 2*pingGap+opTimeout at the latest, and the copies kept under it are dropped.
	pingGap = 500 * time.Millisecond
	// maxInFlight bounds the commands under way, but for reads through the copy, which ask once for each key however
	// many want it. A connection has room for 2^ringScale of both together; one more would wait for room, at most until
	// a connection that swallows everything is closed.
	maxInFlight = 512
	ringScale   = 11
	// ioBuffer is the size of each connection's read buffer and of its write buffer, in bytes.
	ioBuffer = 64 << 10
	// defaultCacheBytes is Config.CacheBytes when it is not set.
	defaultCacheBytes = 64 << 20
	// topologyRefresh is how often Sentinels are asked for the master, and a cluster for its slots, beside what they
	// tell by themselves.
	topologyRefresh = 5 * time.Second
)

// Config is what a Client is made of.
type Config struct {
	// Mode is the arrangement; "" is Single.
	Mode Mode
	// Addrs are host:port of the server, of some nodes of the Cluster, or of the Sentinels. Single uses the first.
	Addrs []string
	// Username and Password are sent when Password is not empty. Sentinels get them only when they ask.
	Username, Password string
	// DB is the number of the database; a Cluster has only 0.
	DB int
	// Master is the name that the Sentinels know the master by.
	Master string
	// TLS is used for all connections; nil for none.
	TLS *tls.Config
	// MaxConn bounds the connections to one server; 0 is 100. One is used, whatever the load.
	MaxConn int
	// CacheBytes bounds what the process keeps of what it read; 0 is 64 MiB. In a Cluster it is split over as many
	// nodes as Addrs has, at least three.
	CacheBytes int
	// Namespace starts every key but the directory's hash; "" is "templar:".
	Namespace string
	// Observe is told of every trip to the server: get, hold, drop, lease, keep, hmget, take, peek, ping, probe. A read
	// that needed no trip is not told. The context has the values of the call that the trip was made for, and none for a
	// trip that nobody asked for. nil for nobody.
	Observe func(ctx context.Context, command string, d time.Duration, err error)
	// OnState is told when the server went away, with the cause, or came back. It is called from one goroutine, the
	// first time after the first attempt. nil for nobody.
	OnState func(up bool, err error)
}

// check refuses what cannot work with any server.
func (c Config) check() error {
	switch c.Mode {
	case Single, Cluster, Sentinel:
	default:
		return fmt.Errorf("redis: unknown mode %q: single, cluster and sentinel exist", c.Mode)
	}
	if len(c.Addrs) == 0 {
		return errors.New("redis: no address")
	}
	if c.Mode == Cluster && c.DB != 0 {
		return fmt.Errorf("redis: a cluster has only database 0, not %d", c.DB)
	}
	if c.Mode == Sentinel && c.Master == "" {
		return errors.New("redis: sentinels need the name of the master")
	}
	if c.DB < 0 || c.MaxConn < 0 || c.CacheBytes < 0 {
		return errors.New("redis: database, connections and cache size must not be negative")
	}
	return nil
}

// options are rueidis' words for the configuration.
func (c Config) options(sentinelAuth bool, invalidated func([]rueidis.RedisMessage)) rueidis.ClientOption {
	o := rueidis.ClientOption{
		InitAddress: c.Addrs,
		TLSConfig:   c.TLS,
		Username:    c.Username,
		Password:    c.Password,
		SelectDB:    c.DB,
		ClientName:  "templar",
		Dialer:      net.Dialer{Timeout: opTimeout, KeepAlive: pingGap},

		ConnWriteTimeout:    opTimeout,
		RingScaleEachConn:   ringScale,
		ReadBufferEachConn:  ioBuffer,
		WriteBufferEachConn: ioBuffer,
		BlockingPoolSize:    c.MaxConn,
		CacheSizeEachConn:   c.copyBytes(),
		// One connection: with more, rueidis sends plain commands over any of them, and the order is lost that
		// sharedCache relies on.
		PipelineMultiplex: -1,
		// A connection that is read all the time takes invalidations as they come, and a command that is given up
		// does not end it.
		AlwaysPipelining: true,
		// The circuit decides when to try again.
		DisableRetry:    true,
		OnInvalidations: invalidated,
	}
	switch c.Mode {
	case Single:
		o.InitAddress = c.Addrs[:1]
		o.ForceSingleClient = true
	case Cluster:
		o.CacheSizeEachConn = c.copyBytes() / max(3, len(c.Addrs))
		o.ClusterOption = rueidis.ClusterOption{ShardsRefreshInterval: topologyRefresh, MaxMovedRedirections: 5}
	case Sentinel:
		o.Sentinel = rueidis.SentinelOption{
			MasterSet: c.Master, Dialer: o.Dialer, TLSConfig: c.TLS, TopologyRefreshInterval: topologyRefresh,
		}
		if sentinelAuth {
			o.Sentinel.Username, o.Sentinel.Password = c.Username, c.Password
		}
	}
	return o
}

// recallBytes is the part of CacheBytes that the Cache recalls values from by itself.
func (c Config) recallBytes() int { return c.CacheBytes / 4 * 3 }

// copyBytes is the part of CacheBytes for rueidis' copy of what it read.
func (c Config) copyBytes() int { return c.CacheBytes - c.recallBytes() }

// Client is the connection to Redis that the Cache, the Directory and the Limiter share. It is safe for concurrent use.
type Client struct {
	config Config
	rdb    atomic.Pointer[rueidis.Client] // nil until the first connection was made
	up     atomic.Bool
	outage atomic.Pointer[outage] // the last one
	inUse  chan struct{}          // one place for each command under way
	// followers are told of changed keys; they are only ever added.
	followers atomic.Pointer[[]follower]

	wake    chan struct{}
	closing chan struct{}
	once    sync.Once
	workers sync.WaitGroup
}

var _ ports.Probe = (*Client)(nil)

// Open makes a Client. It waits at most opTimeout for a first connection and comes back without one, too: the Client
// connects in the background as soon as it can. An error means that the configuration can never work. The Client must
// be closed.
func Open(config Config) (*Client, error) {
	if config.Mode == "" {
		config.Mode = Single
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	if config.MaxConn == 0 {
		config.MaxConn = 100
	}
	if config.CacheBytes == 0 {
		config.CacheBytes = defaultCacheBytes
	}
	if config.Namespace == "" {
		config.Namespace = "templar:"
	}
	c := &Client{
		config:  config,
		inUse:   make(chan struct{}, maxInFlight),
		wake:    make(chan struct{}, 1),
		closing: make(chan struct{}),
	}
	c.outage.Store(&outage{err: errors.New("no connection was made yet")})
	tried := make(chan struct{})
	c.workers.Go(func() { c.watch(tried) })
	select {
	case <-tried:
	case <-time.After(opTimeout):
	}
	return c, nil
}

// Ping makes one small trip to the server, or tells at once why there is none to be made: an Unavailable fault.
func (c *Client) Ping(ctx context.Context) error {
	rdb := c.ready()
	if rdb == nil {
		return c.unavailable()
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	begun := time.Now()
	err := rdb.Do(ctx, rdb.B().Ping().Build()).Error()
	c.observe(ctx, "ping", begun, err)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "Redis does not answer")
	}
	return nil
}

// closeTimeout bounds how long Close waits for what is under way.
const closeTimeout = 2 * time.Second

// Close ends all connections and goroutines. Whatever is made of the Client goes on as if Redis were away. It may be
// called more than once.
func (c *Client) Close() {
	c.once.Do(func() { close(c.closing) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.workers.Wait()
		if rdb := c.rdb.Swap(nil); rdb != nil {
			(*rdb).Close()
		}
	}()
	select {
	case <-done:
	case <-time.After(closeTimeout):
	}
}

// key makes a key of the namespace.
func (c *Client) key(kind, name string) string {
	return c.config.Namespace + kind + ":" + name
}

func (c *Client) observe(ctx context.Context, command string, begun time.Time, err error) {
	if c.config.Observe == nil {
		return
	}
	if rueidis.IsRedisNil(err) {
		err = nil
	}
	c.config.Observe(ctx, command, time.Since(begun), err)
}

// connect makes the first connection. Sentinels that want a password get it at the second attempt: those that want
// none would refuse it.
func (c *Client) connect() (rueidis.Client, error) {
	rdb, err := rueidis.NewClient(c.config.options(false, c.invalidated))
	if err != nil && c.config.Mode == Sentinel && c.config.Password != "" && strings.Contains(err.Error(), "NOAUTH") {
		rdb, err = rueidis.NewClient(c.config.options(true, c.invalidated))
	}
	if err != nil {
		if rdb != nil {
			rdb.Close()
		}
		return nil, err
	}
	return rdb, nil
}
