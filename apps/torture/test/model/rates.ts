import { emptyLedger, fairShare, freeStarts, type Ledger, nextLedger, toLedger } from '@asyncfn/queue-core/rates';
import type { Model, Step } from './explore.ts';
import {
  initialRates,
  leaseMs,
  periodMs,
  type RateBounds,
  type RateVariant,
  type RateWorker,
  type RateWorld,
  rateStep,
  tickMs,
} from './rate-world.ts';
import { at } from './world.ts';

/**
 * The starts of a rate, and two workers that share them. The ledger and its rules are the real ones
 * (`queue-core/src/rates`); the steps of the workers are those of `apps/worker/src/rates/rate-share.ts`.
 */
export function rates(bounds: RateBounds, variant: RateVariant = {}): Model<RateWorld> {
  return {
    initial: initialRates(bounds),
    steps: (world) => [
      ...[0, 1].flatMap((who) => workerSteps(world, who, bounds, variant)),
      ...outerSteps(world, bounds),
    ],
    wrong: ({ offence }) => offence ?? undefined,
    unfinished,
  };
}

/** A worker that has died may have used its starts at the end of its lease. A write that took long makes a start late. */
function unfinished({ left, starts, stored, count, now, lastTroubleAt }: RateWorld): string | undefined {
  const { used } = stored.ledger === null ? emptyLedger : toLedger(stored.ledger, stored.at);
  const late = used.filter(([usedAt]) => usedAt + periodMs > now).length;
  const isSettled = lastTroubleAt === null || now >= lastTroubleAt + leaseMs + periodMs + 2 * tickMs;
  return left > 0 && isSettled && starts.length + late < count ? 'starts are lost' : undefined;
}

function outerSteps(world: RateWorld, { ticks, changedTo }: RateBounds): Step<RateWorld>[] {
  const steps: Step<RateWorld>[] = [];
  if (world.now < ticks * tickMs) {
    steps.push(
      rateStep(world, 'time passes', (next) => {
        next.now += tickMs;
      }),
    );
  }
  if (changedTo !== undefined && world.changes === 0 && world.now === 0) {
    steps.push(
      rateStep(world, `the rate becomes ${changedTo}`, (next) => {
        Object.assign(next, { changes: 1, count: changedTo, agreedAt: null });
      }),
    );
  }
  return steps;
}

function workerSteps(world: RateWorld, who: number, bounds: RateBounds, variant: RateVariant): Step<RateWorld>[] {
  const worker = at(world.workers, who);
  const named = (name: string, then: (next: RateWorld, self: RateWorker) => void): Step<RateWorld> =>
    rateStep(world, `worker ${who} ${name}`, (next) => then(next, at(next.workers, who)));
  if (worker.does === 'nothing more') {
    return [];
  }
  const steps: Step<RateWorld>[] = [];
  if (worker.count !== world.count) {
    steps.push(
      named('learns the rate', (next, self) => {
        self.count = next.count;
      }),
    );
  }
  const mayUse = worker.cold > 0 && (variant.noLease || world.now < worker.leaseUntil);
  if (mayUse && world.left > 0) {
    steps.push(named('starts a call', (next, self) => start(next, self, bounds.count)));
  }
  steps.push(...writeSteps(world, who, bounds, variant));
  if (world.crashes < bounds.crashes) {
    steps.push(
      named('dies', (next, self) => {
        next.crashes += 1;
        next.lastTroubleAt = next.now;
        const write = self.does === 'wait for the broker' ? self.write : null;
        Object.assign(self, { does: 'nothing more', write, cold: 0, hot: [], unreported: [] });
      }),
    );
  }
  return steps;
}

function writeSteps(world: RateWorld, who: number, bounds: RateBounds, variant: RateVariant): Step<RateWorld>[] {
  const worker = at(world.workers, who);
  const named = (name: string, then: (next: RateWorld, self: RateWorker) => void): Step<RateWorld> =>
    rateStep(world, `worker ${who} ${name}`, (next) => then(next, at(next.workers, who)));
  const steps: Step<RateWorld>[] = [];
  if (worker.does === 'nothing' && hasReason(world, worker)) {
    for (const ahead of bounds.clocks ?? [0]) {
      const writes = named(`writes, its clock ${ahead} s ahead`, (next, self) => {
        plan(next, self, { id: String(who), now: next.now + ahead * tickMs }, bounds, variant);
      });
      steps.push(...(at(writes.next.workers, who).does === 'nothing' ? [] : [writes]));
    }
  }
  if (worker.does === 'wait for the broker') {
    steps.push(
      named('is stored or refused', (next, self) => {
        store(next, self, variant);
        if (!bounds.slowAnswers) {
          answer(next, self, variant);
        }
      }),
    );
  }
  if (worker.does === 'read the answer') {
    steps.push(named('gets the answer', (next, self) => answer(next, self, variant)));
    if (world.lostAnswers < bounds.lostAnswers) {
      steps.push(
        named('does not get the answer', (next, self) => {
          next.lostAnswers += 1;
          next.lastTroubleAt = next.now;
          Object.assign(self, { does: 'nothing', write: null });
        }),
      );
    }
  }
  return steps;
}

