// Package redis shares a cache, a directory of keys and rate limits between the instances of the service, over Redis 6
// or later and the client redis/rueidis.
//
// Redis is never needed: Open does not wait for it, every call has an answer without it, and none waits for it longer
// than opTimeout. One circuit says whether it is there. An error of the connection or a time-out opens the circuit,
// and from then on nothing touches Redis but a probe in the background, which closes the circuit when Redis answers.
//
// All commands go over one connection to each server, which rueidis pipelines. That is not only cheap: the cache and
// the directory are read from a copy in this process, which Redis keeps right by pushing invalidations over that same
// connection, and what comes over one connection comes in order. The order is what makes a change show at once here;
// see sharedCache.
//
// A user of Redis' access lists needs the keys of the namespace and of the directory, and the commands HELLO, CLIENT,
// SELECT, PING, EXISTS, MULTI, EXEC, PTTL, GET, SET, DEL, HMGET, EVAL, EVALSHA, TIME, HGETALL, HSET, HDEL and PEXPIRE.
//
// The server should evict keys when its memory is full (any of its policies will do): nothing here needs a key to
// stay. A server that refuses writes instead makes the cache idle and each instance keep limits for itself.
package redis
