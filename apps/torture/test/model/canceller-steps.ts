import type { Step } from './explore.ts';
import {
  append,
  type Bounds,
  type Canceller,
  newest,
  record,
  remove,
  rest,
  step,
  type Variant,
  type World,
} from './world.ts';

type NamedCancel = (name: string, change: (next: World, self: Canceller) => void) => Step<World>;

/** Ends the call as cancelled: `call-canceller.ts`. */
export class CancellerSteps {
  readonly #bounds: Bounds;
  readonly #variant: Variant;

  constructor(bounds: Bounds, variant: Variant) {
    this.#bounds = bounds;
    this.#variant = variant;
  }

  /** The next possible steps of the gateway that cancels the call. */
  of(world: World): Step<World>[] {
    const { canceller, crashes } = world;
    const named = (name: string, change: (next: World, self: Canceller) => void): Step<World> =>
      step(world, `canceller ${name}`, (next) => change(next, next.canceller));
    if (canceller.does === 'nothing') {
      return this.#bounds.cancel && world.accepted
        ? [
            named('begins', (_, self) => {
              self.does = 'look';
            }),
          ]
        : [];
    }
    if (canceller.does === 'dead') {
      return canceller.intent
        ? [step(world, 'sweeper finishes what it left', (next) => sweep(next, this.#variant.sweepBlindly === true))]
        : [];
    }
    const steps = this.#cancelWork(world, named);
    if (canceller.intent && canceller.does !== 'done' && (this.#bounds.lapses ?? 0) > 0) {
      // A canceller that stands still for long enough counts as dead.
      steps.push(
        step(world, 'sweeper finishes what is late', (next) => {
          next.canceller.isSure = false;
          sweep(next, false);
        }),
      );
    }
    if (canceller.does !== 'done' && crashes < this.#bounds.crashes) {
      steps.push(
        named('dies', (next, self) => {
          self.does = 'dead';
          next.crashes += 1;
        }),
      );
    }
    return steps;
  }

  #cancelWork(world: World, named: NamedCancel): Step<World>[] {
    const { canceller, messages, outcome } = world;
    const mine = messages.find(({ sequence }) => sequence === canceller.sequence);
    if (!canceller.isSure && goesByALook.has(canceller.does) && this.#variant.cancelUnsure !== true) {
      return [named('has looked too long ago', lookAgain)];
    }
    switch (canceller.does) {
      case 'look':
        if (outcome !== null) {
          return [named('finds that it has ended', foundEnd)];
        }
        return newest(world) === 0
          ? lookForIntent(world, named)
          : [
              named('finds it', (next, self) => {
                self.sequence = newest(next);
                self.isSure = true;
                self.does = this.#variant.withoutIntent ? 'record' : 'store its intent';
              }),
            ];
      case 'store its intent':
        return [
          named('stores its intent', (_, self) => {
            self.intent = true;
            self.does = 'weigh';
          }),
        ];
      case 'weigh':
        return [
          named('sees whether it was ever delivered', (_, self) => {
            const isDelivered = mine === undefined || mine.deliveries > 0;
            self.does = isDelivered || this.#variant.cancelInPlace ? 'record' : 'remove';
          }),
        ];
      case 'remove':
        return [
          named(mine === undefined ? 'finds it gone' : 'takes it out of the queue', (next, self) => {
            if (mine === undefined) {
              self.intent = false;
            } else {
              self.removed = mine.attempt;
            }
            remove(next, self.sequence);
            self.does = mine === undefined ? 'look' : 'record';
          }),
        ];
      case 'record':
        return outcome === null
          ? [
              named('records the end', (next, self) => {
                record(next, 'cancelled');
                self.does = 'let go';
              }),
            ]
          : [
              named('finds another end', (next, self) => {
                if (this.#variant.keepRemoved) {
                  self.removed = null;
                }
                foundEnd(next, self);
              }),
            ];
      case 'store the end again':
        return [named('stores the end again', this.#variant.putBackBesideOld ? putBackNext : storeAgain)];
      case 'put back':
        return [
          named('puts back what it has removed', (next, self) => {
            append(next, self.removed ?? 0, false, true);
            finish('ended')(next, self);
          }),
        ];
      case 'let go':
        return [
          named('stops the worker that runs it, and answers', (next, self) => {
            letGo(next);
            finish('cancelled')(next, self);
          }),
        ];
      case 'nothing':
      case 'done':
      case 'dead':
        return [];
    }
  }
}

/** A step that is right only while what the canceller saw is still true. */
const goesByALook: ReadonlySet<Canceller['does']> = new Set([
  'store its intent',
  'weigh',
  'remove',
  'record',
  'put back',
]);

/** The call is in no queue: it is being cancelled, or it has ended and its end is forgotten. */
function lookForIntent({ canceller, ended }: World, named: NamedCancel): Step<World>[] {
  if (canceller.intent) {
    return [
      named('records the end of its intent', (next, self) => {
        record(next, 'cancelled');
        self.does = 'let go';
      }),
    ];
  }
  return ended === null ? [] : [named('finds nothing', finish('ended'))];
}

function lookAgain(_: World, self: Canceller): void {
  self.does = 'look';
}

/**
 * The message that was taken out of the queue is put back, so that the steps after the end are done; not after a
 * cancel.
 */
function foundEnd(next: World, self: Canceller): void {
  if (self.removed === null || next.outcome === 'cancelled') {
    finish('ended')(next, self);
  } else {
    self.does = 'store the end again';
  }
}

/** The end must be known for as long as the message exists: from then on it is not old for a while. */
function storeAgain(next: World, self: Canceller): void {
  if (next.outcome === null) {
    finish('ended')(next, self);
    return;
  }
  next.endIsOld = false;
  putBackNext(next, self);
}

function putBackNext(_: World, self: Canceller): void {
  Object.assign(self, { does: 'put back', isSure: true });
}

function finish(said: Canceller['said']): (next: World, self: Canceller) => void {
  return (_, self) => {
    Object.assign(self, { does: 'done', intent: false, said });
  };
}

/** Gateways do this periodically: they carry out or drop an intent whose gateway is dead (`cancel-sweeper.ts`). */
function sweep(next: World, isOlderTakenForIt: boolean): void {
  const { canceller } = next;
  const isThere = isOlderTakenForIt ? next.messages.length > 0 : newest(next) >= canceller.sequence;
  if (next.outcome === null && !isThere) {
    record(next, 'cancelled');
  }
  if (next.outcome === 'cancelled') {
    letGo(next);
  }
  canceller.intent = false;
}

/** Removes all messages of the call, and aborts it in the worker that runs it. */
function letGo(next: World): void {
  next.messages = [];
  for (const worker of next.workers.filter(({ does }) => does === 'invoke')) {
    rest(worker);
  }
}
