package hirenow

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"
)

// player plays one scenario. What a step does not ask for is a mistake in the file.
type player struct {
	t          *testing.T
	engine     *Engine
	clock      *Clock
	dispatcher *Dispatcher
	mails      []Mail
	interviews map[string]string
	links      map[string]string
	sessions   map[string]Session
	waivers    map[string]uint64
	statements map[string]string
	server     string
}

// step is a call with its arguments, and which of them were asked for.
type step struct {
	t     *testing.T
	args  object
	asked map[string]bool
}

func (s step) find(name string) interface{} {
	s.asked[name] = true
	return s.args[name]
}
func (s step) text(name string) string {
	if v := s.find(name); v != nil {
		return text(v)
	}
	return ""
}
func (s step) span(name string) int64 {
	if v := s.find(name); v != nil {
		return int64(v.(float64))
	}
	return 0
}
func (s step) maybe(name string) *int64 {
	if s.find(name) == nil {
		return nil
	}
	v := s.span(name)
	return &v
}
func (s step) who() Actor {
	word := s.text("as")
	bits, ok := roles[word]
	if !ok {
		s.t.Fatal("no role", word)
	}
	if id := s.text("id"); id != "" {
		return Actor{id, "acme", bits}
	}
	return Actor{word, "acme", bits}
}
func (s step) person() Applicant {
	id := s.text("applicant")
	return Applicant{id, id + "@applicants.example", id, "en", "Europe/Vienna"}
}

func instantText(at *int64) interface{} {
	if at == nil {
		return nil
	}
	return time.Unix(*at, 0).UTC().Format("2006-01-02T15:04:05Z")
}

func ofInterview(i Interview) object {
	return object{"state": i.State, "attempt": i.Attempt, "outcome": i.Outcome, "start_by": instantText(&i.StartBy),
		"deadline": instantText(i.Deadline)}
}

func (p *player) invited(s step, i Interview, err error) (object, error) {
	name := s.text("names")
	if err != nil {
		return nil, err
	}
	if name != "" {
		p.interviews[name], p.links[name] = i.ID, i.Link
	}
	answer := ofInterview(i)
	answer["link"], answer["replayed"] = i.Link != "", i.Replayed
	if i.Archived != "" {
		answer["archived"] = i.Archived
	}
	return answer, nil
}

func changed(i Interview, err error) (object, error) {
	answer := ofInterview(i)
	answer["replayed"] = i.Replayed
	return answer, err
}

func (p *player) seated(s step, got Sitting, err error) (object, error) {
	name := s.text("names")
	if err != nil {
		return nil, err
	}
	if name != "" {
		p.sessions[name] = got.Session
	}
	answer := ofInterview(got.Interview)
	answer["left"], answer["progress"] = got.Left, nil
	if got.Progress != nil {
		answer["progress"] = string(got.Progress)
	}
	return answer, nil
}

func (p *player) about(s step) string { return p.interviews[s.text("interview")] }
func (p *player) token(s step) string { return tokenIn(p.links[s.text("link")]) }

