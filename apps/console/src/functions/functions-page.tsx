import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { formatCount, formatMany, formatShare } from '../format/index.ts';
import { useLive } from '../live/index.ts';
import { type Learnt, liveProcesses } from '../processes/index.ts';
import { Badge, type Column, Empty, Page, Panel, Table } from '../ui/index.ts';
import { FunctionForm } from './function-form.tsx';
import { type FunctionRow, liveFunctions } from './live-functions.ts';

interface Row extends FunctionRow {
  /** How many calls at once it takes, as workers have learnt. */
  readonly limit?: number | undefined;
  /** Share of the attempts in the last minutes that failed; undefined without any. */
  readonly errorShare?: number | undefined;
}

const columns: readonly Column<Row>[] = [
  {
    key: 'name',
    title: 'Function',
    sortBy: ({ name }) => name,
    show: ({ name, url, paused }) => (
      <>
        <Link href={`/functions/${name}`}>{name}</Link>{' '}
        {paused && (
          <span class="narrow">
            <Badge tone="warn">Paused</Badge>
          </span>
        )}
        <span class="one-line small quiet">{url}</span>
      </>
    ),
  },
  { key: 'queue', title: 'Queue', wide: true, sortBy: ({ queue }) => queue, show: ({ queue }) => queue },
  {
    key: 'state',
    title: 'State',
    wide: true,
    sortBy: ({ paused }) => Number(!paused),
    show: ({ paused }) => (paused ? <Badge tone="warn">Paused</Badge> : <Badge tone="good">Active</Badge>),
  },
  {
    key: 'pending',
    title: 'Pending',
    number: true,
    sortBy: ({ pending }) => pending,
    show: ({ pending }) => formatCount(pending),
  },
  {
    key: 'running',
    title: 'Running',
    number: true,
    wide: true,
    sortBy: ({ running }) => running,
    show: ({ running }) => formatCount(running),
  },
  {
    key: 'limit',
    title: 'Limit',
    number: true,
    wide: true,
    sortBy: ({ limit = Number.POSITIVE_INFINITY }) => limit,
    show: ({ limit }) => (limit === undefined ? <span class="quiet">none met</span> : formatCount(limit)),
  },
  {
    key: 'errors',
    title: 'Errors',
    number: true,
    sortBy: ({ errorShare = 0 }) => errorShare,
    show: ({ errorShare }) => <ErrorShare share={errorShare} />,
  },
];

/** Of the attempts of the last minutes. */
function ErrorShare({ share }: { share: number | undefined }) {
  if (share === undefined) {
    return <span class="quiet">-</span>;
  }
  return share === 0 ? '0%' : <Badge tone={share < 0.1 ? 'warn' : 'bad'}>{formatShare(share)}</Badge>;
}

export function FunctionsPage() {
  const learnt = useLive(liveProcesses).data.value?.functions;
  const functions = withLearnt(useLive(liveFunctions).data.value, learnt);
  const [wanted, setWanted] = useState('');
  const [adding, setAdding] = useState(false);
  const shown = functions?.filter(({ name, queue }) => `${name} ${queue}`.includes(wanted.trim())) ?? [];
  return (
    <Page
      title="Functions"
      lead={functions === undefined ? 'Reading the functions' : formatMany(functions.length, 'function')}
      actions={
        <button class="button main" type="button" onClick={() => setAdding(true)}>
          Register a function
        </button>
      }
    >
      {functions?.length === 0 ? (
        <Panel>
          <Empty title="No function is registered yet">
            A function is anything with a URL that answers HTTP. Register one here, with the API, or in a functions
            file.
          </Empty>
        </Panel>
      ) : (
        <section class="panel">
          <div class="panel-head">
            <input
              class="input search"
              type="search"
              aria-label="Find a function or a queue"
              placeholder="Find by name or queue"
              value={wanted}
              onInput={({ currentTarget }) => setWanted(currentTarget.value)}
            />
            {wanted !== '' && <span class="quiet">{formatMany(shown.length, 'match', 'matches')}</span>}
          </div>
          <Table label="Functions" columns={columns} rows={shown} keyOf={({ name }) => name} />
        </section>
      )}
      {adding && <FunctionForm onClose={() => setAdding(false)} />}
    </Page>
  );
}

function withLearnt(
  rows: readonly FunctionRow[] | undefined,
  learnt: readonly Learnt[] = [],
): readonly Row[] | undefined {
  const byName = new Map(learnt.map((each) => [each.function, each]));
  return rows?.map((row) => {
    const { limit, attempts = 0, failed = 0 } = byName.get(row.name) ?? {};
    return { ...row, limit, errorShare: attempts === 0 ? undefined : failed / attempts };
  });
}
