import { isIP } from 'node:net';
import type { CallbackTask } from '@asyncfn/queue-core';
import { addressBlock, type CallbackPolicy, readCallbackUrl } from '@asyncfn/queue-core/callback-guard';
import { LRUCache } from 'lru-cache';
import {
  type Claim,
  FairSlots,
  type Release,
  type Responsiveness,
  ResponsivenessTracker,
  type Share,
} from '../fairness/index.ts';
import { NameLookupError, type NameResolver, namesBusy } from '../names/index.ts';

export interface ReceiversOptions {
  /** Most callbacks under way at once. */
  readonly max: number;
  /** Most of one submitter to one host. */
  readonly maxPerHost: number;
  readonly names: Pick<NameResolver, 'resolve'>;
  readonly policy: Pick<CallbackPolicy, 'objectTo'>;
  /** Milliseconds, of a clock that never goes back. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

/** Whether a callback may be sent now. */
export type Admission =
  | AdmittedCallback
  /** Its shares are used up: it may come back after this. */
  | { readonly kind: 'later'; readonly delayMs: number };

/** It has a slot. */
export interface AdmittedCallback {
  readonly kind: 'admitted';
  /**
   * Call this when the request begins, since its time counts as the receiver's. Call the returned function when it
   * ends, with whether the receiver has answered: it releases the slot.
   */
  readonly begin: () => (answered: boolean) => void;
  /** Releases the slot of a callback that was not sent, which says nothing about its receiver. */
  readonly release: () => void;
}

type Later = Extract<Admission, { kind: 'later' }>;

/** The receiver of a callback, as far as shares and memory distinguish receivers. */
interface Receiver {
  readonly submitter: string | undefined;
  /** Host and port. */
  readonly host: string;
  /** Name or address, without a port. Undefined if the URL is invalid. */
  readonly hostname: string | undefined;
  readonly url: string;
}

/** How many characters of a URL distinguish it from others of its host. */
const urlLength = 250;
/** A callback without a slot comes back after this at the earliest and the latest. */
const soonestMs = 1_000;
const latestMs = 2 * 60_000;
/** The latest, in silences of a receiver that hangs: 2 minutes after a silence of 15 s. */
const longestSilences = 8;
/** Assumed duration of a delivery to a receiver that has not been seen yet. */
const usualMs = 100;
const maxTurns = 10_000;

/**
 * Decides when each callback may be sent, so that a receiver that hangs costs only the shares of its submitter, host
 * and address. Responsiveness is tracked for each URL: a host that many share may answer for one URL and hang for
 * another.
 */
export class Receivers {
  readonly #options: ReceiversOptions;
  readonly #now: () => number;
  readonly #slots: FairSlots;
  readonly #tracker: ResponsivenessTracker;
  /** When the next callback without a slot may come back, by the share that it waits for. */
  readonly #turns = new LRUCache<string, number>({ max: maxTurns });

  constructor(options: ReceiversOptions) {
    const { max, now = () => performance.now() } = options;
    this.#options = options;
    this.#now = now;
    this.#slots = new FairSlots(max);
    this.#tracker = new ResponsivenessTracker({ now });
  }

  get free(): number {
    return this.#slots.free;
  }

  /** Waits for a slot for up to `waitMs`, and for the address of the host. Never rejects. */
  async admit(task: CallbackTask, waitMs: number, signal: AbortSignal): Promise<Admission> {
    const receiver = this.#receiverOf(task);
    const address = await this.#addressOf(receiver, waitMs);
    if (typeof address === 'object') {
      return address;
    }
    const claim = this.#claim(receiver, address);
    // Callbacks for a receiver that hangs wait at the broker.
    const release = await this.#slots.take(claim, claim.responsiveness === 'hanging' ? 0 : waitMs, signal);
    if (release === undefined) {
      return this.#later(receiver);
    }
    // How long a large one takes says more about its size than about its receiver.
    const begin = task.bodyObject === undefined ? () => this.#begin(receiver, release) : () => () => release();
    return { kind: 'admitted', begin, release };
  }

