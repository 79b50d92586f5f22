import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, decode, encode, type RecordType } from 'dns-packet';

/** The answer for a name: its addresses (none: no such record exists), a failure, or silence. */
export type DnsAnswer = readonly string[] | 'no such name' | 'failure' | 'silence';

export interface DnsQuestion {
  readonly name: string;
  readonly type: RecordType;
}

/** A DNS server on a port of 127.0.0.1 (UDP), which records its questions. */
export class DnsServer implements AsyncDisposable {
  /** In order of arrival. The list is live. */
  readonly questions: DnsQuestion[] = [];
  /**
   * May be replaced at any time. Addresses of both families may be given: each answers the questions for its family.
   */
  answer: (question: DnsQuestion) => DnsAnswer;
  /** Seconds. */
  ttl = 60;
  readonly #socket = createSocket('udp4');

  constructor(answer: DnsServer['answer']) {
    this.answer = answer;
    this.#socket.on('message', (packet, from) => this.#reply(packet, from));
  }

  async listen(): Promise<void> {
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
  }

  /** The server in the form of a setting. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #reply(packet: Buffer, from: RemoteInfo): void {
    const { id, questions = [] } = decode(packet);
    const [question] = questions;
    if (question === undefined) {
      return;
    }
    const { name, type } = question;
    this.questions.push({ name, type });
    const answer = this.answer({ name, type });
    if (answer === 'silence') {
      return;
    }
    const answers = typeof answer === 'string' ? [] : toRecords(answer, question, this.ttl);
    const reply = encode({ type: 'response', id, flags: recursive | codeOf(answer), questions, answers });
    this.#socket.send(reply, from.port, from.address);
  }
}

/** Starts a DNS server on a free port. */
export async function startDnsServer(answer: DnsServer['answer']): Promise<DnsServer> {
  const server = new DnsServer(answer);
  await server.listen();
  return server;
}

/** Recursion desired and available (RFC 1035, 4.1.1). */
const recursive = 0x180;

function codeOf(answer: DnsAnswer): number {
  return answer === 'no such name' ? 3 : answer === 'failure' ? 2 : 0;
}

function toRecords(addresses: readonly string[], { name, type }: DnsQuestion, ttl: number): Answer[] {
  return addresses.flatMap((data): Answer[] => {
    const family = data.includes(':') ? 'AAAA' : 'A';
    return family === type ? [{ type: family, name, ttl, data }] : [];
  });
}
