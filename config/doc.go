// Package config turns flags, environment, `.env` and defaults into one typed [Config].
//
// Every variable stands once, in one table: its name, default, meaning, whether it is a secret, and how its text becomes a
// typed value. Flags, the `.env` reader, `templar config` and `.env.example` follow that table. viper is used here and
// nowhere else.
//
// # Which source wins
//
// For one variable: the flag, else the environment, else `.env`, else the default. The flag of a variable is its name in
// lower case with dashes (HTTP_PORT is --http-port).
//
//   - An empty value in the environment or in `.env` counts as unset. An empty flag (--redis-host=) counts as unset too, and
//     hides the environment and `.env`, so that a flag can switch off what a file switches on.
//   - HTTP_HOST falls back to FLASK_HOST, and HTTP_PORT to FLASK_PORT, then to GUNIPORT, then to its default. The name
//     decides before the source does: an HTTP_PORT from `.env` beats a FLASK_PORT from a flag, because whoever writes the
//     newer name means Templar and whoever writes the older one may mean another program.
//   - DATABASE_URL beats DB_USER, DB_PASS, DB_HOST, DB_PORT and DB_NAME from every source. DB_SSLMODE fills in when the URL
//     has no sslmode. The URL's scheme selects the engine when DB_ENGINE is unset.
//
// # Values that cannot be right
//
// [Load] checks every value that was given, also of variables that the rest of the configuration does not use, and reports
// all that is wrong at once in one [InvalidError]. What is only doubtful becomes a line in [Config.Warnings].
//
// Secrets are of the type [Secret], which no formatting verb, marshaller or logger prints.
package config
