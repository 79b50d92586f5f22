import { parseFunctionName } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import {
  changedSettings,
  type EntryWrite,
  type FileDefinition,
  type FunctionRegister,
  isPaused,
  type KnownFunction,
  SharedFunctions,
  type StoredFunction,
  toWrite,
  type Wish,
} from '../../functions/index.ts';
import type { Broker } from '../connecting/index.ts';
import type { Resumption } from '../layout/index.ts';
import { FollowedBucket, type FollowedBucketOptions } from './followed-bucket.ts';
import type { BucketWrite, FunctionBucket } from './function-bucket.ts';
import { adoptStray } from './stray-functions.ts';

export interface SharedRegisterOptions extends FollowedBucketOptions {
  readonly broker: Pick<Broker, 'onDisconnect' | 'clock'>;
  /** Is kept in step with what is shared. */
  readonly register: FunctionRegister;
  /** The functions file's definition at the start. */
  readonly file: FileDefinition;
}

/** Longest wait between two changes that this process goes by: a change is live within two seconds. */
const maxRestMs = 500;
/** How long after a change of the register the gateway that made it may take to resume the consumer, in milliseconds. */
export const resumedByGatewayMs = 250;
/** How often a write is tried that others are ahead of. */
const maxTries = 10;

/** The result of changing a function. */
export type RegisterChange =
  | { readonly kind: 'changed'; readonly created: boolean; readonly function: KnownFunction | undefined }
  /** The caller's expectation does not hold. */
  | { readonly kind: 'refused' }
  /** Others were faster again and again. */
  | { readonly kind: 'contended' };

/** What to do with a function; `refuse` if the current entry is not as expected. */
export type ChangeDecision = EntryWrite | { readonly kind: 'refuse' };

/**
 * The register of functions that all processes share, kept in a bucket of JetStream and followed by each of them. A
 * process knows only the functions of its file until it has read the bucket, and neither accepts nor takes calls. It
 * then writes to the bucket what its file names, once, and uses what the bucket holds.
 */
export class SharedRegister {
  readonly #options: SharedRegisterOptions;
  readonly #functions: SharedFunctions;
  readonly #bucket: FollowedBucket;
  #publishing = false;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #publishTookMs = 0;
  /** Default namespaces of other processes, each logged once. */
  readonly #foreignNamespaces = new Set<string>();
  #settling: Promise<void> = Promise.resolve();

