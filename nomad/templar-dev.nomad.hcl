# Templar on a laptop: the binary itself (raw_exec, no containers) under `nomad agent -dev`, with the embedded database
# in a folder. It rolls like the real job: the next version starts beside the present one, which leaves only when the new
# one is ready.

variable "binary" {
  type        = string
  description = "The program, as `task build` makes it; an absolute path."
}

variable "data" {
  type        = string
  description = "The folder of the embedded database; an absolute path."
  default     = "/var/tmp/templar"
}

variable "database_url" {
  type        = string
  description = "postgres://user:password@host:5432/name in the place of the embedded database."
  default     = ""
}

variable "redis_host" {
  type        = string
  description = "host or host:port of a Redis; none: caches and limits in each process."
  default     = ""
}

variable "secret_key" {
  type        = string
  description = "Signs cursors. Here it is no secret: it stands in the job."
  default     = "only-for-this-laptop"
}

variable "api_tokens" {
  type        = string
  description = "Bearer tokens; none: the first start prints an API key, see `nomad alloc logs`."
  default     = ""
}

variable "count" {
  type        = number
  description = "How many instances run."
  default     = 1
}

variable "rate_limit" {
  type        = number
  description = "Requests a minute and user; 0 is no limit."
  default     = 100
}

variable "release" {
  type        = string
  description = "Any text; changing it rolls the instances over, as a new binary under the same path does not by itself."
  default     = "1"
}

job "templar-dev" {
  type        = "service"
  datacenters = ["*"]

  update {
    max_parallel      = 1
    canary            = 1
    health_check      = "checks"
    min_healthy_time  = "3s"
    healthy_deadline  = "1m"
    progress_deadline = "2m"
    auto_revert       = true
    auto_promote      = true
  }

  meta {
    release = var.release
  }

  group "templar" {
    count = var.count

    network {
      port "http" {}
    }

    restart {
      attempts = 3
      interval = "1m"
      delay    = "1s"
      mode     = "fail"
    }

    reschedule {
      delay          = "5s"
      delay_function = "constant"
      unlimited      = true
    }

    task "migrate" {
      driver = "raw_exec"

      lifecycle {
        hook    = "prestart"
        sidecar = false
      }

      config {
        command = var.binary
        args    = ["migrate", "apply"]
      }

      env {
        DATABASE_URL = var.database_url != "" ? var.database_url : "sqlite:${var.data}/templar.db"
        DB_ENGINE    = var.database_url != "" ? "pg" : "sqlite"
        SECRET_KEY   = var.secret_key
      }

      resources {
        cpu    = 100
        memory = 128
      }
    }

    task "templar" {
      driver         = "raw_exec"
      shutdown_delay = "2s"
      kill_signal    = "SIGTERM"
      kill_timeout   = "20s"

      config {
        command = var.binary
        args    = ["serve"]
      }

      env {
        DATABASE_URL       = var.database_url != "" ? var.database_url : "sqlite:${var.data}/templar.db"
        DB_ENGINE          = var.database_url != "" ? "pg" : "sqlite"
        DB_MIGRATE         = "off"
        REDIS_HOST         = var.redis_host
        SECRET_KEY         = var.secret_key
        API_TOKENS         = var.api_tokens
        HTTP_HOST          = "${NOMAD_IP_http}"
        HTTP_PORT          = "${NOMAD_PORT_http}"
        PROMETHEUS_ENABLED = "True"
        DEFAULT_RATE_LIMIT = "${var.rate_limit}"
        FLASK_ENV          = "development"

        # Without Redis, two instances beside each other tell each other nothing: what one has cached ends soon.
        CACHE_TTL = var.redis_host != "" ? "30s" : "200ms"
      }

      service {
        name     = "templar-dev"
        provider = "nomad"
        port     = "http"

        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "1s"
          timeout  = "1s"
        }

        check {
          name     = "live"
          type     = "http"
          path     = "/livez"
          interval = "5s"
          timeout  = "3s"

          check_restart {
            limit = 3
            grace = "10s"
          }
        }
      }

      resources {
        cpu    = 200
        memory = 256
      }
    }
  }
}
