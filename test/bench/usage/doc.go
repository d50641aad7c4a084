// Package usage reads what processes have used, from the kernel's own accounting (proc(5)). On a machine that is also
// busy with other things it is steadier than anything that a clock shows. It exists on Linux only.
package usage
