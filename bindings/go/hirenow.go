// Package hirenow is a small wrapper of libhirenow, written as docs/c_abi.md advises: every handle has one owner and a
// finalizer, every error is a value with its code, and every struct begins with its size.
package hirenow

/*
#cgo pkg-config: hirenow
#include <stdlib.h>
#include "hirenow/c/adapters.h"

extern int64_t hirenowGoNow(void *ctx);

static hirenow_status hirenow_go_clock(void *ctx, hirenow_clock **out, hirenow_error **error) {
  hirenow_clock_callbacks callbacks = HIRENOW_CLOCK_CALLBACKS_INIT;
  callbacks.ctx = ctx;
  callbacks.now = hirenowGoNow;
  return hirenow_clock_new(&callbacks, out, error);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Error is what a call was refused with.
type Error struct {
	Status       int
	Name         string
	Message      string
	Reason       string
	SupersededBy string
	EligibleAt   *int64
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Name, e.Message) }

// None stands for an instant, a span or a limit that is absent.
const None = int64(-1 << 63)

func orNil(n C.int64_t) *int64 {
	if int64(n) == None {
		return nil
	}
	v := int64(n)
	return &v
}

func check(status C.hirenow_status, e *C.hirenow_error) error {
	if status == 0 {
		return nil
	}
	defer C.hirenow_error_free(e)
	return &Error{
		Status:       int(status),
		Name:         C.GoString(C.hirenow_status_name(status)),
		Message:      C.GoString(C.hirenow_error_get_message(e)),
		Reason:       C.GoString(C.hirenow_error_get_reason(e)),
		SupersededBy: C.GoString(C.hirenow_error_get_superseded_by(e)),
		EligibleAt:   orNil(C.hirenow_error_get_eligible_at(e)),
	}
}

// texts are C strings that live until the call is over.
type texts []*C.char

func (t *texts) add(s string) *C.char {
	c := C.CString(s)
	*t = append(*t, c)
	return c
}
func (t *texts) free() {
	for _, c := range *t {
		C.free(unsafe.Pointer(c))
	}
}

func take(text *C.hirenow_text) string {
	defer C.hirenow_text_free(text)
	return C.GoStringN(C.hirenow_text_get(text), C.int(C.hirenow_text_get_size(text)))
}

// Keys sign and verify links.
type Keys struct{ handle *C.hirenow_keys }

// KeysFromJSON reads a key document.
func KeysFromJSON(document string) (*Keys, error) {
	var t texts
	defer t.free()
	k, e := &Keys{}, (*C.hirenow_error)(nil)
	if err := check(C.hirenow_keys_from_json(t.add(document), &k.handle, &e), e); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(k, func(k *Keys) { C.hirenow_keys_free(k.handle) })
	return k, nil
}

// NewKeyDocument makes a document with one fresh Ed25519 key.
func NewKeyDocument(kid string) (string, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_text
	var e *C.hirenow_error
	if err := check(C.hirenow_key_document_new(C.HIRENOW_KEY_ED25519, t.add(kid), &out, &e), e); err != nil {
		return "", err
	}
	return take(out), nil
}

// VerifyToken says whether a token is genuine; its claims come as a JSON document.
func (k *Keys) VerifyToken(token, issuer, audience string) (string, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_text
	var e *C.hirenow_error
	status := C.hirenow_token_verify(k.handle, t.add(token), t.add(issuer), t.add(audience), &out, &e)
	runtime.KeepAlive(k)
	if err := check(status, e); err != nil {
		return "", err
	}
	return take(out), nil
}

// Policy is a parsed retake policy.
type Policy struct{ handle *C.hirenow_policy }

// ParsePolicy reads a policy document.
func ParsePolicy(document string) (*Policy, error) {
	var t texts
	defer t.free()
	p, e := &Policy{}, (*C.hirenow_error)(nil)
	if err := check(C.hirenow_policy_parse(t.add(document), &p.handle, &e), e); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(p, func(p *Policy) { C.hirenow_policy_free(p.handle) })
	return p, nil
}

// Attempt is one attempt as a policy sees it.
type Attempt struct {
	At, DecidedAt int64
	Outcome       int
}

// Evaluate holds attempts against the policy; the answer comes as a JSON document.
func (p *Policy) Evaluate(attempts []Attempt, now int64, schedule bool) (string, error) {
	rows := make([]C.hirenow_attempt, len(attempts)+1)
	for n, a := range attempts {
		rows[n].at, rows[n].decided_at = C.int64_t(a.At), C.int64_t(a.DecidedAt)
		rows[n].outcome = C.int32_t(a.Outcome)
	}
	kind := C.int32_t(0)
	if schedule {
		kind = 1
	}
	var may *C.hirenow_eligibility
	var out *C.hirenow_text
	var e *C.hirenow_error
	status := C.hirenow_policy_evaluate(p.handle, &rows[0], C.size_t(len(attempts)), C.int64_t(now), kind, &may, &e)
	runtime.KeepAlive(p)
	if err := check(status, e); err != nil {
		return "", err
	}
	defer C.hirenow_eligibility_free(may)
	if err := check(C.hirenow_eligibility_json(may, &out, &e), e); err != nil {
		return "", err
	}
	return take(out), nil
}

// EvaluateCase holds a case document (track, now, kind, history, facts, waivers) against the policy.
func (p *Policy) EvaluateCase(document string) (string, error) {
	var t texts
	defer t.free()
	var may *C.hirenow_eligibility
	var out *C.hirenow_text
	var e *C.hirenow_error
	status := C.hirenow_policy_evaluate_case(p.handle, t.add(document), &may, &e)
	runtime.KeepAlive(p)
	if err := check(status, e); err != nil {
		return "", err
	}
	defer C.hirenow_eligibility_free(may)
	if err := check(C.hirenow_eligibility_json(may, &out, &e), e); err != nil {
		return "", err
	}
	return take(out), nil
}

// ParseSpan reads an ISO 8601 span as months and seconds.
func ParseSpan(text string) (int, int64, error) {
	var t texts
	defer t.free()
	var months C.int32_t
	var seconds C.int64_t
	var e *C.hirenow_error
	err := check(C.hirenow_span_parse(t.add(text), &months, &seconds, &e), e)
	return int(months), int64(seconds), err
}

var theTime int64

//export hirenowGoNow
func hirenowGoNow(unsafe.Pointer) C.int64_t { return C.int64_t(atomic.LoadInt64(&theTime)) }

// SetTime moves the clock that every engine of this package reads.
func SetTime(now int64) { atomic.StoreInt64(&theTime, now) }

// Engine holds all use cases.
type Engine struct{ handle *C.hirenow_engine }

// Open opens a store by its URL and makes an engine over it.
func Open(url, keys, policy, linkBase string) (*Engine, error) {
	var t texts
	defer t.free()
	var clock *C.hirenow_clock
	var e *C.hirenow_error
	if err := check(C.hirenow_go_clock(nil, &clock, &e), e); err != nil {
		return nil, err
	}
	defer C.hirenow_clock_free(clock) // the engine keeps what it needs
	options := (*C.hirenow_engine_options)(C.calloc(1, C.sizeof_hirenow_engine_options))
	defer C.free(unsafe.Pointer(options))
	options.struct_size = C.sizeof_hirenow_engine_options
	options.keys_json, options.policy_json = t.add(keys), t.add(policy)
	options.link_base, options.clock = t.add(linkBase), clock
	engine := &Engine{}
	if err := check(C.hirenow_open(t.add(url), options, &engine.handle, &e), e); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(engine, func(e *Engine) { C.hirenow_engine_free(e.handle) })
	return engine, nil
}

// Actor is who asks. Roles are added up: 1 recruiter, 2 reviewer, 4 admin.
type Actor struct {
	ID, Tenant string
	Roles      uint32
}

func (t *texts) actor(a Actor) *C.hirenow_actor {
	c := (*C.hirenow_actor)(C.calloc(1, C.sizeof_hirenow_actor))
	*t = append(*t, (*C.char)(unsafe.Pointer(c)))
	c.struct_size = C.sizeof_hirenow_actor
	c.id, c.tenant, c.roles = t.add(a.ID), t.add(a.Tenant), C.uint32_t(a.Roles)
	return c
}

// Interview is an interview after a call.
type Interview struct {
	ID, State, Link, Archived string
	Attempt                   int
}

func interview(status C.hirenow_status, i *C.hirenow_interview, e *C.hirenow_error) (Interview, error) {
	if err := check(status, e); err != nil {
		return Interview{}, err
	}
	defer C.hirenow_interview_free(i)
	out := Interview{
		ID:      C.GoString(C.hirenow_interview_get_id(i)),
		State:   C.GoString(C.hirenow_state_name(C.hirenow_interview_get_state(i))),
		Link:    C.GoString(C.hirenow_interview_get_link(i)),
		Attempt: int(C.hirenow_interview_get_attempt(i)),
	}
	if old := C.hirenow_interview_get_archived(i); old != nil {
		out.Archived = C.GoString(C.hirenow_state_name(C.hirenow_interview_get_state(old)))
	}
	return out, nil
}

// Schedule plans an interview.
func (g *Engine) Schedule(applicant, email, track string, who Actor) (Interview, error) {
	var t texts
	defer t.free()
	person := (*C.hirenow_applicant)(C.calloc(1, C.sizeof_hirenow_applicant))
	request := (*C.hirenow_schedule_request)(C.calloc(1, C.sizeof_hirenow_schedule_request))
	t = append(t, (*C.char)(unsafe.Pointer(person)), (*C.char)(unsafe.Pointer(request)))
	person.struct_size, request.struct_size = C.sizeof_hirenow_applicant, C.sizeof_hirenow_schedule_request
	person.id, person.email = t.add(applicant), t.add(email)
	request.applicant, request.track = person, t.add(track)
	var out *C.hirenow_interview
	var e *C.hirenow_error
	status := C.hirenow_schedule(g.handle, request, t.actor(who), &out, &e)
	runtime.KeepAlive(g)
	return interview(status, out, e)
}

// Do causes an event that belongs to the staff, by its word in the lifecycle.
func (g *Engine) Do(event, id string, who Actor) (Interview, error) {
	var t texts
	defer t.free()
	change := (*C.hirenow_change)(C.calloc(1, C.sizeof_hirenow_change))
	t = append(t, (*C.char)(unsafe.Pointer(change)))
	change.struct_size = C.sizeof_hirenow_change
	change.reason, change.reason_code = t.add("why"), t.add("power_cut")
	var out *C.hirenow_interview
	var e *C.hirenow_error
	var status C.hirenow_status
	a, i := t.actor(who), t.add(id)
	switch event {
	case "pass", "fail", "hold":
		change.outcome = map[string]C.int32_t{
			"pass": C.HIRENOW_OUTCOME_PASSED, "fail": C.HIRENOW_OUTCOME_FAILED, "hold": C.HIRENOW_OUTCOME_ON_HOLD}[event]
		status = C.hirenow_decide(g.handle, i, a, change, &out, &e)
	case "reopen":
		status = C.hirenow_reopen(g.handle, i, a, change, &out, &e)
	case "void":
		status = C.hirenow_void(g.handle, i, a, change, &out, &e)
	case "cancel":
		status = C.hirenow_cancel(g.handle, i, a, change, &out, &e)
	case "reissue":
		status = C.hirenow_reissue(g.handle, i, a, nil, &out, &e)
	case "retake":
		status = C.hirenow_retake(g.handle, i, a, nil, &out, &e)
	default:
		return Interview{}, fmt.Errorf("not an event of the staff: %s", event)
	}
	runtime.KeepAlive(g)
	return interview(status, out, e)
}

// Sit starts an interview by its link and, if it is to, submits it.
func (g *Engine) Sit(token string, submit bool) error {
	var t texts
	defer t.free()
	var sitting *C.hirenow_sitting
	var e *C.hirenow_error
	status := C.hirenow_start(g.handle, t.add(token), t.add("a secret of sixteen bytes"), &sitting, &e)
	if err := check(status, e); err != nil || !submit {
		C.hirenow_sitting_free(sitting)
		return err
	}
	defer C.hirenow_sitting_free(sitting)
	session := C.hirenow_session{struct_size: C.sizeof_hirenow_session}
	C.hirenow_sitting_get_session(sitting, &session)
	var out *C.hirenow_interview
	_, err := interview(C.hirenow_submit(g.handle, &session, nil, 0, nil, &out, &e), out, e)
	runtime.KeepAlive(g)
	return err
}
