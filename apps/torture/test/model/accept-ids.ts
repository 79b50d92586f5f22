import type { Model, Step } from './explore.ts';
import {
  type Gateway,
  type IdBounds,
  type IdCall,
  type IdVariant,
  type IdWorld,
  idStep,
  initialIdWorld,
} from './id-world.ts';
import { at } from './world.ts';

type Named = (name: string, change: (next: IdWorld, self: Gateway) => void) => Step<IdWorld>;
type OfCall = (name: string, change: (next: IdWorld, call: IdCall) => void) => Step<IdWorld>;

/**
 * Two calls of one id on their way through two gateways, and what becomes of them: they run, expire or are cancelled,
 * and are forgotten. The steps of the gateways are those of `conditional-enqueue.ts`, `id-claims.ts` and
 * `duplicate-lookup.ts`.
 */
export function acceptIds(bounds: IdBounds, variant: IdVariant = {}): Model<IdWorld> {
  const steps = new IdSteps(bounds, variant);
  return {
    initial: initialIdWorld(variant.lookFirst ? 'look in the queues' : 'claim'),
    steps: (world) => [0, 1].flatMap((who) => [...steps.ofGateway(world, who), ...steps.ofCall(world, who)]),
    wrong: ({ offence }) => offence ?? undefined,
    unfinished: (world) => unfinished(world, bounds),
  };
}

function unfinished({ calls, gateways, crashes }: IdWorld, { submitters }: IdBounds): string | undefined {
  if (calls.some(({ wasStored, endOf }) => wasStored && endOf === null)) {
    return 'a stored call without an end (P2)';
  }
  const areStrangers = submitters[0] !== submitters[1];
  return areStrangers && crashes === 0 && gateways.some(({ said }) => said !== 'accepted')
    ? 'refused because of the id of a stranger'
    : undefined;
}

class IdSteps {
  readonly #bounds: IdBounds;
  readonly #variant: IdVariant;

  constructor(bounds: IdBounds, variant: IdVariant) {
    this.#bounds = bounds;
    this.#variant = variant;
  }

  ofGateway(world: IdWorld, who: number): Step<IdWorld>[] {
    const { does, said } = at(world.gateways, who);
    if (does === 'done' || does === 'dead' || said !== 'nothing') {
      return this.#forgetClaim(world, who);
    }
    const named: Named = (name, change) =>
      idStep(world, `gateway ${who} ${name}`, (next) => change(next, at(next.gateways, who)));
    const steps = this.#acceptSteps(world, who, named);
    if (world.crashes < this.#bounds.crashes) {
      steps.push(
        named('dies', (next, self) => {
          self.does = 'dead';
          next.crashes += 1;
        }),
      );
    }
    return steps;
  }

