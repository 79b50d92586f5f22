import { Badge } from '../ui/index.ts';
import type { Flow } from './flow.ts';

/** Whether calls of the key get their turn. */
export function FlowState({ flow: { paused } }: { flow: Pick<Flow, 'paused'> }) {
  return paused ? (
    <Badge tone="warn" dot>
      Paused
    </Badge>
  ) : (
    <Badge tone="good" dot>
      Active
    </Badge>
  );
}
