package postgres

import (
	"database/sql"
	"testing"
)

func bringUp(t testing.TB, db *sql.DB) {
	run(t, db, `
create table if not exists templates (tidx serial constraint templates_pk primary key, templateid uuid default gen_random_uuid() not null,
      name varchar default '', description varchar default '', content varchar default '', created timestamp default now(), modified timestamp default now());
alter table templates add syntax varchar not null default 'mustache', add revision bigint not null default 1, add author varchar not null default '', add deleted timestamp;
create unique index templates_templateid_key on templates(templateid);
create index templates_living_created on templates (COALESCE("created", '1970-01-01 00:00:00'::timestamp), templateid) where deleted is null;
create index templates_living_modified on templates (COALESCE("modified", '1970-01-01 00:00:00'::timestamp), templateid) where deleted is null;
create index templates_living_name on templates ((left(COALESCE("name", ''), 200)) COLLATE "C", templateid) where deleted is null;
create index templates_trash_created on templates (COALESCE("created", '1970-01-01 00:00:00'::timestamp), templateid) where deleted is not null;
create index templates_trash_modified on templates (COALESCE("modified", '1970-01-01 00:00:00'::timestamp), templateid) where deleted is not null;
create index templates_trash_name on templates ((left(COALESCE("name", ''), 200)) COLLATE "C", templateid) where deleted is not null;
create function templar_words(text) returns text[] language sql immutable parallel safe as $$
  select coalesce(array_agg(distinct p), '{}') from (select substr(w[1], i, 255) p from regexp_matches(lower($1), '[[:alnum:]]+', 'g') w, generate_series(1, length(w[1]), 255) i) x $$;
create index templates_words on templates using gin (templar_words(COALESCE("name", '') || ' ' || COALESCE("description", '') || ' ' || COALESCE("content", '')));
create table template_revisions (templateid uuid, revision bigint, name varchar, description varchar, content varchar, syntax varchar not null default 'mustache', author varchar not null default '', modified timestamp, primary key (templateid, revision));
create table api_keys (keyid uuid primary key, username text not null, scopes text not null default '', expires timestamp, rate integer, secret bytea not null unique, former bytea, former_until timestamp, created timestamp not null default now());
create unique index api_keys_former_key on api_keys(former) where former is not null;
create table idempotency_keys (username text, idempotency_key text, fingerprint bytea not null, templateid uuid not null, revision bigint not null default 1, expires timestamp not null, primary key (username, idempotency_key));
create index idempotency_keys_expires on idempotency_keys(expires);
`)
}
