import type { Msg } from '@nats-io/transport-node';
import { consumerFunction, streamQueue } from '../../call/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback } from '../messages/index.ts';
import type { LaneId } from './call-source.ts';

/**
 * Tells of each consumer that is created in any queue, so that workers take up a new function at once. Advisories are
 * not stored: one that is missed must be found by comparing.
 * @param onCreated gets the time as well, by the broker's clock: Unix time in milliseconds
 */
export function followCreatedLanes(broker: Broker, onCreated: (lane: LaneId, createdAt: number) => void): void {
  follow(broker, 'CREATED', onCreated);
}

/** Tells of each consumer that is deleted in any queue, so that a gateway makes it anew before the next call (P2). */
export function followDeletedLanes(broker: Broker, onDeleted: (lane: LaneId) => void): void {
  follow(broker, 'DELETED', onDeleted);
}

/**
 * Tells of each consumer that is paused or resumed in any queue, by us or by an operator of the broker. One whose pause
 * ends by itself is told of as well.
 */
export function followPausedLanes(broker: Broker, onChanged: (lane: LaneId) => void): void {
  follow(broker, 'PAUSE', onChanged);
}

function follow(
  broker: Broker,
  event: 'CREATED' | 'DELETED' | 'PAUSE',
  listener: (lane: LaneId, at: number) => void,
): void {
  let subscribed = false;
  broker.onConnect((connection) => {
    if (subscribed) {
      return; // the client renews its subscriptions by itself
    }
    subscribed = true;
    connection.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.${event}.*.*`, {
      callback: inboxCallback((message) => {
        const lane = parseAdvisorySubject(message.subject);
        if (lane !== undefined) {
          listener(lane, timeOf(message));
        }
      }),
    });
  });
}

/** Of an advisory that does not say it, now. */
function timeOf(message: Msg): number {
  const { timestamp } = message.json<{ readonly timestamp?: string }>();
  const time = Date.parse(timestamp ?? '');
  return Number.isNaN(time) ? Date.now() : time;
}

function parseAdvisorySubject(subject: string): LaneId | undefined {
  const [stream = '', consumer = ''] = subject.split('.').slice(5);
  const queue = streamQueue(stream);
  const name = consumerFunction(consumer);
  return queue === undefined || name === undefined ? undefined : { queue, function: name };
}
