import type { Advance, FlowVariant, FlowWorld, KeyState } from './flow-world.ts';

/** Begins to give turns, after these calls have ended. */
export function advanceFor(release: number[], notice = 0): Advance {
  return { does: 'read the state', release, seen: null, heads: [], notice };
}

/**
 * One step of giving turns. The broker checks each write: the state is the one that was read, and a call that gets its turn
 * still waits. Returns false once it is done.
 */
export function advanceStep(next: FlowWorld, self: Advance, variant: FlowVariant): boolean {
  if (self.does === 'read the state') {
    readState(next, self, variant);
    return true;
  }
  if (self.does === 'read who waits') {
    readWaits(next, self, variant);
    return true;
  }
  if (self.does === 'write') {
    return write(next, self, variant);
  }
  next.waits = next.waits.filter((call) => !self.heads.includes(call));
  return self.does === 'look again' ? lookAgain(next, self) : done(next, self);
}

function readState(next: FlowWorld, self: Advance, { noticeFirst }: FlowVariant): void {
  if (noticeFirst) {
    removeNotice(next, self);
  }
  self.seen = structuredClone(next.state);
  self.does = 'read who waits';
}

function readWaits(next: FlowWorld, self: Advance, variant: FlowVariant): void {
  const cursor = variant.noCursor ? 0 : (self.seen?.cursor ?? 0);
  const room = next.limit - stillRunning(self).length;
  if (room > 0) {
    // Left-overs are removed as they are found.
    next.waits = next.waits.filter((call) => call > cursor);
  }
  self.heads = next.waits.filter((call) => call > cursor).slice(0, Math.max(0, room));
  self.does = 'write';
}

function stillRunning({ seen, release }: Advance): number[] {
  return (seen?.running ?? []).filter((call) => !release.includes(call));
}

/** Stores turns and the new state in one step, or removes the state of a key that is at rest. */
function write(next: FlowWorld, self: Advance, variant: FlowVariant): boolean {
  const { seen, heads } = self;
  const running = stillRunning(self);
  const isChanged = heads.length > 0 || running.length < (seen?.running.length ?? 0);
  if (!isChanged) {
    return done(next, self);
  }
  const isStale = !variant.blindState && next.state?.version !== seen?.version;
  const isGone = !variant.blindCall && heads.some((call) => !next.waits.includes(call) || next.turns[call]);
  if (isStale || isGone) {
    self.does = 'read the state';
    return true;
  }
  giveTurns(next, heads);
  next.version += 1;
  const all = [...running, ...heads];
  const state: KeyState = { version: next.version, running: all, cursor: Math.max(seen?.cursor ?? 0, ...heads) };
  next.state = all.length === 0 ? null : state;
  const isFull = all.length >= next.limit;
  self.does = isFull || variant.noSecondLook ? 'remove those that wait no more' : 'look again';
  return true;
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
    Object.assign(self, { does: 'read the state', release: [] });
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
