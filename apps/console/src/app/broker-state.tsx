import type { ApiProblem } from '../api/index.ts';
import { useLive } from '../live/index.ts';
import { liveQueues } from '../queues/index.ts';
import { Badge, Notice } from '../ui/index.ts';

/** At the side: whether gateway and broker answer. */
export function BrokerState() {
  const { problem, data } = useLive(liveQueues);
  if (problem.value !== undefined) {
    return (
      <Badge tone="bad" dot>
        Trouble
      </Badge>
    );
  }
  return data.value === undefined ? (
    <Badge>Connecting</Badge>
  ) : (
    <Badge tone="good" dot>
      Connected
    </Badge>
  );
}

/** Above every page, as long as gateway or broker do not answer. */
export function BrokerTrouble() {
  const { problem } = useLive(liveQueues);
  const words = problem.value === undefined ? undefined : describe(problem.value);
  return (
    <div role="alert" class="trouble-bar">
      {words !== undefined && (
        <Notice tone="bad" title={words[0]}>
          {words[1]}
        </Notice>
      )}
    </div>
  );
}

function describe({ code, message }: ApiProblem): readonly [string, string] {
  switch (code) {
    case 'unreachable':
      return ['The gateway does not answer.', 'This page tries again by itself. What it shows is from before.'];
    case 'late':
      return [
        'The gateway takes long to answer.',
        'The broker may be slow or away. What this page shows is from before.',
      ];
    case 'broker_unavailable':
    case 'broker_timeout':
      return [
        'The broker (NATS) is unavailable.',
        'New calls are answered 503. Accepted calls are kept, and go on when it is back. This page notices by itself.',
      ];
    default:
      return ['The queues cannot be read.', message];
  }
}
