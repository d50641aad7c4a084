# Templar as a service: three instances in containers, behind whatever balancer reads the service "templar".
# README.md beside this file says how to run, roll, roll back, scale, and what happens when things die.
# Nomad 1.6.2 or later.

variable "image" {
  type        = string
  description = "The image, best by digest: registry/templar@sha256:…"
}

variable "datacenters" {
  type        = list(string)
  description = "Where instances may run."
  default     = ["*"]
}

variable "namespace" {
  type        = string
  description = "The namespace of the job, its service and its secrets."
  default     = "default"
}

variable "count" {
  type        = number
  description = "How many instances run."
  default     = 3
}

variable "count_max" {
  type        = number
  description = "The most instances that scaling may make."
  default     = 12
}

variable "autoscale" {
  type        = bool
  description = "Whether the Nomad Autoscaler, where one runs, may change the count."
  default     = false
}

variable "auto_promote" {
  type        = bool
  description = "Whether a healthy canary is followed by the others without asking."
  default     = true
}

variable "discovery" {
  type        = string
  description = "Where the service is registered: nomad or consul."
  default     = "nomad"

  validation {
    condition     = contains(["nomad", "consul"], var.discovery)
    error_message = "The variable discovery must be nomad or consul."
  }
}

variable "tags" {
  type        = list(string)
  description = "Tags of the service, for the balancer that reads it."
  default = [
    "traefik.enable=true",
    "traefik.http.services.templar.loadbalancer.healthcheck.path=/readyz",
    "traefik.http.services.templar.loadbalancer.healthcheck.interval=1s",
  ]
}

variable "secrets" {
  type        = string
  description = "The Nomad variable whose items become environment variables."
  default     = "nomad/jobs/templar"
}

variable "secrets_revision" {
  type        = string
  description = "Any text; changing it rolls all instances over to the secrets as they are now."
  default     = "1"
}

variable "rate_limit" {
  type        = number
  description = "Requests a minute and user; 0 is no limit."
  default     = 100
}

variable "cpu" {
  type        = number
  description = "MHz of one instance."
  default     = 500
}

variable "memory" {
  type        = number
  description = "MiB of one instance."
  default     = 256
}

job "templar" {
  type        = "service"
  datacenters = var.datacenters
  namespace   = var.namespace

  # Instances stand apart: on other nodes first, and as evenly over the datacenters as there are.
  spread {
    attribute = "${node.unique.id}"
    weight    = 60
  }

  spread {
    attribute = "${node.datacenter}"
    weight    = 40
  }

  update {
    max_parallel      = 1
    canary            = 1
    health_check      = "checks"
    min_healthy_time  = "10s"
    healthy_deadline  = "2m"
    progress_deadline = "10m"
    auto_revert       = true
    auto_promote      = var.auto_promote
  }

  # When a node is drained.
  migrate {
    max_parallel     = 1
    health_check     = "checks"
    min_healthy_time = "10s"
    healthy_deadline = "2m"
  }

  meta {
    secrets_revision = var.secrets_revision
  }

  group "templar" {
    count = var.count

    scaling {
      enabled = var.autoscale
      min     = var.count
      max     = var.count_max

      policy {
        evaluation_interval = "20s"
        cooldown            = "2m"

        check "cpu" {
          source = "nomad-apm"
          query  = "avg_cpu"

          strategy "target-value" {
            target = 60
          }
        }
      }
    }

    network {
      port "http" {
        to = 9000
      }

      port "metrics" {
        to = 9100
      }
    }

    # On the same node first; when that does not help, on another one, for as long as it takes.
    restart {
      attempts = 3
      interval = "5m"
      delay    = "5s"
      mode     = "fail"
    }

    reschedule {
      delay          = "5s"
      delay_function = "exponential"
      max_delay      = "5m"
      unlimited      = true
    }

    # Brings the schema up before the service starts. All instances may do it at once: a lock in the database makes the
    # first do the work, the others find nothing left to do.
    task "migrate" {
      driver = "docker"

      lifecycle {
        hook    = "prestart"
        sidecar = false
      }

      config {
        image           = var.image
        args            = ["migrate", "apply"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
      }

      template {
        destination = "${NOMAD_SECRETS_DIR}/templar.env"
        env         = true
        change_mode = "noop"
        data        = <<-EOT
          {{ with nomadVar "${var.secrets}" }}{{ range .Tuples }}{{ .K }}={{ .V | toJSON }}
          {{ end }}{{ end }}
        EOT
      }

      resources {
        cpu    = 200
        memory = 128
      }
    }

    task "templar" {
      driver = "docker"

      # The instance leaves the service first, goes on answering for shutdown_delay, and gets SIGTERM then; requests still
      # running end within SHUTDOWN_TIMEOUT, and only past kill_timeout it is killed. The order of the three matters.
      shutdown_delay = "5s"
      kill_signal    = "SIGTERM"
      kill_timeout   = "25s"

      config {
        image           = var.image
        args            = ["serve"]
        ports           = ["http", "metrics"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        ulimit {
          nofile = "65536:65536"
        }
      }

      env {
        DB_ENGINE          = "pg"
        DB_MIGRATE         = "off"
        HTTP_HOST          = "0.0.0.0"
        HTTP_PORT          = "9000"
        PROMETHEUS_ENABLED = "True"
        METRICS_ADDR       = "0.0.0.0:9100"
        SHUTDOWN_TIMEOUT   = "15s"
        DEFAULT_RATE_LIMIT = "${var.rate_limit}"
        GOMEMLIMIT         = "${floor(var.memory * 0.85)}MiB"
      }

      # Every item of the Nomad variable is a variable of Templar: DB_PASS, SECRET_KEY, REDIS_PASS, … They are read when an
      # instance starts; a change reaches those that run by a rolling update (see secrets_revision), not all at once.
      template {
        destination = "${NOMAD_SECRETS_DIR}/templar.env"
        env         = true
        change_mode = "noop"
        data        = <<-EOT
          {{ with nomadVar "${var.secrets}" }}{{ range .Tuples }}{{ .K }}={{ .V | toJSON }}
          {{ end }}{{ end }}
        EOT
      }

      service {
        name     = "templar"
        provider = var.discovery
        port     = "http"
        tags     = var.tags

        # Decides whether an update goes on. It restarts nothing: when the database is away every instance is not ready,
        # and a restart would only lose what they still serve from their caches.
        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "2s"
          timeout  = "2s"
        }

        # A process that does not answer this is beyond help.
        check {
          name     = "live"
          type     = "http"
          path     = "/livez"
          interval = "5s"
          timeout  = "3s"

          check_restart {
            limit = 3
            grace = "15s"
          }
        }
      }

      service {
        name     = "templar-metrics"
        provider = var.discovery
        port     = "metrics"
      }

      logs {
        max_files     = 5
        max_file_size = 20
      }

      resources {
        cpu    = var.cpu
        memory = var.memory
      }
    }
  }
}
