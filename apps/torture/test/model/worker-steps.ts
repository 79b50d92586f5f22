import type { Step } from './explore.ts';
import {
  type After,
  append,
  at,
  type Bounds,
  type End,
  newest,
  record,
  remove,
  rest,
  step,
  type Variant,
  type Worker,
  type World,
} from './world.ts';

type Named = (name: string, change: (next: World, self: Worker) => void) => Step<World>;

/** Takes calls, invokes, and settles: `call-runner.ts`, `settler.ts` and `call-store.ts`. */
export class WorkerSteps {
  readonly #bounds: Bounds;
  readonly #variant: Variant;

  constructor(bounds: Bounds, variant: Variant) {
    this.#bounds = bounds;
    this.#variant = variant;
  }

  /** The next possible steps of worker number `who`. */
  of(world: World, who: number): Step<World>[] {
    const worker = at(world.workers, who);
    if (worker.does === 'nothing') {
      return this.#takeSteps(world, who);
    }
    const named = (name: string, change: (next: World, self: Worker) => void): Step<World> =>
      step(world, `worker ${who} ${name}`, (next) => change(next, at(next.workers, who)));
    const steps = this.#workSteps(world, worker, named);
    if (world.crashes < this.#bounds.crashes) {
      steps.push(
        named('dies', (next, self) => {
          next.crashes += 1;
          rest(self);
        }),
      );
    }
    return steps;
  }

