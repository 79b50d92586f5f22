import { Link } from 'wouter-preact';
import { may } from '../access/index.ts';
import { formatCount, formatDuration, formatTime } from '../format/index.ts';
import type { Column } from '../ui/index.ts';
import { type Call, hrefOf } from './call.ts';
import type { CallFilter } from './call-filter.ts';
import { StatusBadge } from './status-badge.tsx';

/** @param onFilter labels are buttons that search for them */
export function columnsFor(filter: CallFilter, onFilter: (filter: CallFilter) => void): readonly Column<Call>[] {
  const onLabel = (label: string): void => onFilter({ ...filter, texts: { ...filter.texts, label } });
  return [
    { key: 'status', title: 'Status', show: ({ status }) => <StatusBadge status={status} /> },
    { key: 'call', title: 'Call', show: (call) => <Identity call={call} onLabel={onLabel} /> },
    {
      key: 'function',
      title: 'Function',
      wide: true,
      show: ({ function: name }) => <FunctionName name={name} />,
    },
    {
      key: 'created',
      title: 'Accepted',
      number: true,
      wide: true,
      show: ({ createdAt }) => (
        <time datetime={createdAt} title={createdAt}>
          {formatTime(createdAt)}
        </time>
      ),
    },
    { key: 'attempts', title: 'Attempts', number: true, wide: true, show: ({ attempts }) => formatCount(attempts) },
    { key: 'answer', title: 'Answer', number: true, wide: true, show: ({ functionStatus }) => functionStatus ?? '' },
    {
      key: 'duration',
      title: 'Took',
      number: true,
      wide: true,
      show: ({ durationMs }) => (durationMs === undefined ? '' : formatDuration(durationMs)),
    },
  ];
}

function Identity({ call, onLabel }: { call: Call; onLabel: (label: string) => void }) {
  const { callId, submitter, labels = [], function: name, createdAt } = call;
  return (
    <>
      <Link class="code one-line" href={hrefOf(call)}>
        {callId}
      </Link>
      <span class="narrow small quiet">
        {name}, {formatTime(createdAt)}
      </span>
      {submitter !== undefined && <span class="small quiet">by {submitter}</span>}
      {labels.length > 0 && (
        <span class="labels">
          {labels.map((label) => (
            <button key={label} class="label" type="button" onClick={() => onLabel(label)}>
              {label}
            </button>
          ))}
        </span>
      )}
    </>
  );
}

/** With a link for those who may look at functions. */
export function FunctionName({ name }: { name: string }) {
  return may('admin') ? <Link href={`/functions/${name}`}>{name}</Link> : <span>{name}</span>;
}
