import { readFile } from 'node:fs/promises';
import type { FunctionConfig, WebhookConfig } from '@asyncfn/queue-core/functions';
import { type Component, every, type Logger } from '@asyncfn/service-kit';
import { locateSecret, type SecretPlaces } from './locate-secret.ts';
import { type ParsedSecret, parseSecret } from './parse-secret.ts';

export interface WebhookSecretsOptions {
  readonly places: SecretPlaces;
  /** The functions that exist. */
  readonly register: {
    readonly list: () => readonly FunctionConfig[];
    readonly onChange: (listener: () => void) => void;
  };
  readonly logger: Logger;
}

type Webhook = Pick<WebhookConfig, 'verify' | 'secretFiles'>;

/** How often the files are read, in milliseconds. */
const readMs = 1_000;

/**
 * The secrets of all webhooks, kept in memory and read again every second. All are known before a delivery comes, so
 * that the time of its answer does not tell which functions exist. If a file is gone or wrong, its last good content
 * stays in force.
 */
export class WebhookSecrets {
  readonly component: Component;
  readonly #options: WebhookSecretsOptions;
  #keys: ReadonlyMap<string, Buffer> = new Map();
  /** The problem of each file that cannot be used, as it was logged. */
  readonly #problems = new Map<string, string>();
  #reading: Promise<void> | undefined;
  #isOutdated = false;

  constructor(options: WebhookSecretsOptions) {
    this.#options = options;
    const { register, logger } = options;
    const onError = (err: unknown): void => logger.error({ err }, 'the secrets of webhooks could not be read');
    register.onChange(() => void this.read().catch(onError));
    this.component = {
      name: 'webhook secrets',
      start: async (signal) => {
        await this.read();
        void every(readMs, () => this.read(), { signal, onError });
      },
    };
  }

  /** The keys of a function's webhook, in the order of its files, without those that could not be read yet. */
  keysOf(name: string, webhook: Webhook): readonly Buffer[] {
    return webhook.secretFiles.flatMap((file) => this.#keys.get(idOf(name, webhook, file)) ?? []);
  }

  /** The problems of the files that settings name, which need not be in the register; each begins with its setting. */
  async problemsOf(name: string, webhook: Webhook): Promise<string[]> {
    const results = await Promise.all(webhook.secretFiles.map((file) => this.#readKey(name, webhook, file)));
    return results.flatMap((result, index) =>
      result.kind === 'refused' ? [`webhook.secretFiles.${index} ${result.problem}`] : [],
    );
  }

  /** Reads all files. If they are being read, they are read once more after that. */
  async read(): Promise<void> {
    this.#isOutdated = true;
    this.#reading ??= this.#readUntilCurrent().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #readUntilCurrent(): Promise<void> {
    while (this.#isOutdated) {
      this.#isOutdated = false;
      await this.#readAll();
    }
  }

  async #readAll(): Promise<void> {
    const keys = new Map<string, Buffer>();
    const named = this.#options.register.list().flatMap(filesOf);
    for (const { name, webhook, file } of named) {
      const id = idOf(name, webhook, file);
      const result = await this.#readKey(name, webhook, file);
      this.#note(id, { name, file, problem: result.kind === 'refused' ? result.problem : undefined });
      const key = result.kind === 'key' ? result.key : this.#keys.get(id);
      if (key !== undefined) {
        keys.set(id, key);
      }
    }
    this.#keys = keys;
  }

  async #readKey(name: string, { verify }: Webhook, file: string): Promise<ParsedSecret> {
    const located = locateSecret(name, file, this.#options.places);
    if (located.kind === 'refused') {
      return located;
    }
    try {
      return parseSecret(await readFile(located.path, 'utf8'), verify);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      return { kind: 'refused', problem: `cannot be read: ${code}` };
    }
  }

  /** Logs each problem once, and its end. */
  #note(id: string, { name, file, problem }: { name: string; file: string; problem: string | undefined }): void {
    const { logger } = this.#options;
    const before = this.#problems.get(id);
    if (problem === before) {
      return;
    }
    if (problem === undefined) {
      this.#problems.delete(id);
      logger.info({ function: name, file }, 'secret of a webhook can be used again');
      return;
    }
    this.#problems.set(id, problem);
    const isKept = this.#keys.has(id);
    logger.error(
      { function: name, file, problem },
      isKept ? 'secret of a webhook cannot be used, its last good content stays in force' : unusable,
    );
  }
}

const unusable = 'secret of a webhook cannot be used, and what it signs is refused';

function filesOf({ name, webhook }: FunctionConfig) {
  return webhook === undefined ? [] : webhook.secretFiles.map((file) => ({ name, webhook, file }));
}

/** The same file can hold different keys for different schemes, and stand for different paths in different functions. */
function idOf(name: string, { verify }: Webhook, file: string): string {
  return `${name}\0${verify}\0${file}`;
}