/** It needs starts, renews its lease, gives back what it does not need, or has learnt of another rate. */
function hasReason({ left, now, count }: RateWorld, worker: RateWorker): boolean {
  const held = worker.cold + worker.hot.length;
  const usable = now < worker.leaseUntil ? worker.cold : 0;
  const needs = left > 0 && usable === 0;
  const renews = held > 0 && worker.leaseUntil - now <= tickMs && left > 0;
  const returns = left === 0 && held > 0;
  return needs || renews || returns || (worker.count === count && worker.agreed !== count);
}

function start(next: RateWorld, self: RateWorker, before: number): void {
  self.cold -= 1;
  self.hot.push(next.now);
  next.left -= 1;
  next.starts.push(next.now);
  const isAgreed = next.agreedAt !== null && next.agreedAt + periodMs <= next.now;
  const allowed = isAgreed ? next.count : Math.max(before, next.count);
  if (next.starts.filter((each) => each + periodMs > next.now).length > allowed) {
    next.offence = 'more starts in a period than the rate allows';
  }
}

/** What the worker reads. */
function read({ ledger, at: storedAt }: RateWorld['stored'], variant: RateVariant): Ledger {
  const seen = ledger === null ? emptyLedger : toLedger(ledger, storedAt);
  const lateMs = variant.neverFree ? 1_000_000 : variant.freedEarly ? -(periodMs + 2 * tickMs) : 0;
  const holders = new Map([...seen.holders].map(([id, each]) => [id, { ...each, until: each.until + lateMs }]));
  return { holders, used: variant.dropsUsed ? [] : seen.used };
}

interface Point {
  readonly id: string;
  /** By the clock of the worker. */
  readonly now: number;
}

/** Reads the ledger and sends the next one, unless it would say nothing new. */
function plan(
  next: RateWorld,
  self: RateWorker,
  { id, now }: Point,
  { fair = false }: RateBounds,
  variant: RateVariant,
): void {
  const rate = { count: self.count, periodMs };
  const ledger = read(next.stored, variant);
  const share = next.left > 0 ? fairShare(ledger, rate, now, id) : 0;
  const free = freeStarts(ledger, rate, now, id);
  const removed = giveBack(self, Math.max(0, Math.min(variant.keepsAll ? share : free, share)));
  const held = self.cold + self.hot.length;
  const wants = next.left > 0 && self.cold === 0 ? Math.min(1, share - held) : 0;
  const granted = Math.max(0, Math.min(wants, free - held - (variant.hidesReturned ? 0 : unreported(self, next.now))));
  const short = fair && wants > granted;
  if (!isWorthWriting(next, self, ledger.holders.get(id), { held: held + granted, granted, short })) {
    self.agreed = self.count;
    return;
  }
  const used = variant.hotIsFree ? [] : self.unreported.map((usedAt): [number, number] => [next.now - usedAt, 1]);
  const by = { id, held: held + granted, leaseMs, ...(short && { short: true as const }), used };
  self.cold += (variant.grantedEarly ? granted : 0) + (variant.returnedLate ? removed : 0);
  self.leaseUntil = variant.grantedEarly ? next.now + leaseMs : self.leaseUntil;
  self.write = {
    isCurrent: true,
    ledger: nextLedger(ledger, rate, now, by),
    granted: variant.grantedEarly ? 0 : granted,
    sentAt: next.now,
    count: self.count,
  };
  self.does = 'wait for the broker';
}

/** Starts that it has given back and that no ledger shows yet. */
function unreported(self: RateWorker, now: number): number {
  return self.unreported.filter((usedAt) => usedAt + periodMs > now).length;
}

function isWorthWriting(
  { now }: RateWorld,
  self: RateWorker,
  before: { readonly held: number; readonly short: boolean } | undefined,
  { held, granted, short }: { readonly held: number; readonly granted: number; readonly short: boolean },
): boolean {
  const renews = granted > 0 || (held > 0 && self.leaseUntil - now <= tickMs);
  const isNews = held !== (before?.held ?? 0) || short !== (before?.short ?? false);
  return renews || isNews || self.unreported.length > 0;
}

/** Keeps at most so many starts: cold ones are given back first. Returns how many of these were. */
function giveBack(self: RateWorker, most: number): number {
  const excess = Math.max(0, self.cold + self.hot.length - most);
  const cold = Math.min(self.cold, excess);
  self.cold -= cold;
  self.unreported.push(...self.hot.splice(0, excess - cold));
  return cold;
}

function store(next: RateWorld, self: RateWorker, { noExpectation }: RateVariant): void {
  const { write } = self;
  self.does = 'read the answer';
  self.wasStored = write !== null && (noExpectation === true || write.isCurrent);
  if (self.wasStored && write !== null) {
    for (const other of next.workers) {
      if (other !== self && other.write !== null) {
        other.write.isCurrent = false;
      }
    }
    next.stored = { ledger: write.ledger, at: next.now };
  }
}

function answer(next: RateWorld, self: RateWorker, variant: RateVariant): void {
  const { write } = self;
  if (write !== null && self.wasStored) {
    self.cold += write.granted;
    self.leaseUntil = (variant.leaseFromAnswer ? next.now : write.sentAt) + leaseMs;
    self.unreported = [];
    self.agreed = write.count;
  }
  Object.assign(self, { does: 'nothing', write: null, wasStored: false });
}
