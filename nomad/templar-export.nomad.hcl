# Every night all templates, with their history and the trash, go to S3 as NDJSON: templates-<time>.ndjson.
# `nomad job periodic force templar-export` runs it at once.

variable "image" {
  type        = string
  description = "The image, best by digest: registry/templar@sha256:…"
}

variable "bucket" {
  type        = string
  description = "The bucket that exports go to."
}

variable "prefix" {
  type        = string
  description = "What the names in the bucket begin with."
  default     = "templar/nightly"
}

variable "region" {
  type        = string
  description = "The region of the bucket."
  default     = "eu-south-2"
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
  description = "When it runs, in UTC."
  default     = "15 2 * * *"
}

job "templar-export" {
  type        = "batch"
  datacenters = var.datacenters
  namespace   = var.namespace

  periodic {
    crons            = [var.cron]
    time_zone        = "UTC"
    prohibit_overlap = true
  }

  group "export" {
    # An export appears in the bucket only when it is whole, so that trying again is safe.
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

    task "export" {
      driver = "docker"

      config {
        image           = var.image
        args            = ["export", "--revisions", "--deleted", "--to", "s3://${var.bucket}/${var.prefix}"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
      }

      env {
        DB_ENGINE  = "pg"
        AWS_REGION = var.region
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
        memory = 256
      }
    }
  }
}
