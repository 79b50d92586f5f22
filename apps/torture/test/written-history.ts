import type { HistoryEvent } from '../src/history/event.ts';
import type { Happening } from '../src/history/history.ts';
import { expectedEnd, type Plan } from '../src/plan.ts';

/** A call that needs nothing in particular. */
export const plainPlan: Plan = {
  tenant: 'north',
  function: 'quick',
  steps: [{ status: 200, delayMs: 0 }],
  maxRetries: 3,
  callback: 'none',
  ownId: false,
  bodyBytes: 0,
  notBeforeMs: 0,
  expiresInMs: 0,
  isRepeated: false,
  look: 'none',
};

/** A history that tests write by hand: events at given times, in any order. */
export class WrittenHistory {
  readonly events: HistoryEvent[] = [];
  #invocations = 0;

  at(at: number, happening: Happening): this {
    this.events.push({ at, ...happening });
    return this;
  }

  sent(request: number, plan: Plan, at = 0): this {
    const callId = plan.ownId ? idOf(request) : undefined;
    return this.at(at, { kind: 'sent', request, gateway: 'gateway-1', plan, callId });
  }

  accepted(request: number, at = 5): this {
    return this.at(at, { kind: 'answered', request, status: 202, callId: idOf(request) });
  }

  attempt(
    request: number,
    retry: number,
    from: number,
    to: number,
    status: number | undefined,
    worker = 'worker-1',
  ): this {
    this.#invocations += 1;
    const invocation = this.#invocations;
    this.at(from, { kind: 'invoked', request, invocation, callId: idOf(request), retry, worker });
    return this.at(to, { kind: 'returned', request, invocation, status });
  }

  ended(request: number, plan: Plan, at: number): this {
    const { status, attempts, functionStatus } = expectedEnd(plan);
    return this.at(at, { kind: 'ended', callId: idOf(request), status, attempts, functionStatus });
  }

  calledBack(request: number, plan: Plan, at: number): this {
    const { attempts, functionStatus } = expectedEnd(plan);
    const webhookId = idOf(request);
    const content = `result of ${request}`;
    const told = { request, webhookId, functionStatus, retry: attempts - 1, content, status: 204 } as const;
    return this.at(at, { kind: 'called back', ...told });
  }

  fault(fault: number, name: string, from: number, to: number, breaksLeasesOf = 'worker-1'): this {
    const event = { kind: 'fault', fault, name, target: 'worker-1', breaksLeasesOf } as const;
    return this.at(from, { ...event, phase: 'begins' }).at(to, { ...event, phase: 'ends' });
  }

  /** A clock that is off by so many milliseconds for a while. */
  clock(fault: number, target: string, from: number, to: number, jumpMs: number): this {
    const event = { kind: 'fault', fault, name: 'jump clock', target, breaksLeasesOf: 'none', jumpMs } as const;
    return this.at(from, { ...event, phase: 'begins' }).at(to, { ...event, phase: 'ends' });
  }

  missed(request: number, at: number): this {
    return this.at(at, { kind: 'missed', callId: idOf(request) });
  }

  quiet(queued = 0, left: readonly string[] = []): this {
    return this.at(1_000_000, { kind: 'quiet', queued, left });
  }

  /** All events of a call without faults, from `at` on. */
  wholeCall(request: number, plan: Plan, at: number): this {
    this.sent(request, plan, at).accepted(request, at + 5);
    const { attempts } = expectedEnd(plan);
    const start = at + plan.notBeforeMs;
    for (let retry = 0; retry < attempts; retry++) {
      const step = plan.steps[Math.min(retry, plan.steps.length - 1)] ?? plan.steps[0];
      this.attempt(request, retry, start + 10 + retry * 100, start + 20 + retry * 100, step.status);
    }
    const endedAt = start + 25 + (attempts - 1) * 100;
    this.ended(request, plan, endedAt);
    if ((plan.chain ?? 0) > 0) {
      return this.chain(request, plan, endedAt);
    }
    return plan.callback === 'none' ? this : this.calledBack(request, plan, endedAt + 5);
  }

  /** The steps that follow a call, and the callback of the last one. */
  chain(request: number, plan: Plan, endedAt: number): this {
    const { chain = 0 } = plan;
    const count = expectedEnd(plan).status === 'succeeded' ? chain : 0;
    for (let step = 1; step <= count; step++) {
      const stepId = `${idOf(request)}-${step}`;
      const at = endedAt + 10 * step;
      this.at(at, { kind: 'stepped', request, step, stepId, content: 'x', worker: 'worker-1' });
      this.at(at + 5, { kind: 'ended', callId: stepId, rootId: idOf(request), status: 'succeeded', attempts: 1 });
    }
    const webhookId = count === 0 ? idOf(request) : `${idOf(request)}-${count}`;
    return this.at(endedAt + 100, { kind: 'chain told', request, webhookId, content: '200 x', status: 204 });
  }
}

export function idOf(request: number): string {
  return `call-${request}`;
}