  #takeSteps(world: World, who: number): Step<World>[] {
    const { noLook, ackBeforeInvoke, blindRetry = false } = this.#variant;
    const hears = step(world, `worker ${who} learns of the intent`, (next) => {
      at(next.workers, who).knowsIntent = true;
    });
    const mayHear = this.#variant.followIntents && world.canceller.intent && !at(world.workers, who).knowsIntent;
    const takes = world.messages.flatMap((message, index) => {
      if (message.waits || message.holder !== null) {
        return [];
      }
      return [
        step(world, `worker ${who} takes attempt ${message.attempt}`, (next) => {
          const taken = at(next.messages, index);
          taken.holder = who;
          taken.deliveries += 1;
          const self = at(next.workers, who);
          const { sequence, attempt } = taken;
          Object.assign(self, { sequence, attempt, answer: null, resumes: false, isSure: true });
          if (ackBeforeInvoke) {
            next.messages.splice(index, 1);
          }
          const isFirst = taken.attempt === 0 && !taken.isPutBack;
          const isFresh = taken.deliveries === 1 && (isFirst || blindRetry) && !self.knowsIntent;
          if (isFresh || noLook) {
            this.#begin(next, self);
          } else if (taken.deliveries === 1 || this.#variant.endBeforeNewer) {
            self.does = 'look for the end';
          } else {
            self.does = 'look for a newer message';
          }
        }),
      ];
    });
    return mayHear ? [hears, ...takes] : takes;
  }

  /** A worker that stands still may hold a delivery for a while before it begins. */
  #begin(next: World, self: Worker): void {
    if ((this.#bounds.lapses ?? 0) > 0 && !this.#bounds.cancel) {
      self.does = 'begin';
    } else {
      this.#invoke(next, self);
    }
  }

  /** The moment at which the worker invokes the function. */
  #invoke(next: World, self: Worker): void {
    self.does = 'invoke';
    next.invoked[self.attempt] = (next.invoked[self.attempt] ?? 0) + 1;
    const isCancelling = next.ended === 'cancelled' && !['done', 'dead'].includes(next.canceller.does);
    if (next.ended !== null && !(isCancelling && this.#bounds.untilAnswered)) {
      next.offence = `invoked although it has ${next.ended === 'cancelled' ? 'been cancelled' : 'ended'}`;
    }
    if (self.attempt > 0 && next.invoked[self.attempt - 1] === undefined) {
      next.offence = 'an attempt before the one before it';
    }
  }

  #workSteps(world: World, worker: Worker, named: Named): Step<World>[] {
    const { does, answer, sequence, resumes } = worker;
    const { endBeforeNewer } = this.#variant;
    switch (does) {
      case 'begin':
        return [
          named('begins', (next, self) => {
            if (self.isSure || this.#variant.beginUnsure) {
              this.#invoke(next, self);
            } else {
              self.does = 'look for a newer message';
            }
          }),
        ];
      case 'look for a newer message': {
        const isHistory = newest(world) !== 0 && newest(world) !== sequence;
        return [
          named('looks for a newer message', (next, self) => {
            if (isHistory) {
              self.does = 'acknowledge';
            } else if (endBeforeNewer) {
              this.#invoke(next, self);
            } else {
              self.does = 'look for the end';
            }
          }),
        ];
      }
      case 'look for the end':
        return [
          named('looks for the end', (next, self) => {
            if (next.outcome !== null) {
              Object.assign(self, { resumes: true, answer: next.outcome, does: afterEnd(next.outcome) });
            } else if (endBeforeNewer) {
              self.does = 'look for a newer message';
            } else if (holds(next, sequence) || this.#variant.invokeGone) {
              self.isSure = true;
              this.#invoke(next, self);
            } else {
              rest(self);
            }
          }),
        ];
      case 'invoke':
        return this.#answerSteps(named);
      case 'settle':
        return answer === 'again' ? this.#retrySteps(world, sequence, named) : this.#endSteps(world, worker, named);
      case 'look for its message':
        return [this.#look(this.#variant.messageBeforeEnd ? 'end' : 'message', sequence, named, beSure)];
      case 'bury':
        return [
          named('puts it among the dead letters', (next, self) => {
            next.letter = true;
            self.does = 'call back';
          }),
        ];
      case 'call back':
        return resumes && world.callbackNoted
          ? [
              named('finds the callback taken care of', (_, self) => {
                self.does = 'acknowledge';
              }),
            ]
          : this.#callBackSteps(answer, named);
      case 'note the callback':
        return [
          named('notes the callback', (next, self) => {
            next.callbackNoted = true;
            self.does = 'acknowledge';
          }),
        ];
      case 'acknowledge':
        return [named('acknowledges', acknowledge)];
      case 'nothing':
        return [];
    }
  }

  /** Checks whether this worker may still end the call. If not, it lets go. */
  #look(at: 'end' | 'message', sequence: number, named: Named, goOn: (next: World, self: Worker) => void): Step<World> {
    return named(`looks for its ${at}`, (next, self) => {
      const isMine = at === 'end' ? next.outcome === null : newest(next) === sequence;
      if (isMine) {
        goOn(next, self);
      } else {
        rest(self);
      }
    });
  }

  #callBackSteps(answer: Worker['answer'], named: Named): Step<World>[] {
    const steps = [
      named('calls back', (next, self) => {
        tell(next, at([answer as End], 0));
        self.does = 'note the callback';
      }),
    ];
    if ((this.#bounds.lapses ?? 0) > 0) {
      steps.push(
        named('stores the callback', (next, self) => {
          next.callbackWaits = true;
          self.does = 'note the callback';
        }),
      );
    }
    return steps;
  }

  #answerSteps(named: Named): Step<World>[] {
    const answered =
      (answer: End | 'again') =>
      (next: World, self: Worker): void => {
        const isSpent = answer === 'again' && self.attempt >= this.#bounds.maxRetries;
        self.answer = isSpent ? 'failed' : answer;
        self.does = 'settle';
        if (this.#variant.ackBeforeOutcome) {
          remove(next, self.sequence);
        }
        if (this.#variant.callbackBeforeOutcome && self.answer !== 'again') {
          tell(next, self.answer);
        }
      };
    return [named('has a success', answered('succeeded')), named('is told to try again', answered('again'))];
  }

  #retrySteps(world: World, sequence: number, named: Named): Step<World>[] {
    const { uncheckedRetry = false } = this.#variant;
    const isLast = newest(world) === sequence || uncheckedRetry;
    const store = (next: World, self: Worker): void => {
      const isKnown = next.knownRetries.includes(self.attempt + 1);
      if (isLast && (!isKnown || uncheckedRetry)) {
        // A schedule replaces the previous one on the same subject.
        next.messages = next.messages.filter(({ waits }) => !waits);
        append(next, self.attempt + 1, true);
        next.knownRetries = [...new Set([...next.knownRetries, self.attempt + 1])];
      }
    };
    const steps = [
      named(isLast ? 'stores the retry' : 'finds the retry in conflict', (next, self) => {
        store(next, self);
        self.does = 'acknowledge';
      }),
    ];
    if (isLast && world.lostAcks < this.#bounds.lostAcks) {
      // The worker publishes again: the next try finds what this one has stored.
      steps.push(
        named('stores the retry and does not hear of it', (next, self) => {
          store(next, self);
          next.lostAcks += 1;
        }),
      );
    }
    return steps;
  }

  #endSteps(world: World, { answer: end, isSure, sequence }: Worker, named: Named): Step<World>[] {
    if (end === null || end === 'again') {
      return [];
    }
    if (!isSure && !this.#variant.recordUnsure) {
      return [
        this.#look(this.#variant.messageBeforeEnd ? 'message' : 'end', sequence, named, (_, self) => {
          self.does = 'look for its message';
        }),
      ];
    }
    if (world.outcome === null || this.#variant.uncheckedOutcome) {
      return [
        named(`records that it ${end}`, (next, self) => {
          record(next, end);
          self.does = this.#variant.ackBeforeCallback ? ackFirst(next, self) : afterEnd(end);
        }),
      ];
    }
    // Another worker has recorded an end, and completes it.
    return [
      named('finds that it has ended', (next, self) => {
        if (this.#variant.ackOnConflict) {
          acknowledge(next, self);
        } else {
          rest(self);
        }
      }),
    ];
  }
}

/** The worker has seen first that the call has no end, and then that its message exists. */
function beSure(_: World, self: Worker): void {
  Object.assign(self, { does: 'settle', isSure: true });
}

function afterEnd(end: End): After {
  return end === 'failed' ? 'bury' : end === 'succeeded' ? 'call back' : 'acknowledge';
}

function ackFirst(next: World, self: Worker): After {
  remove(next, self.sequence);
  return afterEnd(next.outcome ?? 'succeeded');
}

/** Whether the message is still in the stream. */
function holds({ messages }: World, sequence: number): boolean {
  return messages.some((message) => message.sequence === sequence);
}

function acknowledge(next: World, self: Worker): void {
  remove(next, self.sequence);
  rest(self);
}

function tell(next: World, end: End): void {
  if (!next.told.includes(end)) {
    next.told.push(end);
  }
}
