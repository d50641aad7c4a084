# Every night what has been in the trash for long enough is removed for good, and the history of templates is thinned.
# `nomad job periodic force templar-purge` runs it at once.

variable "image" {
  type        = string
  description = "The image, best by digest: registry/templar@sha256:…"
}

variable "older_than" {
  type        = string
  description = "How long a template stays in the trash."
  default     = "720h"
}

variable "keep_revisions" {
  type        = number
  description = "How many revisions of each living template stay, beside those with a label."
  default     = 1000
}

variable "datacenters" {
  type        = list(string)
  description = "Where the job may run."
  default     = ["*"]
}

variable "namespace" {
  type        = string
  description = "The namespace of the job and its secrets."
  default     = "default"
}

variable "secrets" {
  type        = string
  description = "The Nomad variable whose items become environment variables; with ACLs, templar-secrets.policy.hcl lets this job read it."
  default     = "nomad/jobs/templar"
}

variable "cron" {
  type        = string
  description = "When it runs, in UTC: best after the export."
  default     = "15 4 * * *"
}

job "templar-purge" {
  type        = "batch"
  datacenters = var.datacenters
  namespace   = var.namespace

  periodic {
    crons            = [var.cron]
    time_zone        = "UTC"
    prohibit_overlap = true
  }

  group "purge" {
    # It works in small transactions: what one run did stays done, and the next goes on.
    restart {
      attempts = 2
      interval = "1h"
      delay    = "1m"
      mode     = "fail"
    }

    reschedule {
      attempts       = 3
      interval       = "6h"
      delay          = "5m"
      delay_function = "exponential"
      max_delay      = "1h"
      unlimited      = false
    }

    task "purge" {
      driver = "docker"

      config {
        image           = var.image
        args            = ["purge", "--older-than", var.older_than, "--keep-revisions", "${var.keep_revisions}"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
      }

      env {
        DB_ENGINE = "pg"
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
  }
}
