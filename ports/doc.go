// Package ports declares the ports whose signatures need no domain type. It imports nothing of the project.
//
// Every port of the project, and who implements it:
//
//	port                       is for                                   implemented by
//	core/template.Store        templates, revisions, receipts           adapters/postgres, adapters/sqlite, adapters/memory, adapters/harper
//	core/template.History      revisions, labels, names                 those of Store
//	core/template.Archive      export, import, purge                    those of Store
//	core/template.Trees        parsed templates within a budget         adapters/memory
//	core/template.Differ       unified diffs                            adapters/udiff
//	core/template.Codec        a template as its readers are sent it    adapters/httpapi
//	core/character.Store       characters, rolls, receipts              adapters/postgres, adapters/sqlite, adapters/memory, adapters/harper
//	core/auth.KeyStore         the keys that Templar made               adapters/postgres, adapters/sqlite, adapters/memory, adapters/harper
//	core/auth.Directory        the seed's hash of keys                  adapters/redis, adapters/memory
//	ports.Cache                encoded objects by id, never stale       adapters/redis, adapters/memory; counted by adapters/prometheus
//	ports.Limiter              token buckets                            adapters/redis, adapters/memory
//	ports.Migrator             described tables                         adapters/postgres, adapters/sqlite, adapters/harper
//	ports.Blobs                exports, written once and whole          adapters/file, adapters/s3
//	ports.Probe                is an outside thing there?               adapters/postgres, adapters/sqlite, adapters/redis, adapters/memory, adapters/harper
//	ports.Tracer               where a request spent its time           adapters/otel
//	adapters/httpapi.Meter     what happens to requests                 adapters/prometheus
//
// Both Stores, History, Archive, KeyStore, Directory, Cache, Limiter, Migrator and Blobs have contract suites in test/contract
// that every implementation runs, decorators included.
package ports
