import type { IncomingMessage } from 'node:http';
import { type BodyObject, type Call, mayBeStored, QueueError, refused } from '@asyncfn/queue-core';
import {
  type AcceptResult,
  type BodyRoom,
  type BodyStore,
  type BodyUpload,
  type RoomShare,
  uploadBytes,
} from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { LargeCall, LargeIntake, LargeResult } from '../enqueue/index.ts';
import { type BodyBudget, type BodyShare, declaredLength, noRoom } from '../http/index.ts';
import { brokerAway, type Refusal } from '../problem.ts';
import { receiveBody } from './receive-body.ts';
import { storeFull, toUploadRefusal } from './refusals.ts';

export interface LargeBodiesOptions {
  readonly bodies: Pick<BodyStore, 'upload' | 'keep' | 'removeUnused'>;
  readonly room: Pick<BodyRoom, 'admit'>;
  /** Whether the call has ended. Throws `QueueError`. */
  readonly hasEnded: (call: Call) => Promise<boolean>;
  /** Counts what is in memory. */
  readonly budget: Pick<BodyBudget, 'open'>;
  /** Largest body of a call, in bytes. */
  readonly maxBytes: number;
  /** Largest body that travels in the message of its call, in bytes. */
  readonly inlineBytes: () => number;
  /** How often an open upload says that it goes on, in milliseconds. Default 15,000. */
  readonly renewMs?: number;
  readonly logger: Logger;
}

/** Sweepers give an upload up after half of `BODY_SWEEP_AFTER`, which is a setting of workers. */
const usualRenewMs = 15_000;

/** An upload that has begun, and what counts it. */
interface Begun {
  readonly kind: 'begun';
  readonly upload: BodyUpload;
  readonly room: RoomShare;
  readonly share: BodyShare;
}

/** Stores large bodies while they arrive, so that none is ever in memory as a whole. */
export class LargeBodies implements LargeIntake {
  readonly #options: LargeBodiesOptions;

  constructor(options: LargeBodiesOptions) {
    this.#options = options;
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  get inlineBytes(): number {
    return this.#options.inlineBytes();
  }

  isLarge(request: IncomingMessage): boolean {
    return (declaredLength(request) ?? 0) > this.inlineBytes;
  }

  async accept(request: IncomingMessage, large: LargeCall): Promise<LargeResult | Refusal> {
    const givenUp = new AbortController();
    const share = this.#options.budget.open(uploadBytes, () => givenUp.abort(), large.caller);
    if (share === undefined) {
      return noRoom;
    }
    try {
      const begun = await this.#begin(declaredLength(request) ?? 0, share, large.caller);
      return begun.kind === 'refused' ? begun : await this.#receive(request, large, begun, givenUp.signal);
    } finally {
      share.release();
    }
  }

  async #receive(
    request: IncomingMessage,
    large: LargeCall,
    begun: Begun,
    givenUp: AbortSignal,
  ): Promise<LargeResult | Refusal> {
    const { upload, room } = begun;
    try {
      if (large.fingerprint !== undefined) {
        upload.also(large.fingerprint);
      }
      large.onAdmitted();
      const { maxBytes } = this.#options;
      const incomplete = await receiveBody(request, large.first, { ...begun, maxBytes, givenUp });
      if (incomplete !== undefined) {
        void upload.abort();
        return incomplete;
      }
      begun.share.complete();
      return await this.#store(upload, large);
    } finally {
      room.end();
    }
  }

  async #store(upload: BodyUpload, large: LargeCall): Promise<LargeResult | Refusal> {
    const bare = large.toCall();
    const stored = await upload.finish(bare);
    if (stored.kind === 'refused') {
      return toUploadRefusal(stored);
    }
    const { object } = stored;
    const call = { ...bare, bodyObject: object };
    const result = await large.store(call);
    if (result.kind === 'stored') {
      return { kind: 'done', call, result: await this.#confirm(call, object, result) };
    }
    // A call that arrives after a look for it needs its body: sweepers look when nothing can be on its way any more.
    if (result.kind !== 'refused' || !mayBeStored(result.reason)) {
      this.#removeUnused(object);
    }
    return { kind: 'done', call, result };
  }

  /**
   * If this process stood still for long, a sweeper may have taken the body for one that was left (P1). Or a worker was
   * quicker than this look.
   */
  async #confirm(call: Call, object: BodyObject, result: AcceptResult): Promise<AcceptResult> {
    const { bodies, hasEnded } = this.#options;
    try {
      const isThere = (await bodies.keep(object)) || (await hasEnded(call));
      return isThere ? result : refused('timeout', 'the body was removed before its call was stored');
    } catch (error) {
      return refused('timeout', error instanceof Error ? error.message : String(error));
    }
  }

  /** An earlier request may have stored the call: then its message keeps the body. */
  #removeUnused(object: BodyObject): void {
    const { bodies, logger } = this.#options;
    bodies.removeUnused(object).catch((err: unknown) => {
      logger.debug({ err }, 'a large body that no call has is left to the sweeper');
    });
  }

  async #begin(announced: number, share: BodyShare, caller: string | undefined): Promise<Begun | Refusal> {
    const room = await this.#admit(announced);
    if ('kind' in room) {
      return room;
    }
    const upload = await this.#options.bodies.upload(caller);
    if ('kind' in upload) {
      room.end();
      return toUploadRefusal(upload);
    }
    // Its client may pause: what bounds that is the time that a whole request has to arrive.
    upload.keepAlive(this.#options.renewMs ?? usualRenewMs);
    return { kind: 'begun', upload, room, share };
  }

  async #admit(bytes: number): Promise<RoomShare | Refusal> {
    try {
      return (await this.#options.room.admit(bytes)) ?? storeFull;
    } catch (error) {
      if (error instanceof QueueError) {
        return { ...brokerAway, cause: error };
      }
      throw error;
    }
  }
}
