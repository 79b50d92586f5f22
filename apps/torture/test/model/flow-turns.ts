import { copyOf } from './explore.ts';
import type { Advance, FlowVariant, FlowWorld, KeyState } from './flow-world.ts';

/** Begins to give turns, after these calls have ended. */
export function advanceFor(
  release: number[],
  notice = 0,
  control: Advance['control'] = null,
  isUnrepeated = control !== null,
): Advance {
  const nothingSeen = { seen: null, waits: [], heads: [] };
  return { does: 'read', release, ...nothingSeen, alone: 0, control, isUnrepeated, notice, wrote: 0 };
}

/** Begins to end the turn of a call. If the state is known that names it alone, nothing is read before it is replaced. */
export function endOf(call: number, alone: number): Advance {
  return { ...advanceFor([call]), does: alone > 0 ? 'end alone' : 'read', alone };
}

/**
 * One step of giving turns. The broker checks each write: the state is the one that was read, and a call that becomes ready
 * still waits. Returns false once it is done.
 */
export function advanceStep(next: FlowWorld, self: Advance, variant: FlowVariant): boolean {
  switch (self.does) {
    case 'end alone':
      endAlone(next, self, variant);
      return true;
    case 'read':
    case 'read on':
      read(next, self, variant);
      return true;
    case 'finish turns':
      makeReady(next, turnsToFinish(self, variant), variant);
      self.does = 'remove what had its turn';
      return true;
    case 'remove what had its turn':
      removeLeft(next, leftOver(self, variant), variant);
      choose(next, self, variant);
      return true;
    case 'write':
      return write(next, self, variant);
    case 'begin turns':
      return begin(next, self, variant);
    case 'remove those that wait no more':
      removeWaiting(next, self.heads);
      return done(next, self);
    case 'look again':
      removeWaiting(next, self.heads);
      return lookAgain(next, self);
  }
}

/** Then those that wait are looked for, as whenever a turn has become free. */
function endAlone(next: FlowWorld, self: Advance, { aloneBlind = false, noSecondLook = false }: FlowVariant): void {
  if (!aloneBlind && next.state?.version !== self.alone) {
    self.does = 'read';
    return;
  }
  next.version += 1;
  next.state = { version: next.version, running: [], cursor: 0, paused: false, expires: true };
  self.does = noSecondLook ? 'remove those that wait no more' : 'look again';
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
  if (isFirst) {
    self.does = 'read on';
  } else if (leftOver(self, variant).length > 0) {
    self.does = 'finish turns';
  } else {
    choose(next, self, variant);
  }
}

/** Calls that have had their turn according to the state, and were seen to wait nevertheless. */
function leftOver({ waits, seen }: Advance, { noCursor = false }: FlowVariant): number[] {
  return noCursor ? [] : waits.filter((call) => call <= (seen?.cursor ?? 0));
}

/** Their process has died, or is about to make them ready. */
function turnsToFinish(self: Advance, variant: FlowVariant): number[] {
  const { noFinish = false, finishAll = false } = variant;
  const running = stillRunning(self);
  return noFinish ? [] : leftOver(self, variant).filter((call) => finishAll || running.includes(call));
}

function choose(next: FlowWorld, self: Advance, variant: FlowVariant): void {
  const cursor = variant.noCursor ? 0 : (self.seen?.cursor ?? 0);
  const room = isClosed(self, variant) ? 0 : next.limit - stillRunning(self).length;
  self.heads = self.waits.filter((call) => call > cursor).slice(0, Math.max(0, room));
  self.waits = [];
  self.does = 'write';
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

/** Stores who has the turn, before the calls become ready: a crash in between leaves what any process can finish. */
function write(next: FlowWorld, self: Advance, variant: FlowVariant): boolean {
  if (!changesState(self)) {
    return done(next, self);
  }
  if (!variant.blindState && next.state?.version !== self.seen?.version) {
    self.does = 'read';
    return true;
  }
  if (variant.readyFirst) {
    makeReady(next, self.heads, variant);
  }
  store(next, self, variant);
  self.does = self.heads.length > 0 ? 'begin turns' : afterwards(next, self, variant);
  return true;
}

function changesState(self: Advance): boolean {
  const { seen, heads } = self;
  const isFewer = stillRunning(self).length < (seen?.running.length ?? 0);
  return heads.length > 0 || isFewer || willBePaused(self) !== (seen?.paused ?? false) || staysAtRest(seen);
}

/** Whether the state has nothing to say, and the broker would keep it. */
export function staysAtRest(state: KeyState | null): boolean {
  return state !== null && isAtRest(state) && !state.expires;
}

function isAtRest({ running, paused }: Pick<KeyState, 'running' | 'paused'>): boolean {
  return running.length === 0 && !paused;
}

function store(next: FlowWorld, self: Advance, { dropPaused = false, expiresUnseen = false }: FlowVariant): void {
  const { seen, heads, control, isUnrepeated } = self;
  next.isPaused = control === null ? next.isPaused : control === 'pause';
  if (next.isPaused && heads.length > 0) {
    next.offence = 'a paused key gives a turn';
  }
  next.version += 1;
  const cursor = Math.max(seen?.cursor ?? 0, ...heads);
  const running = [...stillRunning(self), ...heads];
  const paused = willBePaused(self) && (control === 'pause' || !dropPaused);
  const expires = isAtRest({ running, paused }) && (!isUnrepeated || expiresUnseen);
  next.state = { version: next.version, running, cursor, paused, expires };
  self.wrote = next.version;
}

/**
 * A call that is gone, because it was cancelled or has ended in between, gives its turn back. So does one that became ready before
 * this turn was stored: it had its turn, and the state that said so is forgotten.
 */
function begin(next: FlowWorld, self: Advance, variant: FlowVariant): boolean {
  makeReady(next, self.heads, variant);
  const isOfThisTurn = (call: number): boolean => {
    const { under = 0 } = next.turns[call] ?? {};
    return variant.keepsOld ? under > 0 : under >= self.wrote;
  };
  const gone = self.heads.filter((call) => !isOfThisTurn(call));
  if (gone.length > 0 && !variant.keepsGone) {
    removeWaiting(next, self.heads);
    Object.assign(self, { does: 'read', release: gone, heads: [], control: null, isUnrepeated: false });
  } else {
    self.does = afterwards(next, self, variant);
  }
  return true;
}

function afterwards(next: FlowWorld, self: Advance, variant: FlowVariant): Advance['does'] {
  const isOpen = !isClosed(self, variant) && (next.state?.running.length ?? 0) < next.limit;
  return isOpen && !variant.noSecondLook ? 'look again' : 'remove those that wait no more';
}

/** The broker stores the ready copy of a call only while it waits and nothing newer of it is stored. */
function makeReady(next: FlowWorld, calls: readonly number[], { blindCall = false }: FlowVariant): void {
  for (const call of calls) {
    if (blindCall || (next.copies.includes(call) && next.turns[call] === undefined)) {
      const message = { attempt: 0, wasDelivered: false, isHeld: false };
      next.turns[call] = { kind: 'ready', ...message, under: next.version, alone: 0 };
    }
  }
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

/** A call may have come after those that wait were read, and have found no turn free. */
function lookAgain(next: FlowWorld, self: Advance): boolean {
  const cursor = Math.max(next.state?.cursor ?? 0, 0);
  if (self.isUnrepeated || next.waits.some((call) => call > cursor)) {
    Object.assign(self, { does: 'read', release: [], control: null, isUnrepeated: false });
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
