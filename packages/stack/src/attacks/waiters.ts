import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../clients/index.ts';
import { type AttackTarget, type StartAttack, toAttackRequest } from './attack.ts';
import { PipelinedClients } from './pipelined-clients.ts';

const waiters = 2_000;
/** To open all at once would occupy a gateway for a fifth of a second. */
const steps = 40;
const everyMs = 20;
/** Connections that end each time, and are followed by others. */
const turnover = 2;

/** Thousands of connections that wait, each for a call that is not due. Some leave and come again all the time. */
export function waitFor(query: string, headers: Readonly<Record<string, string>> = {}): StartAttack {
  return async (target) => {
    const callId = await scheduledCall(target);
    const request = toAttackRequest(target, `GET /async-function/${callId}${query}`, headers);
    const clients = new PipelinedClients(target.gatewayUrl, 0);
    for (let step = 0; step < steps; step += 1) {
      clients.grow(Math.round((waiters / steps) * (target.scale ?? 1)));
      clients.sendOnNew(request);
      await delay(everyMs);
    }
    const timer = setInterval(() => {
      clients.renew(turnover);
      clients.sendOnNew(request);
    }, everyMs);
    return {
      answers: clients.answers,
      [Symbol.dispose]() {
        clearInterval(timer);
        clients[Symbol.dispose]();
      },
    };
  };
}

async function scheduledCall({ gatewayUrl, token }: AttackTarget): Promise<string> {
  await using client = new ApiClient(gatewayUrl, 1);
  return await client.accept('fast', { headers: { Authorization: `Bearer ${token}`, 'X-Delay': '1h' } });
}