func (p *player) call(what string, s step) (object, error) {
	g := p.engine
	switch what {
	case "wait":
		p.clock.Set(p.clock.Now() + s.span("seconds"))
		return object{}, nil
	case "schedule":
		terms := Terms{LinkLifetime: s.span("link_lifetime"), TimeLimit: s.span("time_limit"), Grace: s.span("grace"),
			OvertimeSubmits: s.text("overtime") == "submit", IdempotencyKey: s.text("idempotency_key")}
		if opens := s.find("opens_at"); opens != nil {
			terms.OpensAt = instant(p.t, opens)
		}
		i, err := g.Schedule(s.person(), s.text("track"), terms, s.who())
		return p.invited(s, i, err)
	case "retake":
		i, err := g.Do("retake", p.about(s), Change{IdempotencyKey: s.text("idempotency_key")}, s.who())
		return p.invited(s, i, err)
	case "reissue":
		i, err := g.Do("reissue", p.about(s), Change{LinkLifetime: s.span("link_lifetime")}, s.who())
		return p.invited(s, i, err)
	case "start":
		got, err := g.Start(p.token(s), s.text("key"))
		return p.seated(s, got, err)
	case "resume":
		got, err := g.Resume(p.token(s), s.text("key"))
		return p.seated(s, got, err)
	case "checkpoint":
		return object{}, g.Checkpoint(p.sessions[s.text("session")], []byte(s.text("progress")))
	case "submit":
		return changed(g.Submit(p.sessions[s.text("session")]))
	case "withdraw":
		return changed(g.Withdraw(p.token(s)))
	case "cancel", "void", "reopen":
		with := Change{}
		if what == "void" {
			with.ReasonCode = s.text("reason_code")
		}
		if what == "reopen" {
			with.Reason = s.text("reason")
		}
		return changed(g.Do(what, p.about(s), with, s.who()))
	case "accommodate":
		more := Accommodation{uint32(s.span("percent")), s.maybe("extra"), s.maybe("pause"), s.maybe("grace")}
		return changed(g.Do(what, p.about(s), Change{ReasonCode: s.text("reason_code"),
			IdempotencyKey: s.text("idempotency_key"), Accommodation: more}, s.who()))
	case "decide":
		event := map[string]string{"passed": "pass", "failed": "fail", "on_hold": "hold"}[s.text("outcome")]
		return changed(g.Do(event, p.about(s), Change{}, s.who()))
	case "update_applicant":
		person := s.person()
		person.Email = s.text("email")
		after, err := g.UpdateApplicant(person, s.who())
		if err == nil && after != person {
			p.t.Errorf("%v is not %v", after, person)
		}
		return object{}, err
	case "erase":
		return object{}, g.Erase(s.text("applicant"), s.who())
	case "verify_audit":
		entries, err := g.VerifyAudit(s.text("applicant"), s.who())
		return object{"entries": entries}, err
	}
	return p.except(what, s)
}

func (p *player) excepted(s step, w Waiver, err error) (object, error) {
	name := s.text("names")
	if err != nil {
		return nil, err
	}
	if name != "" {
		p.waivers[name] = w.Number
	}
	return object{"state": w.State, "replayed": w.Replayed}, nil
}

// except makes the calls about policies and exceptions to them.
func (p *player) except(what string, s step) (object, error) {
	g := p.engine
	switch what {
	case "grant_waiver":
		w, err := g.GrantWaiver(s.text("applicant"), WaiverRequest{Track: s.text("track"), RuleID: s.text("rule"),
			ReasonCode: s.text("reason_code"), ExpiresAt: p.clock.Now() + s.span("expires_in"), Floor: s.text("floor"),
			IdempotencyKey: s.text("idempotency_key")}, s.who())
		return p.excepted(s, w, err)
	case "approve_waiver":
		w, err := g.ApproveWaiver(s.text("applicant"), p.waivers[s.text("waiver")], s.who())
		return p.excepted(s, w, err)
	case "revoke_waiver":
		w, err := g.RevokeWaiver(s.text("applicant"), p.waivers[s.text("waiver")], s.who())
		return p.excepted(s, w, err)
	case "waivers":
		all, err := g.Waivers(s.text("applicant"), s.who())
		states := []string{}
		for _, w := range all {
			states = append(states, w.State)
		}
		return object{"states": asInterfaces(states)}, err
	case "set_policy":
		var from int64
		if at := s.find("active_from"); at != nil {
			from = instant(p.t, at)
		}
		return object{}, g.SetPolicy(s.text("track"), text(s.find("policy")), from, s.text("running_waits") == "keep",
			s.text("idempotency_key"), s.who())
	case "what_if":
		pages := 0
		c, err := g.WhatIf(WhatIfQuery{Document: text(s.find("policy")), Track: s.text("track"),
			KeepsRunningWaits: s.text("running_waits") == "keep"}, func(soFar WhatIfCounts, page string) bool {
			pages++
			return soFar.Applicants == 1 && json.Valid([]byte(page))
		}, s.who())
		if err == nil && pages != 1 {
			p.t.Error("what_if told of", pages, "pages")
		}
		return object{"applicants": c.Applicants, "interviews": c.Interviews, "tracks": c.Tracks,
			"eligible_now": c.EligibleNow, "eligible_then": c.EligibleThen, "become": c.Become, "cease": c.Cease,
			"sooner": c.Sooner, "later": c.Later}, err
	case "policies":
		all, err := g.Policies(s.text("track"), s.who())
		return object{"count": len(all)}, err
	}
	return p.beside(what, s)
}

