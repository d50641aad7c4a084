// Package srd holds the facts of the System Reference Document 5.1 that a character sheet needs: races, classes,
// backgrounds, skills, languages, conditions, equipment, spells, and the tables of levels, slots and experience.
//
// The facts stand in embedded JSON files under data/ and are read when the program starts; the tests of the package
// hold them against the SRD's own totals. Names and numbers are the SRD's, every description is in words of our own.
// All that the functions return is shared between callers and must not be changed.
package srd

// Attribution is the notice that the license of the SRD 5.1 asks everyone to carry who passes on what stands in it.
const Attribution = "This work includes material taken from the System Reference Document 5.1 (“SRD 5.1”) by " +
	"Wizards of the Coast LLC and available at https://dnd.wizards.com/resources/systems-reference-document. " +
	"The SRD 5.1 is licensed under the Creative Commons Attribution 4.0 International License available at " +
	"https://creativecommons.org/licenses/by/4.0/legalcode."
