// Package documents checks the files that other programs read: the Nomad jobs, the compose file, the pipeline, and what
// AWS and Azure are told. It is a module of its own, so that the libraries which know these forms stay out of Templar's.
package documents
