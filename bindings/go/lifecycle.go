package hirenow

/*
#include "hirenow/c/api.h"
*/
import "C"

import "unsafe"

func words(count int, name func(n int) string) []string {
	all := make([]string, count)
	for n := range all {
		all[n] = name(n)
	}
	return all
}

// The words of the library, each at its number.
var (
	States      = words(C.HIRENOW_STATE_COUNT, func(n int) string { return C.GoString(C.hirenow_state_name(C.int32_t(n))) })
	Events      = words(C.HIRENOW_EVENT_COUNT, func(n int) string { return C.GoString(C.hirenow_event_name(C.int32_t(n))) })
	Outcomes    = words(9, func(n int) string { return C.GoString(C.hirenow_outcome_name(C.int32_t(n))) })
	Authorities = []string{"staff", "token", "clock"}
)

func numberOf(word string, of []string) C.int32_t {
	for n, w := range of {
		if w == word {
			return C.int32_t(n)
		}
	}
	return -1
}

// Transition looks a row of the lifecycle up: the state that follows and the condition beside the state. The state
// "none" is an interview that does not exist yet.
func Transition(from, event, authority string) (to, when string, found bool) {
	var next C.int32_t
	var condition *C.char
	if C.hirenow_transition(numberOf(from, States), numberOf(event, Events), numberOf(authority, Authorities), &next,
		&condition) == 0 {
		return "", "", false
	}
	return States[next], C.GoString(condition), true
}

// IsLawfulStep says whether some event leads from one state to the other.
func IsLawfulStep(from, to string) bool {
	return C.hirenow_is_lawful_step(numberOf(from, States), numberOf(to, States)) != 0
}

// Row is an interview apart from any engine, as far as the lifecycle looks at it.
type Row struct {
	State                      string
	OvertimeSubmits            bool
	StartBy, ChangedAt         int64
	StartedAt, Deadline, Grace int64
}

// Apply makes of the row what the event makes of it.
func (r Row) Apply(event, authority string, at int64) (Row, error) {
	var t texts
	defer t.free()
	row := (*C.hirenow_interview_row)(t.zeroed(C.sizeof_hirenow_interview_row))
	row.struct_size = C.sizeof_hirenow_interview_row
	for n, c := range "0190f5fe-7c00-7a3b-8d41-5e6f708192a3" {
		row.id[n] = C.char(c)
	}
	row.track, row.kid = t.add("track"), t.add("kid")
	row.attempt, row.generation, row.extra_percent = 1, 1, 100
	row.state = numberOf(r.State, States)
	if r.OvertimeSubmits {
		row.overtime = C.HIRENOW_OVERTIME_SUBMIT
	}
	row.time_limit_seconds, row.grace_seconds = 4*3600, C.int64_t(r.Grace)
	row.start_by, row.changed_at = C.int64_t(r.StartBy), C.int64_t(r.ChangedAt)
	row.started_at, row.deadline = C.int64_t(r.StartedAt), C.int64_t(r.Deadline)
	row.submitted_at, row.decided_at = C.HIRENOW_NONE, C.HIRENOW_NONE
	row.link_requested_at, row.ends_by = C.HIRENOW_NONE, C.HIRENOW_NONE
	var e *C.hirenow_error
	status := C.hirenow_interview_row_apply(row, numberOf(event, Events), numberOf(authority, Authorities),
		C.int64_t(at), &e)
	if err := check(status, e); err != nil {
		return r, err
	}
	r.State, r.ChangedAt = States[row.state], int64(row.changed_at)
	r.StartedAt, r.Deadline = int64(row.started_at), int64(row.deadline)
	return r, nil
}

// Permission is a row of the standard table of permissions.
type Permission struct {
	Roles         uint32
	Token, System bool
}

// Permissions is the standard table, by use case.
func Permissions() map[string]Permission {
	all := map[string]Permission{}
	var row C.hirenow_permission
	for n := C.size_t(0); C.hirenow_permission_default(n, (*C.hirenow_permission)(unsafe.Pointer(&row))) != 0; n++ {
		all[C.GoString(row.use_case)] = Permission{uint32(row.roles), row.token != 0, row.system != 0}
	}
	return all
}
