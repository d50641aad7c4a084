// Package deploy runs what operators get: the image in a container, the alert rules, the metrics page, the hooks. What is
// only read, such as the Nomad jobs and the compose file, is checked in the module documents below.
package deploy
