import type { Step } from './explore.ts';
import { type Bounds, step, type Variant, type World } from './world.ts';

/**
 * Time passes, and ends are forgotten: `outcome-pruner.ts`. When an end is old, everything that was seen before it was
 * recorded was seen too long ago.
 */
export function memorySteps(world: World, { lapses = 0 }: Bounds, variant: Variant): Step<World>[] {
  const { outcome, endIsOld, pruner } = world;
  const steps: Step<World>[] = [];
  if (outcome !== null && !endIsOld && world.lapses < lapses) {
    steps.push(step(world, 'time passes', lapse));
  }
  if (outcome !== null && endIsOld && pruner === 'nothing') {
    steps.push(
      isInMotion(world, variant)
        ? step(world, 'pruner stores the end again', (next) => {
            next.endIsOld = false;
          })
        : step(world, 'pruner finds that nothing is left of the call', (next) => {
            next.pruner = 'remove';
            if (next.callbackWaits) {
              next.offence = 'an end is forgotten while its callback waits';
            }
          }),
    );
  }
  if (pruner === 'remove') {
    steps.push(step(world, 'pruner removes what is old', forget));
  }
  if (world.callbackWaits) {
    steps.push(step(world, 'the stored callback is delivered', deliver));
  }
  return steps;
}

function isInMotion({ messages, callbackWaits, canceller }: World, variant: Variant): boolean {
  if (variant.forgetByAge) {
    return false;
  }
  return messages.length > 0 || callbackWaits || (canceller.intent && variant.forgetBesideIntent !== true);
}

function lapse(next: World): void {
  next.lapses += 1;
  next.endIsOld = true;
  // The stream knows the ids of messages for two minutes.
  next.knownRetries = [];
  for (const worker of next.workers) {
    worker.isSure = false;
    if (worker.does === 'look for its message') {
      worker.does = 'settle'; // it checked for the end too long ago
    }
  }
  next.canceller.isSure = false;
}

function forget(next: World): void {
  next.pruner = 'nothing';
  if (next.endIsOld) {
    next.outcome = null;
    next.callbackNoted = false;
  }
}

function deliver(next: World): void {
  next.callbackWaits = false;
  if (next.ended !== null && !next.told.includes(next.ended)) {
    next.told.push(next.ended);
  }
}
