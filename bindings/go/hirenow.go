// Package hirenow is a small wrapper of libhirenow, written as docs/c_abi.md advises: every handle has one owner and a
// finalizer, every error is a value with its code, and every struct begins with its size.
package hirenow

/*
#cgo pkg-config: hirenow
#include <stdlib.h>
#include "hirenow/c/api.h"
*/
import "C"

import (
	"fmt"
	"runtime"
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

// zeroed is a struct that lives as long as the texts.
func (t *texts) zeroed(size C.size_t) unsafe.Pointer {
	c := C.calloc(1, size)
	*t = append(*t, (*C.char)(c))
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

// Claims are what a token says.
type Claims struct {
	Issuer, Audience, Subject, Tenant, InterviewID string
	Generation, Attempt                            uint32
	IssuedAt, NotBefore, ExpiresAt                 int64
}

// VerifyToken says whether a token is genuine, and what it says.
func (k *Keys) VerifyToken(token, issuer, audience string) (Claims, error) {
	var t texts
	defer t.free()
	var genuine *C.hirenow_token
	var e *C.hirenow_error
	status := C.hirenow_token_verify(k.handle, t.add(token), t.add(issuer), t.add(audience), &genuine, &e)
	runtime.KeepAlive(k)
	if err := check(status, e); err != nil {
		return Claims{}, err
	}
	defer C.hirenow_token_free(genuine)
	c := C.hirenow_token_claims{struct_size: C.sizeof_hirenow_token_claims}
	if err := check(C.hirenow_token_get_claims(genuine, &c, nil), nil); err != nil {
		return Claims{}, err
	}
	return Claims{
		C.GoString(c.issuer), C.GoString(c.audience), C.GoString(c.subject), C.GoString(c.tenant),
		C.GoString(c.interview_id), uint32(c.generation), uint32(c.attempt),
		int64(c.issued_at), int64(c.not_before), int64(c.expires_at),
	}, nil
}

// MintToken makes a token with the key of this id. The same claims and key give the same token.
func (k *Keys) MintToken(kid string, claims Claims) (string, error) {
	var t texts
	defer t.free()
	c := (*C.hirenow_token_claims)(t.zeroed(C.sizeof_hirenow_token_claims))
	c.struct_size = C.sizeof_hirenow_token_claims
	c.issuer, c.audience = t.add(claims.Issuer), t.add(claims.Audience)
	c.subject, c.tenant = t.add(claims.Subject), t.add(claims.Tenant)
	c.interview_id = t.add(claims.InterviewID)
	c.generation, c.attempt = C.uint32_t(claims.Generation), C.uint32_t(claims.Attempt)
	c.issued_at, c.not_before = C.int64_t(claims.IssuedAt), C.int64_t(claims.NotBefore)
	c.expires_at = C.int64_t(claims.ExpiresAt)
	var out *C.hirenow_text
	var e *C.hirenow_error
	status := C.hirenow_token_mint(k.handle, t.add(kid), c, &out, &e)
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
	ID            string
	At, DecidedAt int64
	Outcome       int
}

// Evaluate holds attempts against the policy; the answer comes as a JSON document.
func (p *Policy) Evaluate(attempts []Attempt, now int64, schedule bool) (string, error) {
	rows := make([]C.hirenow_attempt, len(attempts)+1)
	for n, a := range attempts {
		rows[n].at, rows[n].decided_at = C.int64_t(a.At), C.int64_t(a.DecidedAt)
		rows[n].outcome = C.int32_t(a.Outcome)
		for k := 0; k < len(a.ID) && k < len(rows[n].id)-1; k++ {
			rows[n].id[k] = C.char(a.ID[k])
		}
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

// Version is the name that its author gave the policy.
func (p *Policy) Version() string {
	defer runtime.KeepAlive(p)
	return C.GoString(C.hirenow_policy_get_version(p.handle))
}

// Hash is the SHA-256 of the document, in hexadecimal digits.
func (p *Policy) Hash() string {
	defer runtime.KeepAlive(p)
	return C.GoString(C.hirenow_policy_get_hash(p.handle))
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
