package sqlite

import (
	"database/sql"
	"testing"
)

func bringUp(t testing.TB, db *sql.DB) {
	run(t, db, `
create table templates (tidx integer primary key, templateid uuid not null,
      name varchar default '', description varchar default '', content varchar default '', created timestamp, modified timestamp,
 syntax varchar not null default 'mustache', revision bigint not null default 1, author varchar not null default '', deleted timestamp);
create unique index templates_templateid_key on templates(templateid);
create index templates_living_created on templates (COALESCE("created", '1970-01-01 00:00:00.000000'), templateid) where deleted is null;
create index templates_living_modified on templates (COALESCE("modified", '1970-01-01 00:00:00.000000'), templateid) where deleted is null;
create index templates_living_name on templates (substr(COALESCE("name", ''), 1, 200), templateid) where deleted is null;
create index templates_trash_created on templates (COALESCE("created", '1970-01-01 00:00:00.000000'), templateid) where deleted is not null;
create index templates_trash_modified on templates (COALESCE("modified", '1970-01-01 00:00:00.000000'), templateid) where deleted is not null;
create index templates_trash_name on templates (substr(COALESCE("name", ''), 1, 200), templateid) where deleted is not null;
create virtual table templates_words using fts5(name, description, content, content='templates', content_rowid='tidx', tokenize='unicode61 remove_diacritics 0');
create trigger ti after insert on templates begin insert into templates_words(rowid,name,description,content) values (new.tidx,new.name,new.description,new.content); end;
create trigger td after delete on templates begin insert into templates_words(templates_words,rowid,name,description,content) values ('delete',old.tidx,old.name,old.description,old.content); end;
create trigger tu after update of name, description, content on templates begin insert into templates_words(templates_words,rowid,name,description,content) values ('delete',old.tidx,old.name,old.description,old.content);
insert into templates_words(rowid,name,description,content) values (new.tidx,new.name,new.description,new.content); end;
create table template_revisions (templateid uuid, revision bigint, name varchar, description varchar, content varchar, syntax varchar not null default 'mustache', author varchar not null default '', modified timestamp, primary key (templateid, revision));
create table api_keys (keyid uuid primary key, username text not null, scopes text not null default '', expires timestamp, rate integer, secret blob not null unique, former blob, former_until timestamp, created timestamp not null);
create unique index api_keys_former_key on api_keys(former) where former is not null;
create table idempotency_keys (username text, idempotency_key text, fingerprint blob not null, templateid uuid not null, revision bigint not null default 1, expires timestamp not null, primary key (username, idempotency_key));
create index idempotency_keys_expires on idempotency_keys(expires);
`)
}
