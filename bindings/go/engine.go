package hirenow

/*
#include <stdlib.h>
#include "hirenow/c/adapters.h"

extern int64_t hirenowGoNow(uintptr_t ctx);
extern void hirenowGoForget(uintptr_t ctx);

static int64_t hirenow_go_now(void *ctx) { return hirenowGoNow((uintptr_t)ctx); }
static void hirenow_go_forget(void *ctx) { hirenowGoForget((uintptr_t)ctx); }
static hirenow_status hirenow_go_clock(uintptr_t ctx, hirenow_clock **out, hirenow_error **error) {
  hirenow_clock_callbacks callbacks = HIRENOW_CLOCK_CALLBACKS_INIT;
  callbacks.ctx = (void *)ctx;
  callbacks.now = hirenow_go_now;
  callbacks.destroy = hirenow_go_forget;
  return hirenow_clock_new(&callbacks, out, error);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"sync/atomic"
	"unsafe"
)

// Clock stands until it is moved.
type Clock struct{ now int64 }

// NewClock makes a clock that stands at this instant.
func NewClock(now int64) *Clock { return &Clock{now} }

// Now is where the clock stands.
func (c *Clock) Now() int64 { return atomic.LoadInt64(&c.now) }

// Set moves the clock.
func (c *Clock) Set(now int64) { atomic.StoreInt64(&c.now, now) }

//export hirenowGoNow
func hirenowGoNow(ctx C.uintptr_t) C.int64_t {
	return C.int64_t(cgo.Handle(ctx).Value().(*Clock).Now())
}

// The library calls it once, when the last user of a callback's ctx is gone.
//
//export hirenowGoForget
func hirenowGoForget(ctx C.uintptr_t) { cgo.Handle(ctx).Delete() }

// Engine holds all use cases.
type Engine struct{ handle *C.hirenow_engine }

// Open opens a store by its URL and makes an engine over it.
func Open(url, keys, policy, linkBase string, clock *Clock) (*Engine, error) {
	var t texts
	defer t.free()
	var c *C.hirenow_clock
	var e *C.hirenow_error
	ctx := cgo.NewHandle(clock)
	if err := check(C.hirenow_go_clock(C.uintptr_t(ctx), &c, &e), e); err != nil {
		ctx.Delete() // not registered, so nobody else will
		return nil, err
	}
	defer C.hirenow_clock_free(c) // the engine keeps what it needs
	options := (*C.hirenow_engine_options)(t.zeroed(C.sizeof_hirenow_engine_options))
	options.struct_size = C.sizeof_hirenow_engine_options
	options.keys_json, options.policy_json = t.add(keys), t.add(policy)
	options.link_base, options.clock = t.add(linkBase), c
	engine := &Engine{}
	if err := check(C.hirenow_open(t.add(url), options, &engine.handle, &e), e); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(engine, (*Engine).Close)
	return engine, nil
}

// Close frees the engine. The finalizer does it, too.
func (g *Engine) Close() {
	runtime.SetFinalizer(g, nil)
	C.hirenow_engine_free(g.handle)
	g.handle = nil
}

// Actor is who asks. Roles are added up: 1 recruiter, 2 reviewer, 4 admin.
type Actor struct {
	ID, Tenant string
	Roles      uint32
}

func (t *texts) actor(a Actor) *C.hirenow_actor {
	c := (*C.hirenow_actor)(t.zeroed(C.sizeof_hirenow_actor))
	c.struct_size = C.sizeof_hirenow_actor
	c.id, c.tenant, c.roles = t.add(a.ID), t.add(a.Tenant), C.uint32_t(a.Roles)
	return c
}

// Applicant is a person, by the host's own id.
type Applicant struct{ ID, Email, Name, Locale, TimeZone string }

func (t *texts) applicant(a Applicant) *C.hirenow_applicant {
	c := (*C.hirenow_applicant)(t.zeroed(C.sizeof_hirenow_applicant))
	c.struct_size = C.sizeof_hirenow_applicant
	c.id, c.email, c.name = t.add(a.ID), t.add(a.Email), t.add(a.Name)
	c.locale, c.time_zone = t.add(a.Locale), t.add(a.TimeZone)
	return c
}

// Interview is an interview after a call.
type Interview struct {
	ID, State, Outcome, Link string
	Archived                 string // of a retake: the old interview's state
	Attempt                  int
	StartBy                  int64
	Deadline                 *int64
	Replayed                 bool
}

func read(i *C.hirenow_interview) Interview {
	out := Interview{
		ID:       C.GoString(C.hirenow_interview_get_id(i)),
		State:    C.GoString(C.hirenow_state_name(C.hirenow_interview_get_state(i))),
		Outcome:  C.GoString(C.hirenow_outcome_name(C.hirenow_interview_get_outcome(i))),
		Link:     C.GoString(C.hirenow_interview_get_link(i)),
		Attempt:  int(C.hirenow_interview_get_attempt(i)),
		StartBy:  int64(C.hirenow_interview_get_start_by(i)),
		Deadline: orNil(C.hirenow_interview_get_deadline(i)),
		Replayed: C.hirenow_interview_get_replayed(i) != 0,
	}
	if old := C.hirenow_interview_get_archived(i); old != nil {
		out.Archived = C.GoString(C.hirenow_state_name(C.hirenow_interview_get_state(old)))
	}
	return out
}

func interview(status C.hirenow_status, i *C.hirenow_interview, e *C.hirenow_error) (Interview, error) {
	if err := check(status, e); err != nil {
		return Interview{}, err
	}
	defer C.hirenow_interview_free(i)
	return read(i), nil
}

// Terms of an interview or of a link. What is left zero is the engine's default, or as before.
type Terms struct {
	OpensAt, LinkLifetime, TimeLimit, Grace int64
	OvertimeSubmits                         bool
	IdempotencyKey                          string
}

func (t *texts) key(k string) *C.char {
	if k == "" {
		return nil
	}
	return t.add(k)
}

// Schedule plans an interview.
func (g *Engine) Schedule(person Applicant, track string, terms Terms, who Actor) (Interview, error) {
	var t texts
	defer t.free()
	request := (*C.hirenow_schedule_request)(t.zeroed(C.sizeof_hirenow_schedule_request))
	request.struct_size = C.sizeof_hirenow_schedule_request
	request.applicant, request.track = t.applicant(person), t.add(track)
	request.opens_at, request.link_lifetime_seconds = C.int64_t(terms.OpensAt), C.int64_t(terms.LinkLifetime)
	request.time_limit_seconds, request.grace_seconds = C.int64_t(terms.TimeLimit), C.int64_t(terms.Grace)
	if terms.OvertimeSubmits {
		request.overtime = C.HIRENOW_OVERTIME_SUBMIT
	}
	request.idempotency_key = t.key(terms.IdempotencyKey)
	var out *C.hirenow_interview
	var e *C.hirenow_error
	status := C.hirenow_schedule(g.handle, request, t.actor(who), &out, &e)
	runtime.KeepAlive(g)
	return interview(status, out, e)
}

// Change says more about an event of the staff.
type Change struct {
	Reason, ReasonCode, IdempotencyKey string
	LinkLifetime                       int64 // of a reissue
	Accommodation                      Accommodation
}

// Accommodation lengthens an attempt. What is left nil stays as it was.
type Accommodation struct {
	Percent             uint32 // of the time limit; 0: as before
	Extra, Pause, Grace *int64
}

func setSpan(to *int64, has *C.int32_t, span *C.int64_t) {
	if to != nil {
		*has, *span = 1, C.int64_t(*to)
	}
}

// Do causes an event that belongs to the staff, by its word in the lifecycle.
func (g *Engine) Do(event, id string, with Change, who Actor) (Interview, error) {
	var t texts
	defer t.free()
	change := (*C.hirenow_change)(t.zeroed(C.sizeof_hirenow_change))
	change.struct_size = C.sizeof_hirenow_change
	change.reason, change.reason_code = t.add(with.Reason), t.add(with.ReasonCode)
	change.idempotency_key = t.key(with.IdempotencyKey)
	terms := (*C.hirenow_retake_options)(t.zeroed(C.sizeof_hirenow_retake_options))
	terms.struct_size = C.sizeof_hirenow_retake_options
	terms.link_lifetime_seconds, terms.idempotency_key = C.int64_t(with.LinkLifetime), change.idempotency_key
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
		status = C.hirenow_reissue(g.handle, i, a, terms, &out, &e)
	case "retake":
		status = C.hirenow_retake(g.handle, i, a, terms, &out, &e)
	case "accommodate":
		more := (*C.hirenow_accommodation)(t.zeroed(C.sizeof_hirenow_accommodation))
		more.struct_size = C.sizeof_hirenow_accommodation
		more.percent, more.reason_code = C.uint32_t(with.Accommodation.Percent), change.reason_code
		setSpan(with.Accommodation.Extra, &more.has_extra, &more.extra_seconds)
		setSpan(with.Accommodation.Pause, &more.has_pause, &more.pause_seconds)
		setSpan(with.Accommodation.Grace, &more.has_grace, &more.grace_seconds)
		more.idempotency_key = change.idempotency_key
		status = C.hirenow_accommodate(g.handle, i, a, more, &out, &e)
	default:
		return Interview{}, fmt.Errorf("not an event of the staff: %s", event)
	}
	runtime.KeepAlive(g)
	return interview(status, out, e)
}

// Session is what the applicant's page holds while it is open.
type Session struct {
	Tenant, InterviewID, Key string
	Fence                    int64
}

func (t *texts) session(s Session) *C.hirenow_session {
	c := (*C.hirenow_session)(t.zeroed(C.sizeof_hirenow_session))
	c.struct_size = C.sizeof_hirenow_session
	c.tenant, c.interview_id, c.key = t.add(s.Tenant), t.add(s.InterviewID), t.add(s.Key)
	c.fence, c.key_size = C.int64_t(s.Fence), C.size_t(len(s.Key))
	return c
}

// Sitting is what Start and Resume answer.
type Sitting struct {
	Session   Session
	Interview Interview
	Left      int64
	Progress  []byte // nil where none was saved
}

func sitting(status C.hirenow_status, s *C.hirenow_sitting, e *C.hirenow_error) (Sitting, error) {
	if err := check(status, e); err != nil {
		return Sitting{}, err
	}
	defer C.hirenow_sitting_free(s)
	c := C.hirenow_session{struct_size: C.sizeof_hirenow_session}
	if err := check(C.hirenow_sitting_get_session(s, &c, nil), nil); err != nil {
		return Sitting{}, err
	}
	out := Sitting{
		Session:   Session{C.GoString(c.tenant), C.GoString(c.interview_id), C.GoStringN(c.key, C.int(c.key_size)), int64(c.fence)},
		Interview: read(C.hirenow_sitting_get_interview(s)),
		Left:      int64(C.hirenow_sitting_get_seconds_left(s)),
	}
	if progress := C.hirenow_sitting_get_progress(s); progress != nil {
		out.Progress = C.GoBytes(unsafe.Pointer(progress), C.int(C.hirenow_sitting_get_progress_size(s)))
	}
	return out, nil
}

// Start starts an interview by its link's token, under a secret session key.
func (g *Engine) Start(token, key string) (Sitting, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_sitting
	var e *C.hirenow_error
	status := C.hirenow_start(g.handle, t.add(token), unsafe.Pointer(t.add(key)), C.size_t(len(key)), &out, &e)
	runtime.KeepAlive(g)
	return sitting(status, out, e)
}

// Resume goes on in a newer session.
func (g *Engine) Resume(token, key string) (Sitting, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_sitting
	var e *C.hirenow_error
	status := C.hirenow_resume(g.handle, t.add(token), unsafe.Pointer(t.add(key)), C.size_t(len(key)), &out, &e)
	runtime.KeepAlive(g)
	return sitting(status, out, e)
}

// Checkpoint saves progress, whole.
func (g *Engine) Checkpoint(s Session, progress []byte) error {
	var t texts
	defer t.free()
	bytes := C.CBytes(progress)
	defer C.free(bytes)
	var e *C.hirenow_error
	status := C.hirenow_checkpoint(g.handle, t.session(s), bytes, C.size_t(len(progress)), nil, &e)
	runtime.KeepAlive(g)
	return check(status, e)
}

// Submit submits the interview.
func (g *Engine) Submit(s Session) (Interview, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_interview
	var e *C.hirenow_error
	status := C.hirenow_submit(g.handle, t.session(s), nil, 0, nil, &out, &e)
	runtime.KeepAlive(g)
	return interview(status, out, e)
}

// Withdraw is the applicant's own.
func (g *Engine) Withdraw(token string) (Interview, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_interview
	var e *C.hirenow_error
	status := C.hirenow_withdraw(g.handle, t.add(token), nil, &out, &e)
	runtime.KeepAlive(g)
	return interview(status, out, e)
}

// Inspection is what stands behind a link.
type Inspection struct {
	Verdict   string
	Interview *Interview
	Left      *int64
}

// Inspect looks at a link and changes nothing.
func (g *Engine) Inspect(token string) (Inspection, error) {
	var t texts
	defer t.free()
	var seen *C.hirenow_inspection
	var e *C.hirenow_error
	status := C.hirenow_inspect(g.handle, t.add(token), &seen, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return Inspection{}, err
	}
	defer C.hirenow_inspection_free(seen)
	out := Inspection{
		Verdict: C.GoString(C.hirenow_verdict_name(C.hirenow_inspection_get_verdict(seen))),
		Left:    orNil(C.hirenow_inspection_get_seconds_left(seen)),
	}
	if of := C.hirenow_inspection_get_interview(seen); of != nil {
		i := read(of)
		out.Interview = &i
	}
	return out, nil
}

// RequestLink asks for the current link, which is mailed.
func (g *Engine) RequestLink(token string) (queued, noted bool, err error) {
	var t texts
	defer t.free()
	asked := C.hirenow_link_requested{struct_size: C.sizeof_hirenow_link_requested}
	var e *C.hirenow_error
	status := C.hirenow_request_link(g.handle, t.add(token), nil, &asked, &e)
	runtime.KeepAlive(g)
	return asked.queued != 0, asked.noted != 0, check(status, e)
}

// Eligibility says whether a further attempt is allowed, and why.
type Eligibility struct {
	Allowed      bool
	Reason       string
	EligibleAt   *int64
	AttemptsLeft *int64
}

// RetakeEligibility is the very decision that a retake enforces.
func (g *Engine) RetakeEligibility(id string, who Actor) (Eligibility, error) {
	var t texts
	defer t.free()
	var may *C.hirenow_eligibility
	var e *C.hirenow_error
	status := C.hirenow_retake_eligibility(g.handle, t.add(id), t.actor(who), &may, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return Eligibility{}, err
	}
	defer C.hirenow_eligibility_free(may)
	return Eligibility{
		C.hirenow_eligibility_get_allowed(may) != 0,
		C.GoString(C.hirenow_eligibility_get_reason(may)),
		orNil(C.hirenow_eligibility_get_eligible_at(may)),
		orNil(C.hirenow_eligibility_get_attempts_left(may)),
	}, nil
}

// Find shows an interview as the clock would have it now.
func (g *Engine) Find(id string, who Actor) (Interview, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_interview
	var e *C.hirenow_error
	status := C.hirenow_find(g.handle, t.add(id), t.actor(who), &out, &e)
	runtime.KeepAlive(g)
	return interview(status, out, e)
}

// Actions are the events that this actor may cause now.
func (g *Engine) Actions(id string, who Actor) ([]string, error) {
	var t texts
	defer t.free()
	var actions *C.hirenow_actions
	var e *C.hirenow_error
	status := C.hirenow_permitted_actions(g.handle, t.add(id), t.actor(who), &actions, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return nil, err
	}
	defer C.hirenow_actions_free(actions)
	var allowed []string
	for n := C.size_t(0); n < C.hirenow_actions_get_count(actions); n++ {
		if C.hirenow_actions_get_allowed(actions, n) != 0 {
			allowed = append(allowed, C.GoString(C.hirenow_actions_get_event(actions, n)))
		}
	}
	return allowed, nil
}

// List is the first page of a dashboard: how many rows, and how many interviews are in each state.
func (g *Engine) List(who Actor) (rows int, counts map[string]int, err error) {
	var t texts
	defer t.free()
	var page *C.hirenow_page
	var e *C.hirenow_error
	status := C.hirenow_list(g.handle, nil, t.actor(who), &page, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return 0, nil, err
	}
	defer C.hirenow_page_free(page)
	counts = map[string]int{}
	for n, state := range States {
		if count := int(C.hirenow_page_get_state_count(page, C.int32_t(n))); count > 0 {
			counts[state] = count
		}
	}
	return int(C.hirenow_page_get_count(page)), counts, nil
}

// Sweep lets the clock do what is due on every record.
func (g *Engine) Sweep() (records, events int, err error) {
	var out *C.hirenow_sweep_report
	var e *C.hirenow_error
	status := C.hirenow_sweep(g.handle, 0, &out, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return 0, 0, err
	}
	defer C.hirenow_sweep_report_free(out)
	return int(C.hirenow_sweep_report_get_records(out)), int(C.hirenow_sweep_report_get_events(out)), nil
}

// UpdateApplicant replaces the applicant's person, and answers the person as it is now.
func (g *Engine) UpdateApplicant(person Applicant, who Actor) (Applicant, error) {
	var t texts
	defer t.free()
	var out *C.hirenow_person
	var e *C.hirenow_error
	status := C.hirenow_update_applicant(g.handle, t.applicant(person), t.actor(who), nil, &out, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return Applicant{}, err
	}
	defer C.hirenow_person_free(out)
	c := C.hirenow_applicant{struct_size: C.sizeof_hirenow_applicant}
	err := check(C.hirenow_person_get(out, &c, nil), nil)
	return Applicant{C.GoString(c.id), C.GoString(c.email), C.GoString(c.name), C.GoString(c.locale),
		C.GoString(c.time_zone)}, err
}

// Erase erases a person; interviews and audit stay.
func (g *Engine) Erase(applicant string, who Actor) error {
	var t texts
	defer t.free()
	var e *C.hirenow_error
	status := C.hirenow_erase_applicant(g.handle, t.add(applicant), t.actor(who), nil, &e)
	runtime.KeepAlive(g)
	return check(status, e)
}

// VerifyAudit verifies an applicant's whole audit, and says how many entries it has.
func (g *Engine) VerifyAudit(applicant string, who Actor) (int, error) {
	var t texts
	defer t.free()
	var entries C.uint64_t
	var e *C.hirenow_error
	status := C.hirenow_verify_audit(g.handle, t.add(applicant), t.actor(who), &entries, nil, &e)
	runtime.KeepAlive(g)
	return int(entries), check(status, e)
}
