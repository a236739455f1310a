package hirenow

/*
#include <stdlib.h>
#include "hirenow/c/api.h"
*/
import "C"

import "runtime"

// Fact is something that a policy may ask about.
type Fact struct {
	Kind, Name, Track, Value string
	At                       int64
	Until                    int64 // 0: nothing
}

// RecordFact records a fact, and says whether the answer is a repeated one.
func (g *Engine) RecordFact(applicant string, fact Fact, idempotencyKey string, who Actor) (replayed bool, err error) {
	var t texts
	defer t.free()
	c := (*C.hirenow_fact)(t.zeroed(C.sizeof_hirenow_fact))
	c.struct_size, c.kind = C.sizeof_hirenow_fact, -1
	for n := C.int32_t(0); n <= C.HIRENOW_FACT_SCORE; n++ {
		if C.GoString(C.hirenow_fact_kind_name(n)) == fact.Kind {
			c.kind = n
		}
	}
	c.name, c.track, c.value = t.add(fact.Name), t.add(fact.Track), t.add(fact.Value)
	c.at, c.until = C.int64_t(fact.At), C.int64_t(fact.Until)
	var out *C.hirenow_person
	var e *C.hirenow_error
	status := C.hirenow_record_fact(g.handle, t.add(applicant), c, t.actor(who), t.key(idempotencyKey), &out, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return false, err
	}
	defer C.hirenow_person_free(out)
	return C.hirenow_person_get_replayed(out) != 0, nil
}

// Message is a row of the outbox.
type Message struct {
	Kind, State string
	Tries       int
	key         C.hirenow_message_key
}

func messages(rows *C.hirenow_rows) []Message {
	var all []Message
	for n := C.size_t(0); n < C.hirenow_rows_get_message_count(rows); n++ {
		m := C.hirenow_rows_get_message(rows, n)
		all = append(all, Message{C.GoString(C.hirenow_message_kind_name(C.int32_t(m.key.kind))),
			C.GoString(C.hirenow_message_state_name(m.state)), int(m.tries), m.key})
	}
	return all
}

// Messages are those of an interview, by kind.
func (g *Engine) Messages(id string, who Actor) ([]Message, error) {
	var t texts
	defer t.free()
	query := (*C.hirenow_message_query)(t.zeroed(C.sizeof_hirenow_message_query))
	query.struct_size, query.interview_id, query.state = C.sizeof_hirenow_message_query, t.add(id), -1
	var rows *C.hirenow_rows
	var e *C.hirenow_error
	status := C.hirenow_read_messages(g.handle, query, t.actor(who), &rows, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return nil, err
	}
	defer C.hirenow_rows_free(rows)
	return messages(rows), nil
}

// Redrive queues a dead message again.
func (g *Engine) Redrive(m Message, who Actor) error {
	var t texts
	defer t.free()
	var e *C.hirenow_error
	status := C.hirenow_redrive(g.handle, &m.key, t.actor(who), nil, &e)
	runtime.KeepAlive(g)
	return check(status, e)
}

// Drop gives a dead message up.
func (g *Engine) Drop(m Message, who Actor) error {
	var t texts
	defer t.free()
	var e *C.hirenow_error
	status := C.hirenow_drop(g.handle, &m.key, t.actor(who), nil, &e)
	runtime.KeepAlive(g)
	return check(status, e)
}

// History is everything about one track of one applicant.
type History struct {
	Attempts []string // the states, by attempt
	Events   []string // of the audit, in order
	Messages []Message
	Erased   bool
}

func events(rows *C.hirenow_rows) []string {
	var all []string
	for n := C.size_t(0); n < C.hirenow_rows_get_audit_count(rows); n++ {
		all = append(all, C.GoString(C.hirenow_rows_get_audit(rows, n).event))
	}
	return all
}

// History shows the track of this interview.
func (g *Engine) History(id string, who Actor) (History, error) {
	var t texts
	defer t.free()
	var rows *C.hirenow_rows
	var e *C.hirenow_error
	status := C.hirenow_history(g.handle, t.add(id), t.actor(who), &rows, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return History{}, err
	}
	defer C.hirenow_rows_free(rows)
	out := History{Events: events(rows), Messages: messages(rows), Erased: C.hirenow_rows_get_record(rows).erased != 0}
	for n := C.size_t(0); n < C.hirenow_rows_get_interview_count(rows); n++ {
		state := C.hirenow_rows_get_interview(rows, n).state
		out.Attempts = append(out.Attempts, C.GoString(C.hirenow_state_name(state)))
	}
	return out, nil
}

// ReadProgress is what was saved last; nil where nothing was.
func (g *Engine) ReadProgress(id string, who Actor) ([]byte, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_text
	var e *C.hirenow_error
	status := C.hirenow_read_progress(g.handle, t.add(id), t.actor(who), &out, nil, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil || out == nil {
		return nil, err
	}
	return []byte(take(out)), nil
}

// ReadAudit are the first 500 events of an applicant's audit.
func (g *Engine) ReadAudit(applicant string, who Actor) ([]string, error) {
	var t texts
	defer t.free()
	var rows *C.hirenow_rows
	var e *C.hirenow_error
	status := C.hirenow_read_audit(g.handle, t.add(applicant), t.actor(who), 0, 0, &rows, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return nil, err
	}
	defer C.hirenow_rows_free(rows)
	return events(rows), nil
}

// AuditCheckpoint is a signed statement of where every record stands, to be kept elsewhere.
func (g *Engine) AuditCheckpoint(who Actor) (string, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_text
	var e *C.hirenow_error
	status := C.hirenow_audit_checkpoint(g.handle, t.actor(who), &out, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return "", err
	}
	return take(out), nil
}

// VerifyAuditCheckpoint compares the records with an earlier statement, and says how many it compared.
func (g *Engine) VerifyAuditCheckpoint(checkpoint string, who Actor) (int, error) {
	var t texts
	defer t.free()
	var records C.size_t
	var e *C.hirenow_error
	status := C.hirenow_verify_audit_checkpoint(g.handle, t.add(checkpoint), t.actor(who), &records, &e)
	runtime.KeepAlive(g)
	return int(records), check(status, e)
}
