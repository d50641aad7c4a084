package auth

// MaxSightings bounds them.
const MaxSightings = maxSightings

// Sightings counts the keys that a service remembers.
func Sightings(s *Service) int {
	n := 0
	for i := range s.seen.shards {
		n += len(s.seen.shards[i].byKey)
	}
	return n
}
