import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessReport, processReportCodec, processSubjects } from '../../processes/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback, onFirstConnect } from '../messages/index.ts';

/** What only the process itself knows. */
export type OwnFacts = Omit<ProcessReport, 'v' | 'server' | 'reconnects' | 'memoryBytes'>;

/** How long processes may take to report, in milliseconds. One that is busy may be missing from an answer. */
const patienceMs = 300;

/** More processes are not listed. */
const mostProcesses = 1_000;

type Connection = Pick<Broker, 'connection' | 'connected' | 'onConnect' | 'reconnects'>;

/** Reports this process to gateways that ask. Costs nothing until one does. */
export function reportProcess(broker: Connection, facts: () => OwnFacts): void {
  onFirstConnect(broker, (connection) => {
    const callback = inboxCallback(() => {
      const report: ProcessReport = {
        v: 1,
        ...facts(),
        server: connection.getServer(),
        reconnects: broker.reconnects,
        memoryBytes: process.memoryUsage.rss(),
      };
      connection.publish(processSubjects.here, processReportCodec.encode(report));
    });
    connection.subscribe(processSubjects.who, { callback });
  });
}

/** Asks all processes for their reports. */
export class ProcessDirectory {
  readonly #broker: Connection;
  #asking: Promise<readonly ProcessReport[]> | undefined;

  constructor(broker: Connection) {
    this.#broker = broker;
  }

  /** The processes that have reported; undefined while the broker is away. Requests at the same time share an answer. */
  async list(): Promise<readonly ProcessReport[] | undefined> {
    if (this.#broker.connection === undefined || !this.#broker.connected) {
      return undefined;
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return await this.#asking;
  }

  async #ask(): Promise<readonly ProcessReport[]> {
    const found = new Map<string, ProcessReport>();
    const callback = inboxCallback((message) => {
      const report = processReportCodec.decode(message.string());
      if (report !== undefined && found.size < mostProcesses) {
        found.set(report.id, report);
      }
    });
    const subscription = this.#broker.connection?.subscribe(processSubjects.here, { callback });
    this.#broker.connection?.publish(processSubjects.who);
    await sleep(patienceMs);
    subscription?.unsubscribe();
    return [...found.values()].toSorted((a, b) => (a.kind + a.id < b.kind + b.id ? -1 : 1));
  }
}
