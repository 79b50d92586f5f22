import { type BatchItem, itemsOfPart, type Outcome, type PublishResult } from '@asyncfn/queue-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { endedCall } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway[Symbol.asyncDispose]());

interface Answer {
  readonly code?: string;
  readonly calls: { callId?: string; status: string; problem?: { code: string } }[];
}

async function send(lines: object[], headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/async-batch`, {
    method: 'POST',
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
    headers: { 'Content-Type': 'application/x-ndjson', ...headers },
  });
  return { status: response.status, headers: response.headers, answer: (await response.json()) as Answer };
}

const stored = { kind: 'stored', sequence: 1, duplicate: false } as const;
const timedOut = { kind: 'refused', reason: 'timeout', detail: 'no answer' } as const;

/** A sealed batch with its items in the given parts. */
function putBatch(batchId: string, parts: (readonly BatchItem[] | undefined)[]): void {
  const { states, items } = gateway.batches;
  const total = parts.flat().length;
  const created = { v: 1, batchId, startTime: '1700000000000000000', createdAt: 17, refused: 0 } as const;
  states.set(batchId, { ...created, phase: 'sealed', parts: parts.length, total });
  for (const [part, each] of parts.entries()) {
    if (each !== undefined) {
      items.set(`${batchId}/${part}`, each);
    }
  }
}

test('the results of a batch have the right index after a lost part', async () => {
  putBatch('lossy', [undefined, [{ callId: 'lossy-256', function: 'echo', queue: 'default' }]]);
  const response = await fetch(`${gateway.url}/async-batch/lossy/results`);
  expect(await response.json()).toMatchObject({ index: itemsOfPart, callId: 'lossy-256' });
});

test('lines are accepted however large the body of a single call may be', async () => {
  await using large = await startTestGateway({ maxBodyBytes: 56 * 1024 * 1024 });
  const headers = { 'Content-Type': 'application/x-ndjson' };
  const response = await fetch(`${large.url}/async-batch`, { method: 'POST', body: '{"function":"echo"}', headers });
  expect([response.status, await response.json()]).toMatchObject([202, { accepted: 1 }]);
});

test('a batch whose key the broker did not decide stores it again', async () => {
  const { batches } = gateway.batches;
  const { putKey } = batches;
  const answers: PublishResult[] = [{ kind: 'refused', reason: 'undecided', detail: 'another is being stored' }];
  batches.putKey = async (of, key) => answers.pop() ?? putKey(of, key);
  expect(await send([{ function: 'echo' }], { 'Idempotency-Key': 'undecided' })).toMatchObject({ status: 202 });
  batches.putKey = putKey;
});

test('a batch whose seal is not confirmed may be sealed, and the answer says so', async () => {
  const { batches } = gateway.batches;
  const { putState } = batches;
  batches.putState = async (state, after) => (state.phase === 'sealed' ? timedOut : putState(state, after));
  const { status, answer } = await send([{ function: 'echo' }]);
  batches.putState = putState;
  expect({ status, answer }).toMatchObject({
    status: 503,
    answer: { code: 'broker_unavailable', detail: expect.stringContaining('may or may not be sealed') },
  });
});

describe('a batch with a key, without any confirmation of the broker', () => {
  const known = { kind: 'refused', reason: 'conflict', detail: 'known' } as const;
  let broker: 'slow' | 'well' = 'well';

  beforeEach(() => {
    const { queue, calls, batches } = gateway;
    queue.accepted.length = 0;
    calls.states.clear();
    queue.answer = ({ id }) => (broker === 'slow' ? timedOut : calls.states.has(id) ? known : stored);
    batches.store.recordOutcome = async (outcome: Outcome) => {
      if (calls.states.has(outcome.callId)) {
        return known;
      }
      calls.states.set(outcome.callId, endedCall(outcome.callId, outcome));
      return stored;
    };
  });

  async function sendTwiceInVain(key: string, items: object[]) {
    broker = 'slow';
    const once = () => send(items, { 'Idempotency-Key': key });
    const answers = [await once(), await once()];
    broker = 'well';
    return answers;
  }

  test('is refused as long as nothing is confirmed, and accepted when it is sent again', async () => {
    const item = { function: 'echo' };
    for (const { status, headers, answer } of await sendTwiceInVain('a', [item, item])) {
      expect({ status, again: headers.has('retry-after'), answer }).toMatchObject({ status: 503, again: true });
    }
    const { status, answer } = await send([item, item], { 'Idempotency-Key': 'a' });
    expect(status).toBe(202);
    expect(answer.calls.map((call) => call.status)).toEqual(['queued', 'queued']);
    const accepted = gateway.queue.accepted.map(({ call }) => call);
    expect(accepted.map(({ id }) => id)).toEqual(answer.calls.map(({ callId }) => callId));
    expect(accepted.map(({ batch }) => batch?.index)).toEqual([0, 1]);
    expect(accepted.some(({ id }) => gateway.calls.states.has(id))).toBe(false);
  });

  test('does not give its items other ids than those that the client chose', async () => {
    const item = { function: 'echo', headers: { 'X-Call-Id': 'mine' } };
    await sendTwiceInVain('b', [item]);
    const { status, answer } = await send([item], { 'Idempotency-Key': 'b' });
    expect({ status, answer }).toMatchObject({ status: 409, answer: { code: 'call_id_conflict' } });
  });
});
