package hirenow

/*
#include "hirenow/c/adapters.h"

extern int32_t hirenowGoSend(uintptr_t ctx, hirenow_mail *mail, hirenow_reply *reply);
extern void hirenowGoForget(uintptr_t ctx);

static hirenow_status hirenow_go_send(void *ctx, const hirenow_mail *mail, int32_t *outcome, hirenow_reply *reply) {
  *outcome = hirenowGoSend((uintptr_t)ctx, (hirenow_mail *)mail, reply);
  return HIRENOW_OK;
}
static void hirenow_go_forget_mailer(void *ctx) { hirenowGoForget((uintptr_t)ctx); }
static hirenow_status hirenow_go_mailer(uintptr_t ctx, hirenow_mailer **out, hirenow_error **error) {
  hirenow_mailer_callbacks callbacks = HIRENOW_MAILER_CALLBACKS_INIT;
  callbacks.ctx = (void *)ctx;
  callbacks.send = hirenow_go_send;
  callbacks.destroy = hirenow_go_forget_mailer;
  return hirenow_mailer_new(&callbacks, out, error);
}
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
)

// Mail is a rendered mail.
type Mail struct{ MessageID, To, Subject, Text string }

// Send delivers a mail. An error is a temporary failure, or a permanent one where it is Refused.
type Send func(Mail) error

// Refused is what no further try will change.
type Refused struct{ Answer string }

func (r Refused) Error() string { return r.Answer }

//export hirenowGoSend
func hirenowGoSend(ctx C.uintptr_t, m *C.hirenow_mail, reply *C.hirenow_reply) C.int32_t {
	mail := Mail{C.GoString(m.message_id), C.GoString(m.to_address), C.GoString(m.subject), C.GoString(m.text)}
	err := cgo.Handle(ctx).Value().(Send)(mail)
	if err == nil {
		return C.HIRENOW_DELIVERY_ACCEPTED
	}
	var t texts
	defer t.free()
	C.hirenow_reply_set_delivery(reply, 0, t.add(err.Error()))
	if _, refused := err.(Refused); refused {
		return C.HIRENOW_DELIVERY_PERMANENT
	}
	return C.HIRENOW_DELIVERY_TEMPORARY
}

// Dispatcher empties the outbox.
type Dispatcher struct{ handle *C.hirenow_dispatcher }

// NewDispatcher makes a dispatcher that sends through a function.
func NewDispatcher(g *Engine, sender string, send Send) (*Dispatcher, error) {
	var t texts
	defer t.free()
	var mailer *C.hirenow_mailer
	var e *C.hirenow_error
	ctx := cgo.NewHandle(send)
	if err := check(C.hirenow_go_mailer(C.uintptr_t(ctx), &mailer, &e), e); err != nil {
		ctx.Delete()
		return nil, err
	}
	defer C.hirenow_mailer_free(mailer)
	options := (*C.hirenow_dispatcher_options)(t.zeroed(C.sizeof_hirenow_dispatcher_options))
	options.struct_size, options.sender_address = C.sizeof_hirenow_dispatcher_options, t.add(sender)
	d := &Dispatcher{}
	status := C.hirenow_dispatcher_new(g.handle, mailer, options, &d.handle, &e)
	runtime.KeepAlive(g)
	if err := check(status, e); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(d, (*Dispatcher).Close)
	return d, nil
}

// Close frees the dispatcher. The finalizer does it, too.
func (d *Dispatcher) Close() {
	runtime.SetFinalizer(d, nil)
	C.hirenow_dispatcher_free(d.handle)
	d.handle = nil
}

// DispatchDue sends what is due now, and says how many mails were accepted.
func (d *Dispatcher) DispatchDue() (int, error) {
	report := C.hirenow_dispatch_report{struct_size: C.sizeof_hirenow_dispatch_report}
	var e *C.hirenow_error
	status := C.hirenow_dispatcher_dispatch_due(d.handle, 0, &report, &e)
	runtime.KeepAlive(d)
	return int(report.accepted), check(status, e)
}
