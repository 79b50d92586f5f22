import { Broker, type BrokerOptions, type QueueLogger } from '../connecting/index.ts';
import { Publisher, type PublisherOptions } from '../publish/index.ts';

/** The connection that everything else takes. */
interface MainConnection {
  readonly broker: Broker;
  readonly publisher: Publisher;
}

/**
 * The connection for the chunks of large bodies, so that no small message waits behind them, in either direction. It is
 * opened when the first large body is sent or read. While it is not there, chunks take the main connection, so nothing
 * depends on it.
 */
export class BodyConnection implements AsyncDisposable {
  readonly #main: MainConnection;
  readonly #broker: Broker;
  readonly #publisher: Publisher;

  /** @param options those of the main connection */
  constructor(main: MainConnection, options: BrokerOptions, publisher: PublisherOptions = {}) {
    const logger = toOwnLogger(options.logger);
    this.#main = main;
    this.#broker = new Broker({
      ...options,
      name: `${options.name} bodies`,
      logger,
      onFatal: (err) => logger.warn({ err }, 'large bodies share the connection of everything else from now on'),
    });
    this.#publisher = new Publisher(this.#broker, publisher);
  }

  /** For all chunks of one upload: their order is kept within a connection alone. */
  get publisher(): Publisher {
    return this.#isThere() ? this.#publisher : this.#main.publisher;
  }

  /** For one read. */
  get broker(): Broker {
    return this.#isThere() ? this.#broker : this.#main.broker;
  }

  /** As `Broker.hasDenied`, whichever connection it was said over. */
  hasDenied(space: string, since: number): boolean {
    return [this.#main.broker, this.#broker].some((broker) => broker.hasDenied(space, since));
  }

  /** As `Broker.stop`. */
  stop(): Promise<void> {
    return this.#broker.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #isThere(): boolean {
    this.#broker.start();
    return this.#broker.connected;
  }
}

/** Its lines look like those of the main connection otherwise. */
function toOwnLogger(logger: QueueLogger): QueueLogger {
  const note = (level: keyof QueueLogger): QueueLogger[typeof level] => {
    return (fields, message) => logger[level]({ ...fields, connection: 'bodies' }, message);
  };
  return { info: note('info'), warn: note('warn'), error: note('error') };
}