// beside makes the calls about what stands beside an interview: facts, messages, and the record of all of it.
func (p *player) beside(what string, s step) (object, error) {
	g := p.engine
	switch what {
	case "record_fact":
		fact := Fact{Kind: s.text("kind"), Name: s.text("name"), Track: s.text("track"), At: instant(p.t, s.find("at"))}
		if until := s.find("until"); until != nil {
			fact.Until = instant(p.t, until)
		}
		replayed, err := g.RecordFact(s.text("applicant"), fact, s.text("idempotency_key"), s.who())
		return object{"replayed": replayed}, err
	case "messages":
		all, err := g.Messages(p.about(s), s.who())
		rows := []object{}
		for _, m := range all {
			rows = append(rows, object{"kind": m.Kind, "state": m.State, "tries": m.Tries})
		}
		return object{"messages": rows}, err
	case "redrive", "drop":
		all, err := g.Messages(p.about(s), s.who())
		if err != nil {
			p.t.Fatal(err)
		}
		do := map[string]func(Message, Actor) error{"redrive": g.Redrive, "drop": g.Drop}[what]
		return object{}, do(all[s.span("message")], s.who())
	case "history":
		got, err := g.History(p.about(s), s.who())
		return object{"attempts": got.Attempts, "entries": len(got.Events), "messages": len(got.Messages),
			"erased": got.Erased}, err
	case "read_progress":
		got, err := g.ReadProgress(p.about(s), s.who())
		return object{"progress": string(got)}, err
	case "read_audit":
		got, err := g.ReadAudit(s.text("applicant"), s.who())
		return object{"events": got}, err
	case "audit_checkpoint":
		statement, err := g.AuditCheckpoint(s.who())
		p.statements[s.text("names")] = statement
		return object{}, err
	case "verify_checkpoint":
		records, err := g.VerifyAuditCheckpoint(p.statements[s.text("checkpoint")], s.who())
		return object{"records": records}, err
	}
	return p.look(what, s)
}

// look makes the calls that read, and those of the engine itself.
func (p *player) look(what string, s step) (object, error) {
	g := p.engine
	switch what {
	case "inspect":
		got, err := g.Inspect(p.token(s))
		answer := object{"verdict": got.Verdict}
		if got.Left != nil {
			answer["left"] = *got.Left
		}
		if got.Interview != nil {
			answer["state"] = got.Interview.State
		}
		return answer, err
	case "request_link":
		queued, noted, err := g.RequestLink(p.token(s))
		return object{"queued": queued, "noted": noted}, err
	case "eligibility":
		got, err := g.RetakeEligibility(p.about(s), s.who())
		return object{"allowed": got.Allowed, "reason": got.Reason, "eligible_at": instantText(got.EligibleAt),
			"attempts_left": got.AttemptsLeft}, err
	case "find":
		i, err := g.Find(p.about(s), s.who())
		return ofInterview(i), err
	case "actions":
		allowed, err := g.Actions(p.about(s), s.who())
		sort.Strings(allowed)
		return object{"allowed": asInterfaces(allowed)}, err
	case "sweep":
		records, events, err := g.Sweep()
		return object{"records": records, "events": events}, err
	case "list":
		rows, counts, err := g.List(s.who())
		return object{"rows": rows, "counts": counts}, err
	case "dispatch":
		p.mails, p.server = nil, s.text("server")
		_, err := p.dispatcher.DispatchDue()
		return object{"mails": p.sent()}, err
	}
	p.t.Fatal("unknown call: ", what)
	return nil, nil
}

