# With ACLs on, a job reads the Nomad variables under its own name only. This lets the nightly jobs read the service's:
#
#   nomad acl policy apply -namespace default -job templar-export templar-export-secrets nomad/templar-secrets.policy.hcl
#   nomad acl policy apply -namespace default -job templar-purge templar-purge-secrets nomad/templar-secrets.policy.hcl
namespace "default" {
  variables {
    path "nomad/jobs/templar" {
      capabilities = ["read"]
    }
  }
}