  constructor(options: SharedRegisterOptions) {
    this.#options = options;
    this.#functions = new SharedFunctions(options.file);
    this.#bucket = new FollowedBucket(options, {
      onReplaced: () => this.#functions.loseStored(),
      onStored: (name, stored) => this.#take(name, stored),
      onComplete: (names, isFirst) => this.#becomeComplete(names, isFirst),
    });
    this.#publish();
  }

  /** Whether the whole bucket has been read once. Before that, an unknown function may exist. */
  get complete(): boolean {
    return this.#bucket.complete;
  }

  /** The namespace that this process omits from every name; undefined if it omits none. */
  get defaultNamespace(): string | undefined {
    return this.#functions.file.defaultNamespace;
  }

  /**
   * Whether the whole bucket has been read on the present connection. Knowledge of the previous one may be out of date.
   */
  get current(): boolean {
    return this.#bucket.current;
  }

  /** Settings for what a new function leaves open. */
  get defaults(): FileDefinition['defaults'] {
    return this.#functions.file.defaults;
  }

  /** The most bytes of each queue that the functions file limits. */
  get queueMaxBytes(): FileDefinition['queueMaxBytes'] {
    return this.#functions.file.queueMaxBytes;
  }

  /** The functions that exist, by name. */
  list(): KnownFunction[] {
    return this.#functions.list();
  }

  find(name: string): KnownFunction | undefined {
    return this.#functions.find(name);
  }

  /**
   * A function as the register has it at this moment, whatever news are still on their way. Throws `QueueError`.
   * @param name its one name, as everywhere here
   */
  async read(name: string): Promise<KnownFunction | undefined> {
    const bucket = this.#opened();
    await this.#adoptStrays(bucket, name);
    return toKnown(name, await bucket.read(name));
  }

  /**
   * Whether a worker may resume the function's consumer. A worker that resumes it later than the gateway that has resumed
   * the function would undo a pause that comes between. Throws `QueueError`.
   */
  async mayResume(name: string): Promise<Resumption> {
    const stored = await this.#opened().read(name);
    const known = toKnown(name, stored);
    if (stored === undefined || known === undefined) {
      return 'yes';
    }
    if (isPaused(known.entry)) {
      return 'paused';
    }
    return this.#options.broker.clock.now() - stored.storedAt < resumedByGatewayMs ? 'not_yet' : 'yes';
  }

  /** The functions file has a new content. It applies at once, and is stored in the bucket as soon as that exists. */
  takeFile(file: FileDefinition): void {
    this.#functions.takeFile(file);
    this.#publish();
    this.#settleSoon();
  }

  /**
   * Changes one function in step with what all processes see: `decide` is called with the current entry until its
   * answer is written, or refused. Throws `QueueError` if the bucket cannot be reached.
   */
  async change(name: string, decide: (there: KnownFunction | undefined) => ChangeDecision): Promise<RegisterChange> {
    const bucket = this.#opened();
    await this.#adoptStrays(bucket, name);
    for (let attempt = 0; attempt < maxTries; attempt++) {
      const stored = await bucket.read(name);
      const there = toKnown(name, stored);
      const decision = decide(there);
      if (decision.kind === 'refuse') {
        return { kind: 'refused' };
      }
      if ((await this.#write(bucket, name, decision, stored)) === 'written') {
        this.#publish();
        const changed = toKnown(name, this.#functions.stored(name));
        return { kind: 'changed', created: there === undefined, function: changed };
      }
    }
    return { kind: 'contended' };
  }

  /** Checks for missed changes, and tries failed writes again. Call it every few seconds. Throws `QueueError`. */
  async check(): Promise<void> {
    await this.#bucket.check();
    this.#settleSoon();
  }

  #opened(): FunctionBucket {
    if (this.#bucket.opened === undefined) {
      throw new QueueError('broker', 'the register of functions is not in place yet');
    }
    return this.#bucket.opened;
  }

  #take(name: string, stored: StoredFunction): void {
    if (parseFunctionName(name) === undefined || stored.content === 'unreadable') {
      this.#options.logger.warn({ function: name }, 'an entry of the register cannot be read and is ignored');
    }
    if (parseFunctionName(name) !== undefined) {
      this.#functions.takeStored(name, stored);
      this.#compareNamespaces(stored);
    }
    if (this.current) {
      this.#publishSoon();
    }
  }

  /** Where processes leave out different namespaces, one name can be two functions. */
  #compareNamespaces({ content }: StoredFunction): void {
    const { defaultNamespace } = this;
    const theirs = typeof content === 'object' ? content.settings.defaultNamespace : undefined;
    const isOurs = theirs === undefined || defaultNamespace === undefined || theirs === defaultNamespace;
    if (!isOurs && !this.#foreignNamespaces.has(theirs)) {
      this.#foreignNamespaces.add(theirs);
      this.#options.logger.warn(
        { defaultNamespace, theirs },
        'another process has another default namespace: set DEFAULT_NAMESPACE to the same value in all of them',
      );
    }
  }

  #becomeComplete(names: ReadonlySet<string>, isFirst: boolean): void {
    this.#functions.keepOnly(names);
    this.#publish();
    const unnamed = isFirst ? this.#functions.unnamed() : [];
    if (unnamed.length > 0) {
      this.#options.logger.info(
        { functions: unnamed },
        'functions that an earlier functions file has registered are not in this one and stay until they are deleted',
      );
    }
    this.#settleSoon();
  }

  /** Sees to the wishes, one after the other. */
  #settleSoon(): void {
    this.#settling = this.#settling
      .then(() => this.#settle())
      .catch((err: unknown) => {
        this.#options.logger.warn({ err }, 'the functions file could not be written to the register yet');
      });
  }

  async #settle(): Promise<void> {
    const bucket = this.complete ? this.#bucket.opened : undefined;
    if (bucket === undefined) {
      return;
    }
    const wishes = this.#functions.wishes();
    for (const [name, wish] of wishes) {
      await this.#settleWish(bucket, name, wish);
    }
    if ((await this.#adoptStrays(bucket)) || wishes.length > 0) {
      this.#publishSoon();
    }
  }

  /** Brings functions to their one names, all or that of this name. Returns whether there were any to bring. */
  async #adoptStrays(bucket: FunctionBucket, name?: string): Promise<boolean> {
    const strays = this.#functions.strays().filter(({ oneName }) => name === undefined || oneName === name);
    for (const stray of strays) {
      await adoptStray(bucket, stray, this.#options.logger);
      await this.#refresh(bucket, stray.oneName);
      await this.#refresh(bucket, stray.name);
    }
    return strays.length > 0;
  }

  async #settleWish(bucket: FunctionBucket, name: string, wish: Wish): Promise<void> {
    for (let attempt = 0; attempt < maxTries; attempt++) {
      const stored = this.#functions.stored(name);
      const write = toWrite(wish, stored);
      if (write.kind === 'leave') {
        return;
      }
      if (write.kind === 'nothing' || (await this.#write(bucket, name, write, stored)) === 'written') {
        this.#functions.fulfil(name, wish);
        this.#logWish(name, wish, stored);
        return;
      }
      await this.#refresh(bucket, name);
    }
  }

  /**
   * Logs how the file and the register differed: only the names of settings, since values may hold credentials (P9).
   */
  #logWish(name: string, wish: Wish, stored: StoredFunction | undefined): void {
    const before = typeof stored?.content === 'object' ? stored.content : undefined;
    if (wish.kind === 'restore' || before === undefined) {
      return;
    }
    const { logger } = this.#options;
    const { source } = before;
    const settings = wish.settings && changedSettings(before.settings, wish.settings);
    if (settings === undefined && source === 'file') {
      logger.info({ function: name }, 'function was removed from the functions file and so from the register');
    } else if (settings !== undefined && settings.length > 0) {
      const message =
        source === 'api' ? 'the API overrides the functions file' : 'the functions file overrides another';
      logger.warn({ function: name, settings }, message);
    }
  }

  async #write(
    bucket: FunctionBucket,
    name: string,
    write: EntryWrite,
    stored: StoredFunction | undefined,
  ): Promise<BucketWrite> {
    const revision = stored?.revision ?? 0;
    const result =
      write.kind === 'put' ? await bucket.write(name, write.entry, revision) : await bucket.remove(name, revision);
    if (result === 'written') {
      await this.#refresh(bucket, name);
    }
    return result;
  }

  async #refresh(bucket: FunctionBucket, name: string): Promise<void> {
    const stored = await bucket.read(name);
    if (stored !== undefined) {
      this.#functions.takeStored(name, stored);
    }
  }

  /**
   * Once for all changes of one tick of the event loop, and for a tenth of the time, however many functions there are.
   */
  #publishSoon(): void {
    if (!this.#publishing) {
      this.#publishing = true;
      const restMs = Math.min(maxRestMs, this.#publishedAt + 10 * this.#publishTookMs - performance.now());
      const publish = (): void => {
        this.#publishing = false;
        this.#publish();
      };
      if (restMs > 0) {
        setTimeout(publish, restMs).unref();
      } else {
        setImmediate(publish);
      }
    }
  }

  #publish(): void {
    const startedAt = performance.now();
    const { definition, paused } = this.#functions.toDefinition();
    // A file knows nothing of pauses: to go by it would resume what others have paused.
    this.#options.register.replace(definition, this.complete ? paused : undefined);
    this.#publishedAt = performance.now();
    this.#publishTookMs = this.#publishedAt - startedAt;
  }
}

function toKnown(name: string, stored: StoredFunction | undefined): KnownFunction | undefined {
  return typeof stored?.content === 'object' ? { name, entry: stored.content, revision: stored.revision } : undefined;
}
