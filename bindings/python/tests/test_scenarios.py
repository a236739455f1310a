"""Whole stories with a clock, from tests/spec/scenarios.json, over every store."""

from datetime import timedelta

import pytest
from conftest import Mailbox, World, instant, spec, token_in

import hirenow
from hirenow import Actor, Applicant, DeliveryOutcome, Fact, FactKind, InterviewState, Outcome, Overtime, Role

SCENARIOS = spec("scenarios.json")["scenarios"]


def text_of(at):
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def of_interview(i, **more):
    return {"state": i.state.value, "attempt": i.attempt, "outcome": i.outcome.value, "start_by": text_of(i.start_by),
            "deadline": text_of(i.deadline), **more}


class Player:
    """Plays one scenario. What a call does not take is a mistake in the file, and raises."""

    def __init__(self, store, policy):
        self.world = World(store, policy=policy)
        self.engine, self.clock = self.world.engine, self.world.clock
        self.mailbox = Mailbox()
        self.dispatcher = hirenow.Dispatcher(self.engine, self.mailbox, sender="jobs@acme.example")
        self.interviews, self.links, self.sessions, self.waivers, self.checkpoints = {}, {}, {}, {}, {}

    def play(self, step):
        args = {k: v for k, v in step.items() if k not in ("do", "expect", "error", "error_has", "names")}
        if "error" in step:
            with pytest.raises(hirenow.Error) as raised:
                self.call(step["do"], step.get("names"), args)
            assert raised.value.code.name.lower() == step["error"]
            self.compare(self.of_error(raised.value), step.get("error_has", {}))
        else:
            self.compare(self.call(step["do"], step.get("names"), args), step.get("expect", {}))

    @staticmethod
    def compare(answer, due):
        assert {k: answer[k] for k in due} == due

    def of_error(self, error):
        by = getattr(error, "superseded_by", None)
        return {"reason": error.reason, "eligible_at": text_of(getattr(error, "eligible_at", None)),
                "superseded_by": next((name for name, id in self.interviews.items() if id == by), None)}

    def call(self, what, names, args):
        given = {}
        for name, value in args.items():
            if name == "as":
                given["actor"] = Actor(args.get("id", value), "acme", [] if value == "nobody" else [Role(value)])
            elif name == "id":
                continue
            elif name == "waiver":
                given["number"] = self.waivers[value]
            elif name == "expires_in":
                given["expires_at"] = self.clock.now() + timedelta(seconds=value)
            elif name == "rule":
                given["rule_id"] = value
            elif name == "checkpoint":
                given[name] = self.checkpoints[value]
            elif name in ("active_from", "at", "until"):
                given[name] = instant(value)
            elif name == "interview":
                given["interview_id"] = self.interviews[value]
            elif name == "link":
                given["token"] = token_in(self.links[value])
            elif name == "session":
                given["session"] = self.sessions[value]
            elif name in ("link_lifetime", "time_limit", "grace", "extra", "pause"):
                given[name] = timedelta(seconds=value)
            elif name == "opens_at":
                given[name] = instant(value)
            else:
                given[name] = value
        return getattr(self, "do_" + what)(names, **given)

    def person(self, id, email=None):
        return Applicant(id, email or f"{id}@applicants.example", id, "en", "Europe/Vienna")

    def invitation(self, names, got, **more):
        if names:
            self.interviews[names], self.links[names] = got.interview.id, got.link
        return of_interview(got.interview, link=bool(got.link), replayed=got.replayed, **more)

    def changed(self, got):
        return of_interview(got.interview, replayed=got.replayed)

    def do_wait(self, _, seconds):
        self.clock.advance(timedelta(seconds=seconds))

    def do_schedule(self, names, applicant, track, overtime="expire", **more):
        more["overtime"] = Overtime(overtime)
        return self.invitation(names, self.engine.schedule(self.person(applicant), track, **more))

    def do_retake(self, names, **args):
        got = self.engine.retake(**args)
        return self.invitation(names, got, archived=got.archived.state.value)

    def do_reissue(self, names, **args):
        return self.invitation(names, self.engine.reissue(**args))

    def seat(self, names, got):
        if names:
            self.sessions[names] = got.session
        return of_interview(got.interview, left=int(got.left.total_seconds()),
                            progress=got.progress.data.decode() if got.progress else None)

    def do_start(self, names, token, key):
        return self.seat(names, self.engine.start(token, key))

    def do_resume(self, names, token, key):
        return self.seat(names, self.engine.resume(token, key))

    def do_checkpoint(self, _, **args):
        self.engine.checkpoint(**args)
        return {}

    def do_submit(self, _, **args):
        return self.changed(self.engine.submit(**args))

    def do_withdraw(self, _, **args):
        return self.changed(self.engine.withdraw(**args))

    def do_cancel(self, _, **args):
        return self.changed(self.engine.cancel(**args))

    def do_void(self, _, **args):
        return self.changed(self.engine.void_attempt(**args))

    def do_reopen(self, _, **args):
        return self.changed(self.engine.reopen(**args))

    def do_decide(self, _, outcome, **args):
        return self.changed(self.engine.decide(outcome=Outcome(outcome), **args))

    def do_inspect(self, _, **args):
        got = self.engine.inspect(**args)
        return {"verdict": got.verdict.value, "state": got.interview and got.interview.state.value,
                "left": None if got.left is None else int(got.left.total_seconds())}

    def do_request_link(self, _, **args):
        got = self.engine.request_link(**args)
        return {"queued": got.queued, "noted": got.noted}

    def do_eligibility(self, _, **args):
        got = self.engine.retake_eligibility(**args)
        return {"allowed": got.allowed, "reason": got.reason, "eligible_at": text_of(got.eligible_at),
                "attempts_left": got.attempts_left}

    def do_find(self, _, **args):
        return of_interview(self.engine.find(**args))

    def do_actions(self, _, **args):
        return {"allowed": sorted(a.event.value for a in self.engine.permitted_actions(**args) if a.allowed)}

    def do_sweep(self, _):
        got = self.engine.sweep()
        return {"records": got.records, "events": got.events}

    def do_list(self, _, **args):
        got = self.engine.list(**args)
        return {"rows": len(got.rows), "counts": {s.value: got.counts[s] for s in InterviewState if got.counts[s]}}

    def do_update_applicant(self, _, applicant, email, **args):
        self.engine.update_applicant(self.person(applicant, email), **args)
        return {}

    def do_erase(self, _, applicant, **args):
        self.engine.erase_applicant(applicant, **args)
        return {}

    def do_verify_audit(self, _, applicant, **args):
        return {"entries": self.engine.verify_audit(applicant, **args).entries}

    def exception(self, names, got):
        if names:
            self.waivers[names] = got.waiver.number
        return {"state": got.waiver.state.value, "replayed": got.replayed}

    def do_grant_waiver(self, names, applicant, **args):
        return self.exception(names, self.engine.grant_waiver(applicant, **args))

    def do_approve_waiver(self, names, applicant, number, **args):
        return self.exception(names, self.engine.approve_waiver(applicant, number, **args))

    def do_revoke_waiver(self, names, applicant, number, **args):
        return self.exception(names, self.engine.revoke_waiver(applicant, number, **args))

    def do_waivers(self, _, applicant, **args):
        return {"states": [w.state.value for w in self.engine.waivers(applicant, **args)]}

    def do_set_policy(self, _, policy, running_waits="replace", **args):
        self.engine.set_policy(policy, running_waits=hirenow.RunningWaits(running_waits), **args)
        return {}

    def do_what_if(self, _, policy, running_waits="replace", **args):
        page, = self.engine.what_if(policy, running_waits=hirenow.RunningWaits(running_waits), **args)
        return {name: getattr(page.counts, name) for name in
                ("applicants", "interviews", "tracks", "eligible_now", "eligible_then", "become", "cease", "sooner",
                 "later")}

    def do_policies(self, _, **args):
        return {"count": len(list(self.engine.policies(**args)))}

    def do_accommodate(self, _, **args):
        return self.changed(self.engine.accommodate(**args))

    def do_record_fact(self, _, applicant, kind, name, at, track="", until=None, **args):
        fact = Fact(FactKind(kind), name, at, until=until, track=track)
        return {"replayed": self.engine.record_fact(applicant, fact, **args).replayed}

    def messages(self, interview_id, actor):
        return self.engine.read_messages(actor=actor, interview_id=interview_id)

    def do_messages(self, _, **args):
        return {"messages": [{"kind": m.key.kind.value, "state": m.state.value, "tries": m.tries}
                             for m in self.messages(**args)]}

    def do_redrive(self, _, message, **args):
        self.engine.redrive(self.messages(**args)[message].key, actor=args["actor"])
        return {}

    def do_drop(self, _, message, **args):
        self.engine.drop(self.messages(**args)[message].key, actor=args["actor"])
        return {}

    def do_history(self, _, **args):
        got = self.engine.history(**args)
        return {"attempts": [i.state.value for i in got.attempts], "entries": len(got.entries),
                "messages": len(got.messages), "erased": got.erased}

    def do_read_progress(self, _, **args):
        got = self.engine.read_progress(**args)
        return {"progress": got and got.data.decode()}

    def do_read_audit(self, _, applicant, **args):
        return {"events": [entry.event for entry in self.engine.read_audit(applicant, **args)]}

    def do_audit_checkpoint(self, names, **args):
        self.checkpoints[names] = self.engine.audit_checkpoint(**args)
        return {}

    def do_verify_checkpoint(self, _, checkpoint, **args):
        return {"records": self.engine.verify_audit_checkpoint(checkpoint, **args)}

    def do_dispatch(self, _, server="takes"):
        self.mailbox.mails.clear()
        self.mailbox.outcome = {"takes": DeliveryOutcome.ACCEPTED, "refuses": DeliveryOutcome.PERMANENT,
                                "defers": DeliveryOutcome.TEMPORARY}[server]
        self.dispatcher.dispatch_due()
        mails = [{"kind": mail.message_id.split(".")[1], "to": mail.to_address,
                  "link": next((n for n, link in self.links.items() if link and link in mail.text), None)}
                 for mail in self.mailbox.mails]
        return {"mails": sorted(mails, key=lambda m: (m["kind"], m["to"]))}


@pytest.mark.parametrize("store", ["memory", "sqlite"])
@pytest.mark.parametrize("scenario", [pytest.param(s, id=s["name"]) for s in SCENARIOS])
def test_every_scenario_goes_as_it_is_written(scenario, store, tmp_path):
    player = Player("memory:" if store == "memory" else f"sqlite:{tmp_path / 'ats.db'}", scenario["policy"])
    with player.engine:
        for step in scenario["steps"]:
            player.play(step)
