import { randomBytes } from 'node:crypto';
import { sendAtRate } from './at-rate.ts';
import { type Attack, type AttackTarget, type StartAttack, toAttackRequest } from './attack.ts';
import { PipelinedClients } from './pipelined-clients.ts';

/** A request of an attack: its number, and a text that no other attack has in its names. */
type ToRequest = (target: AttackTarget, index: number, nonce: string) => Buffer;

const connections = 64;

/** Sends requests at a steady rate, on many connections. */
export function requests(perSecond: number, toRequest: ToRequest): StartAttack {
  return (target) => {
    const nonce = randomBytes(4).toString('hex');
    const clients = new PipelinedClients(target.gatewayUrl, connections);
    const over = new AbortController();
    const rate = perSecond * (target.scale ?? 1);
    sendAtRate(clients, rate, (index) => toRequest(target, index, nonce), over.signal);
    const attack: Attack = {
      answers: clients.answers,
      [Symbol.dispose]() {
        over.abort();
        clients[Symbol.dispose]();
      },
    };
    return Promise.resolve(attack);
  };
}

/** A call of the attacker's function of this name. */
export function call(target: AttackTarget, name: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  return toAttackRequest(target, `POST /async-function/${name}`, headers, '{"some":"body"}');
}

/** A call whose result goes to a path of the attacker's receiver, at one of its addresses. */
export function callWithReceiver(target: AttackTarget, name: string, host: string, path: string): Buffer {
  return call(target, name, { 'X-Callback-Url': `http://${host}:${target.server.port}${path}` });
}

/** By turns an unknown function, an unknown token, and an unknown call. */
export const refused: ToRequest = (target, index) =>
  [
    call(target, 'no-such-function'),
    call({ ...target, token: 'no-such-token' }, 'fast'),
    toAttackRequest(target, 'GET /async-function/no-such-call'),
  ][index % 3] as Buffer;
