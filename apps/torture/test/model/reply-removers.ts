import type { Step } from './explore.ts';
import {
  isAt,
  isWhole,
  type Place,
  places,
  putRecord,
  type Remover,
  type ReplyBounds,
  type ReplyVariant,
  type ReplyWorld,
  replyStep,
} from './reply-world.ts';
import { at } from './world.ts';

/** At once if none of the two is busy: a sweep finds it later. */
export function beginToRemove(next: ReplyWorld, unseen: boolean): void {
  const self = at(next.removers, 1);
  if (self.does === 'nothing' && next.record !== null) {
    Object.assign(self, { does: unseen ? 'remove' : 'mark', mark: next.record.sequence });
  }
}

export function sweeperSteps(world: ReplyWorld, { sweeps }: ReplyBounds): Step<ReplyWorld>[] {
  const { record, removers, chunk } = world;
  if (world.sweeps >= sweeps || at(removers, 0).does !== 'nothing' || (record === null && !chunk)) {
    return [];
  }
  return [
    replyStep(world, 'sweeper begins', (next) => {
      next.sweeps += 1;
      const does = record === null ? 'purge' : record.state === 'uploading' ? 'remove' : 'mark';
      Object.assign(at(next.removers, 0), { does, mark: record?.sequence ?? 0 });
    }),
  ];
}

export function removerSteps(world: ReplyWorld, who: number, variant: ReplyVariant): Step<ReplyWorld>[] {
  const { does } = at(world.removers, who);
  return does === 'nothing'
    ? []
    : [replyStep(world, `remover ${who} does ${does}`, (next) => remove(next, at(next.removers, who), variant))];
}

function remove(next: ReplyWorld, self: Remover, variant: ReplyVariant): void {
  const { order = places, unmarked } = variant;
  switch (self.does) {
    case 'mark':
      mark(next, self, variant);
      break;
    case 'remove': {
      const isThere = next.record !== null && (unmarked === true || next.record.sequence === self.mark);
      next.record = isThere ? null : next.record;
      self.does = isThere ? 'purge' : 'nothing';
      break;
    }
    case 'purge':
      next.chunk = next.record !== null && next.record.state !== 'uploading' ? next.chunk : false;
      self.does = 'nothing';
      break;
    case 'nothing':
      break;
    case 'call':
    case 'intent':
    case 'outcome':
    case 'callback':
    case 'letter':
    case 'step':
    case 'letter of the step':
      look(next, self, { ...variant, order });
  }
}

function mark(next: ReplyWorld, self: Remover, { unmarked, order = places }: ReplyVariant): void {
  const { record } = next;
  if (!isWhole(next) || record === null) {
    self.does = 'nothing';
    return;
  }
  if (record.state !== 'condemned' && unmarked !== true) {
    putRecord(next, 'condemned', record.sequence);
  }
  self.mark = next.record?.sequence ?? 0;
  self.does = at(order, 0);
}

function look(next: ReplyWorld, self: Remover, { ignored, order = places, unmarked }: ReplyVariant): void {
  const place = self.does as Place;
  if (place === ignored || !isAt(next, place)) {
    self.does = order[order.indexOf(place) + 1] ?? 'remove';
    return;
  }
  if (unmarked !== true) {
    putRecord(next, 'stored', self.mark);
  }
  self.does = 'nothing';
}