// sent is what was mailed, by kind and address. The kind stands in the Message-ID.
func (p *player) sent() []object {
	all := []object{}
	for _, mail := range p.mails {
		one := object{"kind": strings.Split(mail.MessageID, ".")[1], "to": mail.To, "link": nil}
		for name, link := range p.links {
			if link != "" && strings.Contains(mail.Text, link) {
				one["link"] = name
			}
		}
		all = append(all, one)
	}
	sort.Slice(all, func(a, b int) bool {
		if all[a]["kind"] != all[b]["kind"] {
			return text(all[a]["kind"]) < text(all[b]["kind"])
		}
		return text(all[a]["to"]) < text(all[b]["to"])
	})
	return all
}

func (p *player) ofError(e *Error) object {
	answer := object{"reason": e.Reason, "eligible_at": instantText(e.EligibleAt)}
	for name, id := range p.interviews {
		if id == e.SupersededBy {
			answer["superseded_by"] = name
		}
	}
	return answer
}

// compare holds an answer against what is due, as JSON: what is left out there is not looked at.
func (p *player) compare(where string, answer object, due interface{}) {
	if due == nil {
		return
	}
	var got object
	if err := json.Unmarshal([]byte(text(answer)), &got); err != nil {
		p.t.Fatal(err)
	}
	for name, want := range due.(object) {
		if value, ok := got[name]; !ok || !reflect.DeepEqual(value, want) {
			p.t.Errorf("%s: %s is %v, not %v", where, name, value, want)
		}
	}
}

func (p *player) play(args object) {
	where := text(args)
	s := step{p.t, args, map[string]bool{"do": true, "expect": true, "error": true, "error_has": true}}
	answer, err := p.call(text(args["do"]), s)
	for name := range args {
		if !s.asked[name] && name != "names" {
			p.t.Fatalf("%s: unknown member %s", where, name)
		}
	}
	want := "ok"
	if name, ok := args["error"]; ok {
		want = text(name)
	}
	if nameOf(err) != want {
		p.t.Errorf("%s: %v, not %s", where, err, want)
		return
	}
	if err != nil {
		p.compare(where, p.ofError(err.(*Error)), args["error_has"])
	} else {
		p.compare(where, answer, args["expect"])
	}
}

func TestScenarios(t *testing.T) {
	scenarios := spec(t, "scenarios.json")["scenarios"].([]interface{})
	if len(scenarios) < 10 {
		t.Errorf("only %d scenarios", len(scenarios))
	}
	for _, v := range scenarios {
		scenario := v.(object)
		for _, store := range []string{"memory", "sqlite"} {
			t.Run(text(scenario["name"])+", "+store, func(t *testing.T) {
				url := "memory:"
				if store == "sqlite" {
					url = "sqlite:" + filepath.Join(t.TempDir(), "ats.db")
				}
				keys, err := NewKeyDocument("k")
				if err != nil {
					t.Fatal(err)
				}
				p := &player{t: t, clock: NewClock(begin), interviews: map[string]string{}, links: map[string]string{},
					sessions: map[string]Session{}, waivers: map[string]uint64{}, statements: map[string]string{}}
				p.engine, err = Open(url, keys, text(scenario["policy"]), "https://example.com/i", p.clock)
				if err != nil {
					t.Fatal(err)
				}
				defer p.engine.Close()
				take := func(mail Mail) error {
					p.mails = append(p.mails, mail)
					switch p.server {
					case "refuses":
						return Refused{"550 no such mailbox"}
					case "defers":
						return errors.New("451 try again later")
					}
					return nil
				}
				if p.dispatcher, err = NewDispatcher(p.engine, "jobs@acme.example", take); err != nil {
					t.Fatal(err)
				}
				defer p.dispatcher.Close()
				for _, s := range scenario["steps"].([]interface{}) {
					p.play(s.(object))
				}
			})
		}
	}
}
