import { connect } from 'node:net';

/** The answer to the bytes that were sent. */
export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly head: string; readonly text: string }
  | { readonly kind: 'nothing'; readonly why: string };

/** How long an answer may take before the request counts as incomplete, in milliseconds. */
const patienceMs = 3_000;

/**
 * Sends bytes as they are on a connection of their own and reads the first answer. If none comes, it closes its half of
 * the connection, like a client that has nothing more to send: then even an incomplete request must be answered.
 */
export function probe(port: number, bytes: Buffer): Promise<Reply> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = '';
    const finish = (reply: Reply): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reply);
    };
    const nothing = (why: string): void => {
      const answer = readAnswer(received);
      finish(answer ?? { kind: 'nothing', why });
    };
    let timer = setTimeout(() => {
      socket.end();
      timer = setTimeout(() => nothing('no answer in time'), 10 * patienceMs);
    }, patienceMs);
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const answer = readAnswer(received);
      if (answer !== undefined) {
        finish(answer);
      }
    });
    socket.on('close', () => nothing('closed'));
    socket.on('error', (error) => nothing(error.message));
  });
}

/** The first final answer, once its head has arrived. */
function readAnswer(received: string): Reply | undefined {
  const text = received.replace(/^(?:HTTP\/1\.1 1\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n)+/, '');
  const end = text.indexOf('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
  return end < 0 || Number.isNaN(status) ? undefined : { kind: 'answer', status, head: text.slice(0, end), text };
}
