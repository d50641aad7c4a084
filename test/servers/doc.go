// Package servers gives any Go test a real PostgreSQL and a real Redis.
//
//	func TestStore(t *testing.T) {
//		database := servers.Postgres(t).Database(t)
//		redis := servers.Redis(t)
//		...
//	}
//
// What is missing on the machine is installed (as root, on Debian and its
// relatives), else the test fails with the names of the packages. A missing
// server never skips a test, with one exception that is asked for and printed:
// TEMPLAR_TEST_WITHOUT_SERVERS=1.
//
// [Postgres] is one server for the whole test process, started at first use,
// without fsync; each test has a database of its own in it. [NewPostgres],
// [Redis] and [NewRedis] start a server for one test alone, which that test may
// stop, pause and kill. Redis starts in some 10 ms, so there is no shared one,
// and tests that use fixed key names never meet.
//
// [RedisCluster] and [Patroni] start several at once that watch each other: three masters with a replica each, and
// PostgreSQL nodes of which one takes over when the primary dies. Their nodes are servers like any other, to be killed one
// by one. Patroni runs on Linux only.
//
// Every server listens on a free port of 127.0.0.1 and keeps its files in a
// temporary folder. Nothing outlives the test process, not even one that is
// killed with SIGKILL or ends in a panic while a server is paused: the kernel
// ends a server whose parent died, and a watchdog process ends what the kernel
// cannot and removes the files. A package may call [Main] from its TestMain
// to have everything ended in order instead.
//
// It runs on Linux and macOS. There is no installing on macOS.
package servers
