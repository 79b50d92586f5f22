import { isDeepStrictEqual } from 'node:util';
import type { FileDefinition, OpenfaasSource } from '@asyncfn/queue-core/functions';
import type { SharedRegister } from '@asyncfn/queue-core/jetstream';
import { displayUrl, every, type Logger } from '@asyncfn/service-kit';
import { type FoundFunctions, type FoundProblem, presentOf, toFound, withFound } from './found-functions.ts';
import { listFunctions } from './list-functions.ts';

interface DiscoveryOptions {
  /** The functions file, as it is at the start. */
  readonly file: { readonly path: string; readonly current: FileDefinition };
  readonly shared: Pick<SharedRegister, 'takeFile' | 'list' | 'complete'>;
  readonly logger: Logger;
  /** Default {@link listFunctions}. */
  readonly list?: typeof listFunctions;
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** How often it is checked whether it is time for a look, in milliseconds. */
const tickMs = 1_000;

/**
 * The functions file together with the functions that an OpenFaaS has, if the file names one. Every process looks for
 * itself: two that find the same write it once. What cannot be listed changes nothing.
 */
export class DiscoveredFunctions {
  readonly #options: DiscoveryOptions;
  readonly #told = new Set<string>();
  #file: FileDefinition;
  #found: FoundFunctions | undefined;
  #nextLookAt = 0;
  #failing = false;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#file = options.file.current;
  }

  /** The functions file has a new content. */
  takeFile(file: FileDefinition): void {
    if (!isDeepStrictEqual(this.#file.discovery, file.discovery)) {
      this.#nextLookAt = 0;
    }
    // What another OpenFaaS had stays until the new one has been listed.
    this.#found = file.discovery && this.#found;
    this.#file = file;
    this.#tell();
  }

  /** Looks again and again. Resolves once the signal has aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const onError = (err: unknown): void => this.#fail(err);
    await this.tick(signal).catch(onError);
    await every(tickMs, () => this.tick(signal), { signal, onError });
  }

  /** Looks if it is time to. Rejects if the list cannot be had. */
  async tick(signal: AbortSignal): Promise<void> {
    const { file, shared, list = listFunctions, now = Date.now } = this.#options;
    const { discovery } = this.#file;
    // What was found before is in the register.
    if (discovery === undefined || !shared.complete || now() < this.#nextLookAt) {
      return;
    }
    this.#nextLookAt = now() + discovery.everyMs;
    const listed = await list(discovery, file.path, signal);
    // Meanwhile the file may name another OpenFaaS.
    if (!signal.aborted && isDeepStrictEqual(discovery, this.#file.discovery)) {
      const { found, problems } = toFound(listed, discovery, this.#file);
      this.#recover(discovery);
      this.#logProblems(problems);
      this.#logChanges(found);
      this.#found = found;
      this.#tell();
    }
  }

  #tell(): void {
    const { shared } = this.#options;
    const isFound = this.#found !== undefined && this.#file.discovery !== undefined;
    shared.takeFile(isFound ? withFound(this.#file, this.#found ?? new Map(), shared.list()) : this.#file);
  }

  /** Once for each outage. */
  #fail(err: unknown): void {
    if (!this.#failing) {
      const url = displayUrl(this.#file.discovery?.url ?? '');
      this.#options.logger.warn({ err, url }, 'the functions of OpenFaaS cannot be listed; those known so far stay');
    }
    this.#failing = true;
  }

  #recover({ url }: OpenfaasSource): void {
    if (this.#failing) {
      this.#options.logger.info({ url: displayUrl(url) }, 'the functions of OpenFaaS can be listed again');
    }
    this.#failing = false;
  }

  /** Each once. */
  #logProblems(found: readonly FoundProblem[]): void {
    for (const { function: name, problems } of found) {
      const text = `${name}: ${problems.join('; ')}`;
      if (!this.#told.has(text)) {
        this.#told.add(text);
        this.#options.logger.warn({ function: name, problems }, 'a function of OpenFaaS has settings that are ignored');
      }
    }
  }

  #logChanges(found: FoundFunctions): void {
    const before = new Set(presentOf(this.#options.shared.list()));
    const added = [...found.keys()].filter((name) => !before.has(name));
    const gone = [...before].filter((name) => !found.has(name));
    if (added.length > 0) {
      this.#options.logger.info({ functions: added }, 'functions were found at OpenFaaS');
    }
    if (gone.length > 0) {
      this.#options.logger.warn({ functions: gone }, 'functions are no longer at OpenFaaS, and are paused');
    }
  }
}
