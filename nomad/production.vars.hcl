# What differs in production; build/nomad-deploy production takes it.
count        = 3
count_max    = 12
cpu          = 1000
memory       = 512
auto_promote = true
