import type { Msg } from '@nats-io/transport-node';
import { consumerFunction, streamQueue } from '../../call/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback, onFirstConnect } from '../messages/index.ts';
import type { LaneId } from './call-source.ts';

/**
 * Reports each consumer that is created in any queue, so that workers serve a new function at once. Advisories are not
 * stored: reconciling finds what a missed one would have reported.
 * @param onCreated gets the time as well, by the broker's clock: Unix time in milliseconds
 */
export function followCreatedLanes(broker: Broker, onCreated: (lane: LaneId, createdAt: number) => void): void {
  follow(broker, 'CREATED', onCreated);
}

/** Reports each consumer that is deleted in any queue, so that a gateway recreates it before the next call (P2). */
export function followDeletedLanes(broker: Broker, onDeleted: (lane: LaneId) => void): void {
  follow(broker, 'DELETED', onDeleted);
}

/**
 * Reports each consumer that is paused or resumed in any queue, by us or by an operator of the broker, and each whose
 * pause expires.
 */
export function followPausedLanes(broker: Broker, onChanged: (lane: LaneId) => void): void {
  follow(broker, 'PAUSE', onChanged);
}

function follow(
  broker: Broker,
  event: 'CREATED' | 'DELETED' | 'PAUSE',
  listener: (lane: LaneId, at: number) => void,
): void {
  onFirstConnect(broker, (connection) => {
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

/** Infinite if the advisory has none: then the consumer counts as newer than anything known of it. */
function timeOf(message: Msg): number {
  const { timestamp } = message.json<{ readonly timestamp?: string }>();
  const time = Date.parse(timestamp ?? '');
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}

function parseAdvisorySubject(subject: string): LaneId | undefined {
  const [stream = '', consumer = ''] = subject.split('.').slice(5);
  const queue = streamQueue(stream);
  const name = consumerFunction(consumer);
  return queue === undefined || name === undefined ? undefined : { queue, function: name };
}