  #begin(receiver: Receiver, release: Release): (answered: boolean) => void {
    const keys = [keyOfUrl(receiver), keyOfHost(receiver)];
    const deliveries = keys.map((key) => ({ key, end: this.#tracker.begin(key) }));
    return (answered) => {
      for (const { key, end } of deliveries) {
        if (answered && this.#tracker.of(key) === 'hanging') {
          this.#turns.delete(key); // it has come back
        }
        end(answered);
      }
      release();
    };
  }

  #receiverOf({ url, submitter }: CallbackTask): Receiver {
    const parsed = readCallbackUrl(url)?.parsed;
    if (parsed === undefined) {
      return { submitter, host: '', hostname: undefined, url: '' }; // the sender refuses it
    }
    const { host, hostname, pathname, search } = parsed;
    const isAllowed = this.#options.policy.objectTo(parsed) === undefined;
    return {
      submitter,
      host,
      hostname: isAllowed ? hostname.replace(/^\[|\]$/g, '') : undefined,
      url: `${host}${pathname}${search}`.slice(0, urlLength),
    };
  }

  /** Undefined for a host without one; the delivery will report why. */
  async #addressOf({ hostname, submitter }: Receiver, waitMs: number): Promise<string | Later | undefined> {
    if (hostname === undefined || isIP(hostname) !== 0) {
      return hostname;
    }
    try {
      const [address] = await this.#options.names.resolve(hostname, { submitter, waitMs });
      return address;
    } catch (error) {
      const isBusy = error instanceof NameLookupError && error.code === namesBusy;
      return isBusy ? this.#turn(`names ${submitter}`, usualMs) : undefined;
    }
  }

  #claim(receiver: Receiver, address: string | undefined): Claim {
    const { max, maxPerHost } = this.#options;
    const { ofUrl, ofAll } = this.#responsivenessOf(receiver);
    const { submitter } = receiver;
    // Half of all slots: enough for one of several, and too few to keep the others out.
    const half = Math.ceil(max / 2);
    const maxPerUrl = ofUrl === 'answering' ? maxPerHost : Math.ceil(maxPerHost / 2);
    const shares: Share[] = [
      { key: keyOfHost(receiver), max: maxPerHost, responsiveness: ofUrl },
      { key: keyOfUrl(receiver), max: maxPerUrl, responsiveness: ofUrl },
    ];
    if (submitter !== undefined) {
      shares.unshift({ key: `submitter ${submitter}`, max: half, responsiveness: ofAll });
    }
    if (address !== undefined) {
      shares.push({ key: `address ${submitter ?? ''} ${addressBlock(address)}`, max: half, responsiveness: ofAll });
    }
    return { responsiveness: ofAll, shares };
  }

  /**
   * Among the callbacks to one host, each URL counts by itself, and a new one gets a chance whatever the others do.
   * Towards other receivers a URL counts as its host does; otherwise each new URL of a host that hangs would be a new
   * receiver.
   */
  #responsivenessOf(receiver: Receiver): { readonly ofUrl: Responsiveness; readonly ofAll: Responsiveness } {
    const host = this.#tracker.of(keyOfHost(receiver)) ?? 'unknown';
    const ofUrl = this.#tracker.of(keyOfUrl(receiver)) ?? (host === 'hanging' ? 'unknown' : host);
    return { ofUrl, ofAll: ofUrl === 'answering' ? ofUrl : host === 'hanging' ? host : ofUrl };
  }

  /**
   * Only as many come back as can be sent in that time: if all came every few seconds, they would block the others. A
   * receiver that hangs is expected to go on as long as it has, so that a moment of it delays nothing for long.
   */
  #later(receiver: Receiver): Later {
    const { maxPerHost } = this.#options;
    const url = keyOfUrl(receiver);
    const key = this.#tracker.of(url) === undefined ? keyOfHost(receiver) : url;
    if (this.#tracker.of(key) !== 'hanging') {
      return this.#turn(key, (this.#tracker.answerMs(key) ?? usualMs) / maxPerHost);
    }
    const silentMs = this.#tracker.silentMs(key);
    // It has a quarter of its slots.
    return this.#turn(key, (silentMs * 4) / maxPerHost, silentMs * longestSilences);
  }

  #turn(key: string, eachMs: number, withinMs = latestMs): Later {
    const now = this.#now();
    const at = Math.max(now + soonestMs, this.#turns.get(key) ?? 0);
    this.#turns.set(key, Math.min(at + eachMs, now + Math.min(withinMs, latestMs)));
    return { kind: 'later', delayMs: Math.round(at - now) };
  }
}

function keyOfHost({ submitter = '', host }: Receiver): string {
  return `host ${submitter} ${host}`;
}

function keyOfUrl({ submitter = '', url }: Receiver): string {
  return `url ${submitter} ${url}`;
}
