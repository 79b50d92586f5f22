import { emptyBody } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import {
  emptyLedger,
  type Ledger,
  ledgerCodec,
  ledgerSubject,
  type StoredLedger,
  toLedger,
} from '../../rates/index.ts';
import { type QueueTopology, rateStream } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** A ledger as the stream's leader has it. */
export interface ReadLedger {
  readonly ledger: Ledger;
  /** Of its message; 0 for none. */
  readonly sequence: number;
}

/** For how long a ledger is kept after all that it says is over, in milliseconds. */
const keptMs = 60_000;

/** Reads and writes the ledgers of rates: one message for each function, replaced only by who has read it. */
export class RateStore {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager'>;

  constructor(publisher: Pick<Publisher, 'publish'>, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /** The newest ledger; an unreadable one is empty. Throws `QueueError`. */
  async read(functionName: string): Promise<ReadLedger> {
    const message = await lastMessage(this.#topology.manager, rateStream, ledgerSubject(functionName), {
      size: 'small',
    });
    if (message === undefined) {
      return { ledger: emptyLedger, sequence: 0 };
    }
    const stored = ledgerCodec.decode(message.header.get(ledgerCodec.header));
    // Its time is shown in whole milliseconds, so up to one less.
    const ledger = stored === undefined ? emptyLedger : toLedger(stored, message.time.getTime() + 1);
    return { ledger, sequence: message.seq };
  }

  /**
   * Stores the next ledger. `conflict`: another came first. Never throws.
   * @param sequence of the ledger that this one replaces; 0 for none
   * @param periodMs of the rate: what the ledger says is over after that and a lease
   */
  write(functionName: string, next: StoredLedger, sequence: number, periodMs: number): Promise<PublishResult> {
    const subject = ledgerSubject(functionName);
    const headers = new MessageHeaders();
    headers.set(ledgerCodec.header, ledgerCodec.encode(next));
    headers.set('Nats-TTL', `${Math.ceil((periodMs + keptMs) / 1000)}s`);
    expectLast(headers, subject, sequence);
    return this.#publisher.publish({ subject, headers, body: emptyBody });
  }
}