  #acceptSteps(world: IdWorld, who: number, named: Named): Step<IdWorld>[] {
    const { does } = at(world.gateways, who);
    switch (does) {
      case 'claim':
      case 'claim and decide':
        return [named('claims the id', (next, self) => this.#claim(next, self, who))];
      case 'look in the queues':
      case 'look for intents':
      case 'look for ends':
        return [
          named(does.replace('look', 'looks'), (next, self) => {
            self.isKnown ||= this.#others(next, who).some((call) => isSeen(call, does));
            self.does = this.#after(does);
          }),
        ];
      case 'decide':
        return this.#decideSteps(world, who, named);
      case 'wait for PubAck':
        return at(world.calls, who).stands === 'sent'
          ? []
          : [named('answers', (next, self) => answer(next, self, who))];
      case 'done':
      case 'dead':
        return [];
    }
  }

  #claim(next: IdWorld, self: Gateway, who: number): void {
    const name = this.#claimName(who);
    const holder = next.claims[name];
    // The claim of a gateway that has had its time is taken over.
    const isFree = holder === undefined || holder === who || isOver(next, holder);
    if (isFree) {
      next.claims[name] = who;
    }
    self.holds = isFree || this.#variant.noClaim === true;
    self.does = self.does === 'claim' ? at(looksOf(this.#variant), 0) : 'decide';
  }

  #after(does: Gateway['does']): Gateway['does'] {
    const order = looksOf(this.#variant);
    return order[order.indexOf(does) + 1] ?? (this.#variant.lookFirst ? 'claim and decide' : 'decide');
  }

  #decideSteps(world: IdWorld, who: number, named: Named): Step<IdWorld>[] {
    const { isKnown, holds } = at(world.gateways, who);
    if (isKnown) {
      return [named('answers 409', said('conflict'))];
    }
    if (!holds) {
      return [
        named('looks again', (_, self) => {
          self.does = 'claim';
        }),
        named('answers 503', said('busy')),
      ];
    }
    return [
      named('sends the call', (next, self) => {
        self.does = 'wait for PubAck';
        at(next.calls, who).stands = 'sent';
      }),
    ];
  }

  /** A claim has a time to live: when it ends, the call of its gateway is in its queue or never will be. */
  #forgetClaim(world: IdWorld, who: number): Step<IdWorld>[] {
    const name = this.#claimName(who);
    return world.claims[name] === who && (isOver(world, who) || this.#variant.shortClaims)
      ? [
          idStep(world, `the claim of gateway ${who} is forgotten`, (next) => {
            delete next.claims[name];
          }),
        ]
      : [];
  }

  ofCall(world: IdWorld, who: number): Step<IdWorld>[] {
    const call = at(world.calls, who);
    const named: OfCall = (name, change) =>
      idStep(world, `${name} of call ${who}`, (next) => change(next, at(next.calls, who)));
    switch (call.stands) {
      case 'sent':
        return [
          named('broker gets the message', (next, mine) => this.#store(next, mine, who)),
          ...(world.crashes < this.#bounds.crashes ? [named('the message does not get through', lose)] : []),
        ];
      case 'queued':
        return [
          ...this.#decisionSteps(world, who, named),
          ...(this.#bounds.cancel ? [named('canceller stores the intent', beginCancel), ...removal(call, named)] : []),
        ];
      case 'decided':
        return [named('worker records the end', (next, mine) => this.#end(next, mine, who))];
      case 'removed':
        return [named('canceller records the end', (next, mine) => this.#end(next, mine, who))];
      case 'ended':
        return [
          named('the message goes', (_, mine) => {
            Object.assign(mine, { stands: 'gone', intent: false });
          }),
        ];
      case 'nowhere':
        return [];
      case 'gone':
        return this.#forgetSteps(call, who, named);
    }
  }

  /** The first one decides. A worker that finds the call expired leaves it to the one that has decided so. */
  #decisionSteps({ decisions }: IdWorld, who: number, named: OfCall): Step<IdWorld>[] {
    const name = this.#recordName(who);
    const earlier = decisions[name];
    if (earlier !== undefined && earlier.by !== who) {
      return earlier.says === 'expired' ? [] : [named('worker begins the attempt', decided)];
    }
    return (['started', 'expired'] as const).map((says) =>
      named(says === 'started' ? 'worker begins the attempt' : 'time is up before the start', (next, mine) => {
        next.decisions[name] = { says, by: who };
        decided(next, mine);
      }),
    );
  }

  #store(next: IdWorld, mine: IdCall, who: number): void {
    const { queues } = this.#bounds;
    const others = this.#others(next, who);
    if (queues[0] === queues[1] && others.some(({ stands }) => isInQueue(stands))) {
      mine.stands = 'gone'; // refused by the stream
      return;
    }
    if (this.#areSame() && others.some(isKnownCall) && this.#bounds.mayMeet !== true) {
      next.offence = 'an id that is known is accepted again';
    }
    Object.assign(mine, { stands: 'queued', wasStored: true });
  }

  #end(next: IdWorld, mine: IdCall, who: number): void {
    const name = this.#recordName(who);
    next.ends[name] ??= who;
    mine.endOf = next.ends[name];
    if (mine.endOf !== who) {
      next.offence = 'the receiver is told of the end of another call';
    }
    mine.stands = mine.stands === 'removed' ? 'gone' : 'ended';
    mine.intent = false;
  }

  /** The end is forgotten; the decision about the start is kept for longer. */
  #forgetSteps({ isForgotten, endOf }: IdCall, who: number, named: OfCall): Step<IdWorld>[] {
    return this.#bounds.forget && endOf !== null && !isForgotten
      ? [
          named('the end is forgotten', (next, mine) => {
            mine.isForgotten = true;
            delete next.ends[this.#recordName(who)];
          }),
        ]
      : [];
  }

  /** The other call, if both share the id for every lookup. */
  #others({ calls }: IdWorld, who: number): IdCall[] {
    return this.#areSame() || this.#variant.idsOfAll ? [at(calls, 1 - who)] : [];
  }

  #areSame(): boolean {
    return this.#bounds.submitters[0] === this.#bounds.submitters[1];
  }

  #claimName(who: number): string {
    return this.#variant.idsOfAll ? 'id' : `id.${this.#bounds.submitters[who]}`;
  }

  #recordName(who: number): string {
    const submitter = this.#bounds.submitters[who];
    return this.#variant.sharedRecords ? `${submitter}` : `${submitter}.${who}`;
  }
}

/** A call leaves its queue once its end or an intent exists, and an intent is removed once the end exists. */
function looksOf({ endsBeforeQueues = false, noIntents = false }: IdVariant): Gateway['does'][] {
  if (endsBeforeQueues) {
    return ['look for ends', 'look in the queues', 'look for intents'];
  }
  return noIntents
    ? ['look in the queues', 'look for ends']
    : ['look in the queues', 'look for intents', 'look for ends'];
}

/** Nothing more comes from the gateway: it takes no step, and has no message on its way to the broker. */
function isOver({ gateways, calls }: IdWorld, who: number): boolean {
  const { does, said: answered } = at(gateways, who);
  return (does === 'dead' || answered !== 'nothing') && at(calls, who).stands !== 'sent';
}

function isInQueue(stands: IdCall['stands']): boolean {
  return stands === 'queued' || stands === 'decided' || stands === 'ended';
}

function isKnownCall({ stands, endOf, isForgotten }: IdCall): boolean {
  return isInQueue(stands) || stands === 'removed' || (endOf !== null && !isForgotten);
}

function isSeen({ stands, intent, endOf, isForgotten }: IdCall, at: Gateway['does']): boolean {
  if (at === 'look in the queues') {
    return isInQueue(stands);
  }
  return at === 'look for intents' ? intent : endOf !== null && !isForgotten;
}

function answer(next: IdWorld, self: Gateway, who: number): void {
  const wasStored = at(next.calls, who).wasStored;
  Object.assign(self, { does: 'done', said: wasStored ? 'accepted' : 'conflict' });
}

function said(what: Gateway['said']): (next: IdWorld, self: Gateway) => void {
  return (_, self) => {
    Object.assign(self, { does: 'done', said: what });
  };
}

function lose(next: IdWorld, mine: IdCall): void {
  mine.stands = 'gone';
  next.crashes += 1;
}

function decided(_: IdWorld, mine: IdCall): void {
  mine.stands = 'decided';
}

function beginCancel(_: IdWorld, mine: IdCall): void {
  mine.intent = true;
}

function removal({ intent }: IdCall, named: OfCall): Step<IdWorld>[] {
  return intent
    ? [
        named('canceller removes the message', (_, mine) => {
          mine.stands = 'removed';
        }),
      ]
    : [];
}
