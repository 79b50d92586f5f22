import {
  type Call,
  callFilter,
  callHeader,
  callSubject,
  emptyBody,
  encodeEnvelope,
  identityOf,
  keySubject,
  needsTurn,
  ownerOf,
} from '../../call/index.ts';
import { keyRecordCodec, toKeyRecord } from '../../records/index.ts';
import { expectLast, MessageHeaders, setSchedule } from '../messages/index.ts';
import type { Outgoing } from '../publish/index.ts';

/**
 * A call that is accepted. One that has to wait is a schedule of the server, as a retry is: no process holds it.
 * @param unique store it only while its queue has no call of this id and submitter
 */
export function toCallMessage(call: Call, unique: boolean): Outgoing {
  const { queue, function: name, notBefore, body } = call;
  const identity = identityOf(call);
  // One that is delayed joins the others of its key when it is due.
  const readiness = needsTurn(call) ? 'wait' : 'ready';
  const ready = callSubject({
    queue,
    readiness: notBefore === undefined ? readiness : 'ready',
    function: name,
    ...identity,
  });
  const result = new MessageHeaders();
  result.set(callHeader, encodeEnvelope(call));
  if (unique) {
    // Checked by the stream's leader in one step with storing: no race between two gateways.
    expectLast(result, callFilter(queue, { callId: call.id, owner: ownerOf(call.submitter) }), 0);
  }
  if (notBefore === undefined) {
    const message = { subject: ready, headers: result, body };
    // The expectations of one message would apply to all messages that are stored with it.
    return unique || readiness !== 'ready' ? message : { ...message, group: queue };
  }
  setSchedule(result, ready, notBefore);
  return { subject: callSubject({ queue, readiness: 'later', function: name, ...identity }), headers: result, body };
}

/**
 * The memory of an idempotency key: stored only while its queue has none, and forgotten by the server after `windowMs`.
 * No consumer takes it, so the work queue keeps it until then.
 * @param hash of the key, see `hashKey`
 * @param fingerprint of the call. Default: computed
 */
export function toKeyMessage(call: Call, hash: string, windowMs: number, fingerprint?: string): Outgoing {
  const subject = keySubject(call.queue, hash);
  const result = new MessageHeaders();
  result.set(keyRecordCodec.header, keyRecordCodec.encode(toKeyRecord(call, fingerprint)));
  result.set('Nats-TTL', `${Math.ceil(windowMs / 1000)}s`);
  expectLast(result, subject, 0);
  return { subject, headers: result, body: emptyBody };
}
