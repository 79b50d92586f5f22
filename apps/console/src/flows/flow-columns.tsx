import { Link } from 'wouter-preact';
import { FunctionName } from '../calls/index.ts';
import { formatCount } from '../format/index.ts';
import { Badge, type Column, PausedBadge } from '../ui/index.ts';
import { describeRate, describeSources, type Flow, hrefOfFlow } from './flow.ts';

export const flowColumns: readonly Column<Flow>[] = [
  { key: 'key', title: 'Key', sortBy: ({ key }) => key, show: (flow) => <Identity flow={flow} /> },
  {
    key: 'function',
    title: 'Function',
    wide: true,
    sortBy: ({ function: name }) => name,
    show: ({ function: name }) => <FunctionName name={name} />,
  },
  {
    key: 'waiting',
    title: 'Waiting',
    number: true,
    sortBy: ({ waiting }) => waiting,
    show: ({ waiting }) => formatCount(waiting),
  },
  {
    key: 'running',
    title: 'Running',
    number: true,
    sortBy: ({ running }) => running,
    show: ({ running, parallelism }) => `${formatCount(running)} of ${formatCount(parallelism)}`,
  },
  { key: 'rate', title: 'Rate', number: true, wide: true, show: ({ rate }) => describeRate(rate) },
  { key: 'limits', title: 'Limits', wide: true, sortBy: describeSources, show: describeSources },
  {
    key: 'state',
    title: 'State',
    wide: true,
    sortBy: ({ paused }) => Number(!paused),
    show: (flow) => <PausedBadge paused={flow.paused} />,
  },
];

function Identity({ flow }: { flow: Flow }) {
  const { key, function: name, submitter, queue, paused } = flow;
  return (
    <>
      <Link class="code one-line" title={key} href={hrefOfFlow({ ...flow, submitter: submitter ?? '' })}>
        {key}
      </Link>
      <span class="narrow small">
        <FunctionName name={name} /> {paused && <Badge tone="warn">Paused</Badge>}
      </span>
      <span class="one-line small quiet">
        {submitter === undefined ? '' : `by ${submitter}, `}
        queue {queue}
      </span>
    </>
  );
}
