package hirenow

/*
#include "hirenow/c/api.h"

extern int32_t hirenowGoPage(uintptr_t ctx, hirenow_what_if_counts *so_far, char *page);

static int32_t hirenow_go_page(void *ctx, const hirenow_what_if_counts *so_far, const char *page) {
  return hirenowGoPage((uintptr_t)ctx, (hirenow_what_if_counts *)so_far, (char *)page);
}
static hirenow_status hirenow_go_what_if(hirenow_engine *engine, const hirenow_what_if_query *query,
                                         const hirenow_actor *who, uintptr_t ctx, hirenow_what_if_counts *counts,
                                         hirenow_error **error) {
  return hirenow_what_if(engine, query, who, ctx ? hirenow_go_page : NULL, (void *)ctx, counts, error);
}
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
)

// Waiver is an exception to one rule of the retake policy. Its number names it within the applicant's record.
type Waiver struct {
	Number                                  uint64
	Track, RuleID, ReasonCode, Floor, State string
	GrantedBy, ApprovedBy, UsedFor          string
	GrantedAt, ExpiresAt                    int64
	Replayed                                bool // of a change: the answer of an earlier call with the same key
}

// WaiverStates are the words of a waiver's states, by number.
var WaiverStates = []string{"proposed", "granted", "used", "lapsed", "revoked"}

// WaiverRequest asks for an exception to one rule. The floor is the part of a wait that stays, as "P7D".
type WaiverRequest struct {
	Track, RuleID, ReasonCode, Floor, Reason, IdempotencyKey string
	ExpiresAt                                                int64
}

func readWaiver(w *C.hirenow_waiver_row) Waiver {
	return Waiver{
		Number: uint64(w.number), Track: C.GoString(w.track), RuleID: C.GoString(w.rule_id),
		ReasonCode: C.GoString(w.reason_code), Floor: C.GoString(w.floor), State: WaiverStates[w.state],
		GrantedBy: C.GoString(w.granted_by), ApprovedBy: C.GoString(w.approved_by),
		UsedFor: C.GoString(&w.used_for[0]), GrantedAt: int64(w.granted_at), ExpiresAt: int64(w.expires_at),
	}
}

func waiver(status C.hirenow_status, rows *C.hirenow_rows, replayed C.int32_t, e *C.hirenow_error) (Waiver, error) {
	if err := check(status, e); err != nil {
		return Waiver{}, err
	}
	defer C.hirenow_rows_free(rows)
	w := readWaiver(C.hirenow_rows_get_waiver(rows, 0))
	w.Replayed = replayed != 0
	return w, nil
}

// GrantWaiver grants an exception, or proposes it where the policy wants a second person.
func (g *Engine) GrantWaiver(applicant string, what WaiverRequest, who Actor) (Waiver, error) {
	var t texts
	defer t.free()
	r := (*C.hirenow_waiver_request)(t.zeroed(C.sizeof_hirenow_waiver_request))
	r.struct_size = C.sizeof_hirenow_waiver_request
	r.applicant_id, r.track, r.rule_id = t.add(applicant), t.add(what.Track), t.add(what.RuleID)
	r.reason_code, r.floor, r.reason = t.add(what.ReasonCode), t.add(what.Floor), t.add(what.Reason)
	r.expires_at, r.idempotency_key = C.int64_t(what.ExpiresAt), t.key(what.IdempotencyKey)
	var rows *C.hirenow_rows
	var replayed C.int32_t
	var e *C.hirenow_error
	status := C.hirenow_grant_waiver(g.handle, r, t.actor(who), &rows, &replayed, &e)
	runtime.KeepAlive(g)
	return waiver(status, rows, replayed, e)
}

// ApproveWaiver approves a proposed waiver. Somebody else does it than who proposed it.
func (g *Engine) ApproveWaiver(applicant string, number uint64, who Actor) (Waiver, error) {
	var t texts
	defer t.free()
	var rows *C.hirenow_rows
	var replayed C.int32_t
	var e *C.hirenow_error
	status := C.hirenow_approve_waiver(g.handle, t.add(applicant), C.uint64_t(number), t.actor(who), nil, &rows,
		&replayed, &e)
	runtime.KeepAlive(g)
	return waiver(status, rows, replayed, e)
}

// RevokeWaiver revokes a waiver that is open.
func (g *Engine) RevokeWaiver(applicant string, number uint64, who Actor) (Waiver, error) {
	var t texts
	defer t.free()
	var rows *C.hirenow_rows
	var replayed C.int32_t
	var e *C.hirenow_error
	status := C.hirenow_revoke_waiver(g.handle, t.add(applicant), C.uint64_t(number), t.actor(who), nil, &rows,
		&replayed, &e)
	runtime.KeepAlive(g)
	return waiver(status, rows, replayed, e)
}

// Waivers are all of an applicant, by number.
func (g *Engine) Waivers(applicant string, who Actor) ([]Waiver, error) {
	var t texts
	defer t.free()
	var rows *C.hirenow_rows
	var e *C.hirenow_error
	status := C.hirenow_waivers(g.handle, t.add(applicant), t.actor(who), &rows, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return nil, err
	}
	defer C.hirenow_rows_free(rows)
	all := []Waiver{}
	for n := C.size_t(0); n < C.hirenow_rows_get_waiver_count(rows); n++ {
		all = append(all, readWaiver(C.hirenow_rows_get_waiver(rows, n)))
	}
	return all, nil
}

// StoredPolicy is a retake policy as it was set.
type StoredPolicy struct {
	Track, Document, SetBy string
	SetAt, ActiveFrom      int64
	KeepsRunningWaits      bool
	Number                 uint64
}

// SetPolicy sets the policy of the actor's tenant, or of one track, from an instant on; 0 is at once. An empty document
// takes it away. An applicant whose newest attempt is older may stay with the policy before, up to the next attempt. A
// repetition that comes late puts it in the place of what was set since, unless both bear one idempotency key.
func (g *Engine) SetPolicy(track, document string, from int64, keepRunningWaits bool, idempotencyKey string,
	who Actor) error {
	var t texts
	defer t.free()
	when := C.hirenow_activation{struct_size: C.sizeof_hirenow_activation, from: C.int64_t(from),
		idempotency_key: t.add(idempotencyKey)}
	if keepRunningWaits {
		when.running_waits = C.HIRENOW_RUNNING_WAITS_KEEP
	}
	var e *C.hirenow_error
	status := C.hirenow_activate_policy(g.handle, t.add(track), t.add(document), t.actor(who), &when, &e)
	runtime.KeepAlive(g)
	return check(status, e)
}

// Policies are those of the actor's tenant, or of one track, the last one first: at most fifty.
func (g *Engine) Policies(track string, who Actor) ([]StoredPolicy, error) {
	var t texts
	defer t.free()
	var rows *C.hirenow_rows
	var e *C.hirenow_error
	status := C.hirenow_policies(g.handle, t.add(track), t.actor(who), C.HIRENOW_NONE, 0, 0, &rows, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return nil, err
	}
	defer C.hirenow_rows_free(rows)
	all := []StoredPolicy{}
	for n := C.size_t(0); n < C.hirenow_rows_get_policy_count(rows); n++ {
		p := C.hirenow_rows_get_policy_at(rows, n)
		all = append(all, StoredPolicy{C.GoString(p.track), C.GoString(p.document), C.GoString(p.set_by), int64(p.set_at),
			int64(p.active_from), p.running_waits == C.HIRENOW_RUNNING_WAITS_KEEP, uint64(p.number)})
	}
	return all, nil
}

// WhatIfQuery asks what would change if a policy were set now: the tenant's own, or a track's.
type WhatIfQuery struct {
	Document, Track   string
	KeepsRunningWaits bool
	Limit             uint64 // applicants of one page; 0 is 100
}

// WhatIfCounts are how many tracks of how many applicants a policy would change.
type WhatIfCounts struct {
	Applicants, Interviews, Tracks, EligibleNow, EligibleThen, Become, Cease, Sooner, Later uint64
}

// WhatIfPage is told of each page: what was counted so far, and the page's rows as a JSON document. False ends it.
type WhatIfPage func(soFar WhatIfCounts, page string) bool

func readCounts(c *C.hirenow_what_if_counts) WhatIfCounts {
	return WhatIfCounts{uint64(c.applicants), uint64(c.interviews), uint64(c.tracks), uint64(c.eligible_now),
		uint64(c.eligible_then), uint64(c.become), uint64(c.cease), uint64(c.sooner), uint64(c.later)}
}

//export hirenowGoPage
func hirenowGoPage(ctx C.uintptr_t, soFar *C.hirenow_what_if_counts, page *C.char) C.int32_t {
	if cgo.Handle(ctx).Value().(WhatIfPage)(readCounts(soFar), C.GoString(page)) {
		return 0
	}
	return 1
}

// WhatIf holds all applicants of the actor's tenant against a policy that nobody has set yet, and changes nothing. It
// tells `page`, which may be nil, of every page.
func (g *Engine) WhatIf(query WhatIfQuery, page WhatIfPage, who Actor) (WhatIfCounts, error) {
	var t texts
	defer t.free()
	q := (*C.hirenow_what_if_query)(t.zeroed(C.sizeof_hirenow_what_if_query))
	q.struct_size = C.sizeof_hirenow_what_if_query
	q.document, q.track, q.limit = t.add(query.Document), t.add(query.Track), C.size_t(query.Limit)
	if query.KeepsRunningWaits {
		q.running_waits = C.HIRENOW_RUNNING_WAITS_KEEP
	}
	var ctx C.uintptr_t
	if page != nil {
		handle := cgo.NewHandle(page)
		defer handle.Delete()
		ctx = C.uintptr_t(handle)
	}
	counts := C.hirenow_what_if_counts{struct_size: C.sizeof_hirenow_what_if_counts}
	var e *C.hirenow_error
	status := C.hirenow_go_what_if(g.handle, q, t.actor(who), ctx, &counts, &e)
	runtime.KeepAlive(g)
	return readCounts(&counts), check(status, e)
}
