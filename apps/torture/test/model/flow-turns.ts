import { copyOf } from './explore.ts';
import type { Advance, FlowVariant, FlowWorld, KeyState } from './flow-world.ts';

/** Begins to give turns, after these calls have ended. */
export function advanceFor(release: number[], notice = 0, control: Advance['control'] = null): Advance {
  return { does: 'read', release, seen: null, waits: [], heads: [], control, notice };
}

/**
 * One step of giving turns. The broker checks each write: the state is the one that was read, and a call that gets its turn
 * still waits. Returns false once it is done.
 */
export function advanceStep(next: FlowWorld, self: Advance, variant: FlowVariant): boolean {
  if (self.does === 'read' || self.does === 'read on') {
    read(next, self, variant);
    return true;
  }
  if (self.does === 'write' || self.does === 'drop') {
    return write(next, self, variant);
  }
  removeWaiting(next, self.heads);
  return self.does === 'look again' ? lookAgain(next, self) : done(next, self);
}

/** The state and those that wait, one after the other. */
function read(next: FlowWorld, self: Advance, variant: FlowVariant): void {
  const isFirst = self.does === 'read';
  if (variant.noticeFirst && isFirst) {
    removeNotice(next, self);
  }
  if (isFirst === (variant.waitsFirst === true)) {
    self.waits = [...next.waits];
  } else {
    self.seen = copyOf(next.state);
  }
  self.does = isFirst ? 'read on' : 'write';
  if (!isFirst) {
    choose(next, self, variant);
  }
}

function choose(next: FlowWorld, self: Advance, variant: FlowVariant): void {
  const cursor = variant.noCursor ? 0 : (self.seen?.cursor ?? 0);
  const room = isClosed(self, variant) ? 0 : next.limit - stillRunning(self).length;
  if (room > 0) {
    removeLeft(
      next,
      self.waits.filter((call) => call <= cursor),
      variant,
    );
  }
  self.heads = self.waits.filter((call) => call > cursor).slice(0, Math.max(0, room));
  self.waits = [];
}

/** Whether no turns are given. */
function isClosed(self: Advance, { resumeOnly = false }: FlowVariant): boolean {
  return willBePaused(self) || (self.control === 'resume' && resumeOnly);
}

/** Whether the key is paused once this is stored. */
function willBePaused({ seen, control }: Advance): boolean {
  return control === null ? (seen?.paused ?? false) : control === 'pause';
}

function stillRunning({ seen, release }: Advance): number[] {
  return (seen?.running ?? []).filter((call) => !release.includes(call));
}

/** Stores turns and the new state in one step, or removes the state of a key that is at rest. */
function write(next: FlowWorld, self: Advance, variant: FlowVariant): boolean {
  if (!changesState(self)) {
    return done(next, self);
  }
  if (leavesAtRest(self, variant) && self.does === 'write' && !variant.dropUnseen) {
    lookBeforeDrop(next, self, variant);
    return true;
  }
  if (isRefused(next, self, variant)) {
    self.does = 'read';
    return true;
  }
  store(next, self, variant);
  const isOpen = !isClosed(self, variant) && (next.state?.running.length ?? 0) < next.limit;
  self.does = isOpen && !variant.noSecondLook ? 'look again' : 'remove those that wait no more';
  return true;
}

function changesState(self: Advance): boolean {
  const { seen, heads } = self;
  const isFewer = stillRunning(self).length < (seen?.running.length ?? 0);
  return heads.length > 0 || isFewer || willBePaused(self) !== (seen?.paused ?? false);
}

/** Whether nothing is left that a state has to say. */
function leavesAtRest(self: Advance, { dropPaused = false }: FlowVariant): boolean {
  const isPaused = willBePaused(self) && (self.control === 'pause' || !dropPaused);
  return self.heads.length === 0 && stillRunning(self).length === 0 && !isPaused;
}

/** The broker checks the state, and that each call still waits. */
function isRefused({ state, copies, turns }: FlowWorld, { seen, heads }: Advance, variant: FlowVariant): boolean {
  const isStale = !variant.blindState && state?.version !== seen?.version;
  return isStale || (!variant.blindCall && heads.some((call) => !copies.includes(call) || turns[call] !== undefined));
}

function store(next: FlowWorld, self: Advance, variant: FlowVariant): void {
  const { seen, heads, control } = self;
  giveTurns(next, heads);
  next.isPaused = control === null ? next.isPaused : control === 'pause';
  if (next.isPaused && heads.length > 0) {
    next.offence = 'a paused key gives a turn';
  }
  next.version += 1;
  const cursor = Math.max(seen?.cursor ?? 0, ...heads);
  const running = [...stillRunning(self), ...heads];
  const state: KeyState = { version: next.version, running, cursor, paused: willBePaused(self) };
  next.state = leavesAtRest(self, variant) ? null : state;
}

/** With the state the cursor is gone: nothing may be left that is at or before it. */
function lookBeforeDrop(next: FlowWorld, self: Advance, variant: FlowVariant): void {
  const cursor = self.seen?.cursor ?? 0;
  self.does = next.waits.length > 0 ? 'read' : 'drop';
  removeLeft(
    next,
    next.waits.filter((call) => call <= cursor),
    variant,
  );
}

/** Removes calls that wait: their places, and the copies there. */
export function removeWaiting(next: FlowWorld, calls: readonly number[]): void {
  next.waits = next.waits.filter((call) => !calls.includes(call));
  next.copies = next.copies.filter((call) => !calls.includes(call));
}

/** As `removeWaiting`, for what others have left. */
function removeLeft(next: FlowWorld, calls: readonly number[], { leavesCopy = false }: FlowVariant): void {
  const kept = next.copies.filter((call) => leavesCopy && calls.includes(call) && next.turns[call] !== undefined);
  removeWaiting(next, calls);
  next.copies.push(...kept);
}

function giveTurns(next: FlowWorld, heads: readonly number[]): void {
  for (const call of heads) {
    next.turns[call] = { kind: 'ready', attempt: 0, wasDelivered: false, isHeld: false };
  }
}

/** A call may have come after those that wait were read, and have found no turn free. */
function lookAgain(next: FlowWorld, self: Advance): boolean {
  const cursor = Math.max(next.state?.cursor ?? 0, 0);
  if (next.waits.some((call) => call > cursor)) {
    Object.assign(self, { does: 'read', release: [], control: null });
    return true;
  }
  return done(next, self);
}

function done(next: FlowWorld, self: Advance): boolean {
  removeNotice(next, self);
  return false;
}

function removeNotice(next: FlowWorld, { notice }: Advance): void {
  if (next.notice <= notice) {
    next.notice = 0;
  }
}
