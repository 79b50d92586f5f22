import { SlowClients, type SlowRequest } from '@asyncfn/testkit';
import type { AttackTarget, StartAttack } from './attack.ts';

const clients = 500;
const everyMs = 200;

/** Connections that dribble: a third of them their headers, the others a body of 500 kB. Closed ones come again. */
export const slowBodies: StartAttack = async (target) => {
  const slow = new SlowClients(Number(new URL(target.gatewayUrl).port));
  const count = Math.round(clients * (target.scale ?? 1));
  const open = (more: number): Promise<void> => slow.open(more, (index) => toSlowRequest(target, index));
  await open(count);
  const timer = setInterval(() => void open(count - slow.openConnections), everyMs);
  return {
    answers: new Map(),
    [Symbol.dispose]() {
      clearInterval(timer);
      void slow[Symbol.asyncDispose]();
    },
  };
};

function toSlowRequest({ token }: AttackTarget, index: number): SlowRequest {
  const lines = ['POST /async-function/fast HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${token}`];
  const rest = index % 3 === 0 ? 'X-Header: ' : 'Content-Length: 500000\r\n\r\n';
  return { text: `${lines.join('\r\n')}\r\n${rest}`, dribble: 'x' };
}
