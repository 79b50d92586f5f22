import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { AttackTarget, StartAttack } from './attack.ts';

const clients = 8;
const mebibyte = 1024 * 1024;
const mebibytes = 64;

/** Clients that send a large body as fast as it is taken, wait until its call has ended, and send the next one. */
export const largeBodies: StartAttack = (target) => {
  const over = new AbortController();
  const pool = new Pool(target.gatewayUrl);
  const answers = new Map<number, number>();
  const send = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { status, callId } = await post(pool, target, over.signal);
      answers.set(status, (answers.get(status) ?? 0) + 1);
      await untilEnded(pool, target, callId, over.signal);
    }
  };
  const count = Math.max(1, Math.round(clients * (target.scale ?? 1)));
  const sending = Array.from({ length: count }, () => send().catch(() => undefined));
  return Promise.resolve({
    answers,
    [Symbol.dispose]() {
      over.abort();
      void Promise.all(sending).then(() => pool.destroy());
    },
  });
};

async function post(pool: Pool, { token }: AttackTarget, signal: AbortSignal) {
  const { statusCode, headers, body } = await pool.request({
    method: 'POST',
    path: '/async-function/fast',
    headers: { authorization: `Bearer ${token}`, 'content-length': String(mebibytes * mebibyte) },
    body: Readable.from(pieces(), { objectMode: false, highWaterMark: mebibyte }),
    signal,
  });
  await body.dump();
  return { status: statusCode, callId: String(headers['x-call-id']) };
}

async function untilEnded(pool: Pool, { token }: AttackTarget, callId: string, signal: AbortSignal): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const { body } = await pool.request({ method: 'GET', path: `/async-function/${callId}?wait=1m`, headers, signal });
  await body.dump();
}

function* pieces(): Generator<Buffer> {
  const piece = randomBytes(mebibyte);
  for (let sent = 0; sent < mebibytes; sent++) {
    yield piece;
  }
}
