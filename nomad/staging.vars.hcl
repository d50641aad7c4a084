# What differs in staging; build/nomad-deploy staging takes it.
count        = 2
count_max    = 4
auto_promote = true
